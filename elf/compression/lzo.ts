import { adler32 } from './adler.js';
import { copyLiterals, copyMatch } from './copy.js';
import { crc32 } from './crc.js';
import type { Job } from './job.js';
import { hasMagic } from './magic.js';

export const LZO_MAGIC: readonly number[] = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a];

/** Flags of a file (lzop's header): which checksums its blocks have, of the bytes unpacked and packed, and what its header has. */
const FLAG = {
  ADLER32: 1,
  PACKED_ADLER32: 2,
  EXTRA_FIELD: 0x40,
  CRC32: 0x100,
  PACKED_CRC32: 0x200,
  MULTIPART: 0x400,
  FILTER: 0x800,
  HEADER_CRC32: 0x1000,
} as const;

/** From this version of lzop on, a header says which version is needed, the level, and 64 bits of the time. */
const LATER_HEADER = 0x0940;
/** LZO1X-1, LZO1X-1(15) and LZO1X-999 pack the same format. */
const LZO1X: ReadonlySet<number> = new Set([1, 2, 3]);
/** What lzop takes at most. */
const LARGEST_BLOCK = 64 << 20;

/**
 * Unpacks what lzop writes, one file or several: blocks of LZO1X, each behind its sizes and checksums, and a size of 0 behind the last. The
 * kernel's build packs images so (`lib/decompress_unlzo.c` has the header, Documentation/staging/lzo.rst the format of a block).
 */
export function unpackLzo(job: Job): number {
  let at = 0;
  do {
    at = unpackFile(job, at);
  } while (!job.endsAt(at, hasMagic(job.bytes, at, LZO_MAGIC)));
  return at;
}

function unpackFile(job: Job, start: number): number {
  const { output } = job;
  const { flags, end } = readHeader(job, start);
  let at = end;
  for (;;) {
    const size = word(job, at);
    at += 4;
    if (size === 0) return at;
    const packed = word(job, at);
    at += 4;
    if (size > LARGEST_BLOCK || packed === 0 || packed > size)
      job.fail('corrupt', at - 8, `a block of ${packed} bytes that unpacks to ${size}`);
    const isStored = packed === size;
    const checks = [
      ...((flags & FLAG.ADLER32) === 0 ? [] : [{ what: 'Adler-32', of: adler32, packed: false }]),
      ...((flags & FLAG.CRC32) === 0 ? [] : [{ what: 'CRC-32', of: (bytes: Uint8Array) => crc32(bytes), packed: false }]),
      ...((flags & FLAG.PACKED_ADLER32) === 0 || isStored ? [] : [{ what: 'Adler-32', of: adler32, packed: true }]),
      ...((flags & FLAG.PACKED_CRC32) === 0 || isStored ? [] : [{ what: 'CRC-32', of: (bytes: Uint8Array) => crc32(bytes), packed: true }]),
    ];
    const sums = checks.map((_, i) => word(job, at + 4 * i));
    at += 4 * checks.length;
    job.need(at, packed);
    const from = output.length;
    if (isStored) copyStored(job, at, size);
    else decodeBlock(job, at, at + packed, size);
    for (const [i, { what, of, packed: ofPacked }] of checks.entries()) {
      const found = of(ofPacked ? job.bytes.subarray(at, at + packed) : output.bytes.subarray(from, output.length));
      if (found !== sums[i])
        job.fail('corrupt', at, `the block's ${what} is ${hex(sums[i]!)}, ${ofPacked ? 'its' : 'the unpacked'} bytes give ${hex(found)}`);
    }
    at += packed;
    job.progress(at);
  }
}

function readHeader(job: Job, start: number): { readonly flags: number; readonly end: number } {
  if (!hasMagic(job.bytes, start, LZO_MAGIC)) job.fail('corrupt', start, 'no header of lzop is here');
  const first = start + LZO_MAGIC.length;
  const version = half(job, first);
  const later = version >= LATER_HEADER;
  // The version, that of the library, and the one that is needed.
  let at = first + (later ? 6 : 4);
  const method = job.u8(at);
  if (!LZO1X.has(method)) job.fail('unsupported', at, `method ${method} of lzop; kelf knows LZO1X`);
  at += later ? 2 : 1;
  const flags = word(job, at);
  if ((flags & (FLAG.FILTER | FLAG.MULTIPART)) !== 0) job.fail('unsupported', at, 'the file has a filter, or several parts');
  // Flags, mode and time.
  at += later ? 16 : 12;
  at += 1 + job.u8(at);
  at = checkHeader(job, first, at, flags);
  if ((flags & FLAG.EXTRA_FIELD) !== 0) {
    const length = word(job, at);
    job.need(at + 4, length);
    at = checkHeader(job, at, at + 4 + length, flags);
  }
  return { flags, end: at };
}

