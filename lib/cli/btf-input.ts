import type { BtfBlob, BtfOptions } from '../../btf/blob.js';
import { KIND_NAMES, type Kind } from '../../btf/wire.js';
import { readBtf } from '../open/btf.js';
import { openSource } from '../source/node.js';
import { MissingError, type OptionSpec, UsageError } from './command.js';

/** `--base`, which every command on BTF has. */
export const BASE_OPTION: OptionSpec & { readonly type: 'string' } = {
  type: 'string',
  short: 'B',
  value: 'FILE',
  help: 'the base of split BTF: for a module, the vmlinux it was built with',
};

/**
 * The BTF that a command was asked about.
 * @param parse as `readBtf` has it
 * @throws MissingError for an ELF file without .BTF
 */
export function openBtf<B extends BtfBlob>(
  path: string,
  base: string | undefined,
  parse: (bytes: Uint8Array, options: BtfOptions<B>) => B,
): B {
  const under = base === undefined ? undefined : openBtf(base, undefined, parse);
  const source = openSource(path);
  try {
    const btf = readBtf(source, parse, under);
    if (btf === undefined) throw new MissingError(`${path} has no .BTF section: it was built without CONFIG_DEBUG_INFO_BTF, or stripped`);
    return btf;
  } finally {
    source.close();
  }
}

/** `--kind`. */
export const KIND_OPTION: OptionSpec & { readonly type: 'string' } = {
  type: 'string',
  short: 'k',
  value: 'KIND',
  help: 'only types of this kind: func, struct, union, enum, typedef …; several with commas between them',
};

/** The kinds that `--kind` names; undefined for all. @throws UsageError */
export function kindsOf(option: string | undefined): ReadonlySet<Kind> | undefined {
  if (option === undefined) return undefined;
  return new Set(
    option.split(',').map(text => {
      const kind = text.trim().toUpperCase() as Kind;
      if (kind !== 'VOID' && KIND_NAMES.includes(kind)) return kind;
      throw new UsageError(`no kind '${text}'; there are ${KIND_NAMES.slice(1).join(', ').toLowerCase()}`);
    }),
  );
}
