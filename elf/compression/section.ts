import { Cursor } from '../cursor.js';
import { FormatError } from '../errors.js';
import type { ElfHeader } from '../header.js';
import { inflateZlib } from './platform.js';
import { unpack } from './unpack.js';

/** Larger sections than this are refused: 4 GiB, well above any .debug_info. */
const LIMIT = 2 ** 32;

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

/** Unpacks a SHF_COMPRESSED section: the header, then a zlib or zstd stream. */
export function decompressSection(bytes: Uint8Array, header: ElfHeader, name: string): Uint8Array {
  const { format, size, headerSize } = readCompression(bytes, header, name);
  if (size > LIMIT) throw new FormatError('limit', { name }, `unpacks to ${size} bytes, the limit is ${LIMIT}`);
  const place = { name, offset: headerSize };
  const packed = bytes.subarray(headerSize);
  if (format !== 'zlib' && format !== 'zstd') {
    throw new FormatError('unsupported', { name }, `compression type ${format} is neither 1 (zlib) nor 2 (zstd)`);
  }
  const data =
    format === 'zlib'
      ? inflateZlib(packed, size, place)
      : unpack(packed, { name: `${name}: zstd`, format, limit: size, sizeHint: size, trailing: 'ignore' }).bytes;
  if (data.length !== size) throw new FormatError('corrupt', place, `unpacks to ${data.length} bytes, the header says ${size}`);
  return data;
}
