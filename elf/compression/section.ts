import { FormatError } from '../errors.js';
import type { ElfHeader } from '../header.js';
import { unpackSectionsWith } from '../section.js';
import { readCompression } from './header.js';
import { inflateZlib } from './platform.js';
import { unpack } from './unpack.js';

/** Larger sections than this are refused: 4 GiB, well above any .debug_info. */
const LIMIT = 2 ** 32;

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

// Loading this module is all that is needed: the index of elf/ does.
unpackSectionsWith(decompressSection);
