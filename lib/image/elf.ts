import { ElfFile } from '../../elf/file.js';
import type { ByteSource } from '../../elf/source.js';

/** Opens an ELF file. @throws FormatError */
export function openElf(source: ByteSource): ElfFile {
  return ElfFile.open(source);
}
