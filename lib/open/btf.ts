import { Btf } from '../../btf/btf.js';
import { isBtf } from '../../btf/wire.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import type { Section } from '../../elf/section.js';
import type { ByteSource } from '../../elf/source.js';

/**
 * The BTF of a source: an ELF file's .BTF, or a blob of its own such as /sys/kernel/btf/vmlinux. A module of an other tree carries the base of its
 * split BTF with it, in .BTF.base (kernel 6.11); it is used where no `base` is given.
 * @returns undefined for an ELF file without .BTF
 * @throws FormatError
 */
export function readBtf(source: ByteSource, base?: Btf): Btf | undefined {
  const start = source.read(0, Math.min(source.size, 16));
  if (isBtf(start)) return Btf.parse(source.read(0, source.size), { base, name: source.name });
  if (!isElf(start)) throw new FormatError('bad-magic', { name: source.name, offset: 0 }, 'is neither an ELF file nor BTF');
  const elf = ElfFile.open(source);
  const pointerSize = elf.is64 ? 8 : 4;
  const read = (section: Section, under?: Btf): Btf => Btf.parse(section.data(), { base: under, name: section.label, pointerSize });
  const section = elf.section('.BTF');
  if (section === undefined) return undefined;
  const distilled = base === undefined ? elf.section('.BTF.base') : undefined;
  return read(section, distilled === undefined ? base : read(distilled));
}
