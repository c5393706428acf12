import { Cursor } from '../cursor.js';
import { FormatError } from '../errors.js';
import type { ElfHeader } from '../header.js';
import { inflateZlib, unpackZstd } from './platform.js';

/** Larger sections than this are refused: 4 GiB, well above any .debug_info. */
const LIMIT = 2 ** 32;

/** Unpacks a SHF_COMPRESSED section: gABI `Elf64_Chdr`, then a zlib (1) or zstd (2) stream. */
export function decompressSection(bytes: Uint8Array, header: ElfHeader, name: string): Uint8Array {
  const cursor = new Cursor(bytes, header.littleEndian, name);
  const type = cursor.u32();
  if (header.is64) cursor.u32(); // ch_reserved
  const size = cursor.offset(header.is64);
  // Neither format packs better than about 1 : 1032 (zlib) or, in practice, zstd's 1 : 2^17 blocks of one byte.
  if (size > LIMIT) cursor.fail('limit', `unpacks to ${size} bytes, the limit is ${LIMIT}`);
  cursor.offset(header.is64); // ch_addralign
  const packed = cursor.take(cursor.remaining);
  if (type !== 1 && type !== 2) throw new FormatError('unsupported', { name }, `compression type ${type} is neither 1 (zlib) nor 2 (zstd)`);
  const place = { name, offset: cursor.last };
  const data = type === 1 ? inflateZlib(packed, size, place) : unpackZstd(packed, size, place);
  if (data.length !== size) throw new FormatError('corrupt', place, `unpacks to ${data.length} bytes, the header says ${size}`);
  return data;
}
