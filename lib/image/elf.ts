import { ElfFile } from '../../elf/file.js';
import type { ByteSource } from '../../elf/source.js';
import { unpackSectionsOnDemand } from './packed.js';

/** Opens an ELF file. What unpacks its compressed sections is loaded with the first of them. @throws FormatError */
export function openElf(source: ByteSource): ElfFile {
  unpackSectionsOnDemand();
  return ElfFile.open(source);
}
