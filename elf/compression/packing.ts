import { isGzip } from './gzip.js';
import { LZ4_LEGACY_MAGIC, LZ4_MAGIC } from './lz4.js';
import { isSkippable } from './skippable.js';
import { isXz } from './xz.js';
import { ZSTD_MAGIC } from './zstd.js';

/** The formats that Linux images and modules are packed with. Of `bzip2` and `lzo`, kelf knows the name only. */
export type Packing = 'gzip' | 'xz' | 'lzma' | 'zstd' | 'lz4' | 'lz4-legacy' | 'bzip2' | 'lzo';

const LZOP_MAGIC = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a] as const;
const BZIP2_BLOCK = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] as const;
const BZIP2_END = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90] as const;

/**
 * The format that bytes are packed with, from what they start with; undefined if it is none of those known. `lzma` has no magic: it is
 * said for the header that xz and the kernel's build write (lc=3, lp=0, pb=2, a dictionary of 2^n or 3 * 2^n bytes, a size below 256 GiB).
 */
export function packingOf(bytes: Uint8Array): Packing | undefined {
  if (isGzip(bytes)) return 'gzip';
  if (isXz(bytes)) return 'xz';
  if (has(bytes, 0, LZOP_MAGIC)) return 'lzo';
  if (isBzip2(bytes)) return 'bzip2';
  if (isLzma(bytes)) return 'lzma';
  switch (magicBehindSkippable(bytes)) {
    case ZSTD_MAGIC:
      return 'zstd';
    case LZ4_MAGIC:
      return 'lz4';
    case LZ4_LEGACY_MAGIC:
      return 'lz4-legacy';
    default:
      return undefined;
  }
}

function has(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
  return expected.every((byte, i) => bytes[at + i] === byte);
}

function isBzip2(bytes: Uint8Array): boolean {
  const level = bytes[3] ?? 0;
  if (!has(bytes, 0, [0x42, 0x5a, 0x68]) || level < 0x31 || level > 0x39) return false;
  return has(bytes, 4, BZIP2_BLOCK) || has(bytes, 4, BZIP2_END);
}

function isLzma(bytes: Uint8Array): boolean {
  if (bytes.length < 13 || bytes[0] !== 0x5d) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const dictionary = view.getUint32(1, true);
  const size = view.getBigUint64(5, true);
  // Of 2^n and 3 * 2^n, what is left without the lowest bit set is a power of two, or nothing.
  const rest = (dictionary & (dictionary - 1)) >>> 0;
  const likely = dictionary === 0xffffffff || (dictionary >= 4096 && (rest === 0 || rest === ((dictionary - rest) << 1) >>> 0));
  return likely && (size === 0xffffffffffffffffn || size < 1n << 38n);
}

function magicBehindSkippable(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 8 <= bytes.length && isSkippable(view.getUint32(at, true))) at += 8 + view.getUint32(at + 4, true);
  return at + 4 <= bytes.length ? view.getUint32(at, true) : undefined;
}
