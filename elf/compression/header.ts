import { Cursor } from '../cursor.js';
import type { ElfHeader } from '../header.js';

/** The header in front of a compressed section's bytes, gABI `Elf64_Chdr`. */
export interface Compression {
  /** ch_type: `zlib`, `zstd`, `0x…` for others. */
  readonly format: string;
  /** ch_size: bytes when unpacked. */
  readonly size: number;
  /** ch_addralign: the alignment of the unpacked bytes. */
  readonly addralign: number;
  /** How long the header itself is. */
  readonly headerSize: number;
}

/** Reads a `Elf64_Chdr` or `Elf32_Chdr`. */
export function readCompression(bytes: Uint8Array, header: ElfHeader, name: string): Compression {
  const cursor = new Cursor(bytes, header.littleEndian, name);
  const type = cursor.u32();
  if (header.is64) cursor.u32(); // ch_reserved
  const size = cursor.offset(header.is64);
  const addralign = cursor.offset(header.is64);
  return { format: type === 1 ? 'zlib' : type === 2 ? 'zstd' : `0x${type.toString(16)}`, size, addralign, headerSize: cursor.pos };
}
