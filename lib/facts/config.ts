import { FormatError } from '../../elf/errors.js';

/** The source of a .config that is in the image (CONFIG_IKCONFIG). */
export const IKCONFIG = 'IKCONFIG';

/** The source of the one that the running kernel shows of itself (CONFIG_IKCONFIG_PROC). */
export const PROC_CONFIG = '/proc/config.gz';

/** Whether a .config is known to be of the very kernel. */
export function isOwnConfig({ source }: KernelConfig): boolean {
  return source === IKCONFIG || source === PROC_CONFIG;
}

/** A kernel's .config. */
export interface KernelConfig {
  /** The file it was read from. */
  readonly source: string;
  /** The value of `CONFIG_NAME`: `y`, `m`, a number, a string without its quotes; undefined if it is not set. */
  get(name: string): string | undefined;
  /** Every option that is set, with its value. */
  entries(): Iterable<readonly [name: string, value: string]>;
}

/**
 * Reads the text of a .config: `CONFIG_X=y`, `CONFIG_X="text"`, `# CONFIG_X is not set`.
 * @throws FormatError for a text without any such line: taken for a .config, it would say about every option that it is not set
 */
export function parseConfig(text: string, source: string): KernelConfig {
  const values = new Map<string, string>();
  if (!/^(# )?CONFIG_\w+( is not set|=)/m.test(text))
    throw new FormatError('bad-magic', { name: source }, 'is not a kernel .config: no line is CONFIG_…=… or # CONFIG_… is not set');
  for (const line of text.split('\n')) {
    const match = /^(CONFIG_\w+)=(.*)$/.exec(line.trim());
    if (match !== null) values.set(match[1]!, match[2]!.replace(/^"(.*)"$/, '$1'));
  }
  return { source, get: name => values.get(name), entries: () => values };
}
