import type { BtfBlob, BtfOptions } from '../../btf/blob.js';
import { requireFittingBase } from '../../btf/fits-base.js';
import { relocateBtf } from '../../btf/relocate.js';
import { isBtf } from '../../btf/wire.js';
import { FormatError } from '../../elf/errors.js';
import { isElf, readHeader } from '../../elf/header.js';
import { readSections, type Section } from '../../elf/section.js';
import type { ByteSource } from '../../elf/source.js';

/**
 * The BTF of a source: an ELF file's .BTF, or a blob of its own such as /sys/kernel/btf/vmlinux. A module built outside its kernel's tree
 * carries the distilled base of its split BTF with it, in .BTF.base (kernel 6.11): where a `base` is given the BTF is relocated onto it,
 * else that one is its base (btf_parse_elf() of libbpf).
 * @param parse `Btf.parse`, or for the records alone the constructor of BtfBlob: a dump has no use for the rest and does not load it
 * @returns undefined for an ELF file without .BTF
 * @throws FormatError, also for split BTF that was made over another base
 */
export function readBtf<B extends BtfBlob>(
  source: ByteSource,
  parse: (bytes: Uint8Array, options: BtfOptions<B>) => B,
  base?: B,
): B | undefined {
  const start = source.read(0, Math.min(source.size, 16));
  if (isBtf(start)) return over(base, () => parse(source.read(0, source.size), { base, name: source.name }));
  if (!isElf(start)) throw new FormatError('bad-magic', { name: source.name, offset: 0 }, 'is neither an ELF file nor BTF');
  const header = readHeader(source);
  const sections = readSections(source, header);
  const pointerSize = header.is64 ? 8 : 4;
  const read = (section: Section, under?: B): B => {
    // data(): no linker compresses .BTF, but objcopy does where it is told to.
    return parse(section.data(), { base: under, name: section.label, pointerSize });
  };
  const find = (name: string): Section | undefined => sections.find(section => section.name === name);
  const section = find('.BTF');
  if (section === undefined) return undefined;
  const distilled = find('.BTF.base');
  if (distilled === undefined) return over(base, () => read(section, base));
  const split = read(section, read(distilled));
  return base === undefined ? split : parse(relocateBtf(split, base), { base, name: section.label, pointerSize });
}

/** Reads split BTF over a base, which it may not have been made over. */
function over<B extends BtfBlob>(base: B | undefined, read: () => B): B {
  if (base === undefined) return read();
  try {
    const split = read();
    requireFittingBase(split, base);
    return split;
  } catch (error) {
    if (!(error instanceof FormatError) || error.code !== 'out-of-range') throw error;
    const { code, place, message, where } = error;
    throw new FormatError(code, place, `${message.slice(where.length + 2)}: it is damaged, or was not made over ${base.name}`, {
      cause: error,
    });
  }
}

/** What to do about a file without BTF: its DWARF, if it has any, is what pahole makes BTF of. */
export function withoutBtf(sections: readonly { readonly name: string }[]): string {
  const hasDwarf = sections.some(({ name }) => name === '.debug_info' || name === '.zdebug_info');
  const how = 'pahole --btf_encode_detached=vmlinux.btf makes BTF of it, which --btf gives beside the kernel';
  return `CONFIG_DEBUG_INFO_BTF is not set, or the section was stripped${hasDwarf ? `; the file has DWARF: ${how}` : ''}`;
}
