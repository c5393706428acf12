import { Cursor } from '../cursor.js';
import { FormatError, type Place } from '../errors.js';
import type { ElfHeader } from '../header.js';
import { unpack } from './unpack.js';
import { unpackZlib } from './zlib.js';

/** The header before a compressed section's bytes, gABI `Elf64_Chdr`. */
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

/** What a ch_type is, and what unpacks it to so many bytes. */
interface SectionFormat {
  readonly name: string;
  readonly unpack: (packed: Uint8Array, size: number, place: Place) => Uint8Array;
}

/** By ch_type (ELFCOMPRESS_*, gABI). */
const FORMATS: Readonly<Record<number, SectionFormat>> = {
  1: { name: 'zlib', unpack: unpackZlib },
  2: { name: 'zstd', unpack: unpackZstdSection },
};

/** Reads a `Elf64_Chdr` or `Elf32_Chdr`. */
export function readCompression(bytes: Uint8Array, header: ElfHeader, name: string): Compression {
  const { type, ...compression } = readChdr(bytes, header, name);
  return { format: FORMATS[type]?.name ?? `0x${type.toString(16)}`, ...compression };
}

function readChdr(bytes: Uint8Array, header: ElfHeader, name: string): Omit<Compression, 'format'> & { readonly type: number } {
  const cursor = new Cursor(bytes, header.littleEndian, name);
  const type = cursor.u32();
  if (header.is64) cursor.u32(); // ch_reserved
  const size = cursor.offset(header.is64);
  const addralign = cursor.offset(header.is64);
  return { type, size, addralign, headerSize: cursor.pos };
}

/** Larger sections than this are refused: 4 GiB, well above any .debug_info. */
const LIMIT = 2 ** 32;

/** Unpacks a SHF_COMPRESSED section: the header, then a zlib or zstd stream. @param allow throws where so many bytes are too many */
export function decompressSection(bytes: Uint8Array, header: ElfHeader, name: string, allow: (size: number) => void): Uint8Array {
  const { type, size, headerSize } = readChdr(bytes, header, name);
  if (size > LIMIT) throw new FormatError('limit', { name }, `unpacks to ${size} bytes, the limit is ${LIMIT}`);
  const format = FORMATS[type];
  if (format === undefined)
    throw new FormatError('unsupported', { name }, `compression type 0x${type.toString(16)} is neither 1 (zlib) nor 2 (zstd)`);
  allow(size);
  const place = { name, offset: headerSize };
  const data = format.unpack(bytes.subarray(headerSize), size, place);
  if (data.length !== size) throw new FormatError('corrupt', place, `unpacks to ${data.length} bytes, the header says ${size}`);
  return data;
}

function unpackZstdSection(packed: Uint8Array, size: number, { name }: Place): Uint8Array {
  return unpack(packed, { name: `${name}: zstd`, format: 'zstd', limit: size, sizeHint: size, trailing: 'ignore' }).bytes;
}
