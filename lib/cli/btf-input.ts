import type { BtfBlob, BtfOptions } from '../../btf/blob.js';
import { readBtf } from '../open/btf.js';
import { openSource } from '../source/node.js';
import { MissingError, type OptionSpec } from './command.js';

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
