import type { BtfBlob, BtfOptions } from '../../btf/blob.js';
import { KIND_NAMES, type Kind } from '../../btf/kinds.js';
import { isBtf } from '../../btf/wire.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import { readBtf, withoutBtf } from '../image/read-btf.js';
import { openSource } from '../node/source.js';
import { MissingError, UsageError } from './command.js';
import { unwrapped } from './elf-input.js';

/** `--base`, which every command on BTF has. */
export const BASE_OPTION = {
  type: 'string',
  short: 'B',
  value: 'FILE',
  help: 'the base of split BTF: for a module, the vmlinux it was built against',
} as const;

/**
 * The BTF that a command was asked about: of an ELF file or a blob, of a packed module (`.ko.xz`), of a kernel as it boots (`vmlinuz`).
 * @param parse as `readBtf` has it
 * @throws MissingError for an input without BTF
 */
export function openBtf<B extends BtfBlob>(
  path: string,
  base: string | undefined,
  parse: (bytes: Uint8Array, options: BtfOptions<B>) => B,
): B {
  const under = base === undefined ? undefined : openBtf(base, undefined, parse);
  const source = openSource(path);
  try {
    const start = source.read(0, Math.min(4, source.size));
    const inside = isElf(start) || isBtf(start) ? undefined : unwrapped(source);
    // What is nothing known is read all the same: what reads it says so.
    const image = inside?.source ?? source;
    const btf = readBtf(image, parse, under);
    if (btf === undefined) throw new MissingError(`${path} has no .BTF section: ${withoutBtf(ElfFile.open(image).sections)}`);
    return btf;
  } finally {
    source.close();
  }
}

/** `--kernel`, of the commands that apply CO-RE relocations. */
export const CORE_KERNEL_OPTION = {
  type: 'string',
  short: 'k',
  value: 'KERNEL',
  help: 'the kernel whose BTF CO-RE relocations are resolved against: vmlinux, vmlinuz, or the BTF alone',
} as const;

/** `--kind`. */
export const KIND_OPTION = {
  type: 'string',
  short: 'k',
  value: 'KIND',
  help: 'only types of these kinds, separated by commas: func, struct, union, enum, typedef …',
} as const;

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