/** The checksum behind a part of the header. @returns the offset behind it */
function checkHeader(job: Job, from: number, to: number, flags: number): number {
  const stored = word(job, to);
  const bytes = job.bytes.subarray(from, to);
  const found = (flags & FLAG.HEADER_CRC32) === 0 ? adler32(bytes) : crc32(bytes);
  if (stored !== found) job.fail('corrupt', to, `the header's checksum is ${hex(stored)}, its bytes give ${hex(found)}`);
  return to + 4;
}

function copyStored(job: Job, at: number, size: number): void {
  const { output } = job;
  output.reserve(size);
  if (output.length + size > output.capacity) output.exceed(output.length + size, at, 'no room');
  output.bytes.set(job.bytes.subarray(at, at + size), output.length);
  output.length += size;
}

/** Bytes that a match of the longest distances is away at least. */
const FAR = 0x4000;
/** The distance of the shortest matches behind a run of literals: beyond what the others reach. */
const BEHIND_LITERALS = 0x800;

/** Unpacks one block of LZO1X (Documentation/staging/lzo.rst) behind what is in the output. Matches stay within the block. */
function decodeBlock(job: Job, start: number, end: number, size: number): void {
  const { bytes, view, output } = job;
  // One packed byte makes at most 255, and a few.
  output.reserve(Math.min(size, (end - start) * 256));
  const lowest = output.length;
  const room = Math.min(lowest + size, output.capacity);
  const { bytes: out, view: outView } = output;
  let from = start;
  let to = lowest;

  const next = (): number => {
    if (from >= end) job.fail('corrupt', from, 'the block ends in an instruction');
    return bytes[from++]!;
  };
  /** A length that does not fit into its instruction: 255 for each zero that follows, and the byte behind those. */
  const longer = (most: number): number => {
    let length = most;
    let more = next();
    for (; more === 0; more = next()) length += 255;
    return length + more;
  };
  const literals = (count: number): void => {
    if (from + count > end) job.fail('corrupt', from, `${count} literals, but the block has only ${end - from} more bytes`);
    if (to + count > room) output.exceed(to + count, from, `the block unpacks to more than ${size} bytes`);
    copyLiterals(outView, to, view, from, count);
    from += count;
    to += count;
  };
  const match = (distance: number, length: number): void => {
    if (distance > to - lowest) job.fail('corrupt', from, `a match from ${distance} bytes back, but there are only ${to - lowest}`);
    if (to + length > room) output.exceed(to + length, from, `the block unpacks to more than ${size} bytes`);
    copyMatch(out, outView, to, distance, length);
    to += length;
  };

  // How many literals the instruction before copied: up to three, or more.
  let before = 0;
  if (from < end && bytes[from]! > 17) {
    const count = next() - 17;
    literals(count);
    before = Math.min(count, 4);
  }
  for (;;) {
    const at = from;
    const instruction = next();
    if (instruction < 16 && before === 0) {
      literals(3 + (instruction === 0 ? longer(15) : instruction));
      before = 4;
      continue;
    }
    let follow = instruction & 3;
    if (instruction >= 64) {
      const distance = (next() << 3) + ((instruction >> 2) & 7) + 1;
      match(distance, instruction >= 128 ? 5 + ((instruction >> 5) & 3) : 3 + ((instruction >> 5) & 1));
    } else if (instruction >= 16) {
      const far = instruction < 32;
      const most = far ? 7 : 31;
      const length = 2 + ((instruction & most) === 0 ? longer(most) : instruction & most);
      const pair = next() | (next() << 8);
      follow = pair & 3;
      if (!far) match((pair >> 2) + 1, length);
      else {
        const distance = FAR + ((instruction & 8) << 11) + (pair >> 2);
        if (distance === FAR) {
          if (from !== end) job.fail('corrupt', at, `the block ends ${end - from} bytes before its size`);
          if (to !== lowest + size) job.fail('corrupt', at, `the block unpacks to ${to - lowest} bytes, its size is ${size}`);
          output.length = to;
          return;
        }
        match(distance, length);
      }
    } else {
      const distance = (next() << 2) + (instruction >> 2) + 1;
      if (before === 4) match(distance + BEHIND_LITERALS, 3);
      else match(distance, 2);
    }
    literals(follow);
    before = follow;
  }
}

/** lzop's words have their most significant byte first. */
function word(job: Job, at: number): number {
  job.need(at, 4);
  return job.view.getUint32(at);
}

function half(job: Job, at: number): number {
  job.need(at, 2);
  return job.view.getUint16(at);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
