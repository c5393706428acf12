import { copyLiterals, copyMatch } from './copy.js';
import type { Job } from './job.js';
import { skipSkippable } from './skippable.js';
import { xxh32 } from './xxhash.js';

/** The legacy frame, which `lz4 -l` writes and Linux boots from. */
export const LZ4_LEGACY_MAGIC = 0x184c2102;
export const LZ4_MAGIC = 0x184d2204;

const LEGACY_BLOCK = 8 << 20;
/** The largest block that LZ4 makes of 8 MiB that do not compress: one length byte for each 255 literals. */
const LEGACY_PACKED = LEGACY_BLOCK + Math.floor(LEGACY_BLOCK / 255) + 16;
/** A match is 4 bytes longer than its token says. */
const SHORTEST_MATCH = 4;

/**
 * Unpacks LZ4 legacy frames (lz4_Frame_format.md, "Legacy frame"): blocks of 8 MiB, each after its packed size, and nothing that marks the
 * end: that is the end of the input, or a word that is not a size. Where other data may follow, a block that unpacks to less than 8 MiB is
 * the last one too. The format has no checksum.
 */
export function unpackLz4Legacy(job: Job): number {
  const { output } = job;
  let at = 4;
  for (;;) {
    if (at === job.bytes.length) return at;
    if (job.startsWith(at, LZ4_LEGACY_MAGIC)) {
      at += 4;
      continue;
    }
    const packed = at + 4 <= job.bytes.length ? job.view.getUint32(at, true) : 0;
    if (packed === 0 || packed > LEGACY_PACKED) {
      job.endsAt(at, false);
      return at;
    }
    job.need(at + 4, packed);
    const start = output.length;
    decodeBlock(job, at + 4, at + 4 + packed, start, LEGACY_BLOCK);
    at += 4 + packed;
    job.progress(at);
    if (job.ignoreTrailing && output.length - start < LEGACY_BLOCK && !job.startsWith(at, LZ4_LEGACY_MAGIC)) return at;
  }
}

/** Unpacks LZ4 frames, one or several (lz4_Frame_format.md); the checksums they have are verified. */
export function unpackLz4(job: Job): number {
  let at = skipSkippable(job, 0);
  do {
    at = skipSkippable(job, unpackFrame(job, at));
  } while (!job.endsAt(at, job.startsWith(at, LZ4_MAGIC)));
  return at;
}

function unpackFrame(job: Job, start: number): number {
  const { output } = job;
  const flags = job.u8(start + 4);
  const descriptor = job.u8(start + 5);
  const [blockChecksum, hasSize, contentChecksum, hasDictionary] = [flags & 0x10, flags & 8, flags & 4, flags & 1];
  if (flags >> 6 !== 1) job.fail('unsupported', start + 4, `version ${flags >> 6} of LZ4 frames; kelf knows only version 1`);
  let at = start + 6;
  const size = hasSize ? job.u32(at) + job.u32(at + 4) * 2 ** 32 : undefined;
  if (hasSize) at += 8;
  if (hasDictionary) at += 4;
  const check = (xxh32(job.bytes.subarray(start + 4, at)) >>> 8) & 0xff;
  if (job.u8(at) !== check) job.fail('corrupt', at, `the frame header's checksum is ${hex(job.u8(at))}, its bytes give ${hex(check)}`);
  if (hasDictionary) job.fail('unsupported', start + 4, 'the frame needs a dictionary');
  if ((flags & 2) !== 0 || (descriptor & 0x8f) !== 0 || descriptor >> 4 < 4)
    job.fail('corrupt', start + 4, 'reserved bits are set in the frame header');
  at++;
  if (size !== undefined) output.expect(size);

  const largest = 1 << (8 + 2 * (descriptor >> 4));
  const first = output.length;
  const linked = (flags & 0x20) === 0;
  for (;;) {
    const word = job.u32(at);
    const from = at + 4;
    if (word === 0) {
      at = from;
      break;
    }
    const packed = word & 0x7fffffff;
    if (packed > largest) job.fail('corrupt', at, `a block of ${packed} bytes is larger than ${largest}`);
    job.need(from, packed);
    if (word >>> 31 === 0) decodeBlock(job, from, from + packed, linked ? first : output.length, largest);
    else copyRaw(job, from, packed);
    at = from + packed;
    if (blockChecksum) at = verify(job, at, job.bytes.subarray(from, from + packed), 'block');
    job.progress(at);
  }
  const content = output.bytes.subarray(first, output.length);
  if (size !== undefined && size !== content.length) {
    job.fail('corrupt', at, `the frame unpacks to ${content.length} bytes, its header says ${size}`);
  }
  return contentChecksum ? verify(job, at, content, 'content') : at;
}

function copyRaw(job: Job, from: number, length: number): void {
  const { output } = job;
  output.reserve(length);
  if (output.length + length > output.capacity) output.exceed(output.length + length, from, 'no room');
  output.bytes.set(job.bytes.subarray(from, from + length), output.length);
  output.length += length;
}

function verify(job: Job, at: number, bytes: Uint8Array, what: string): number {
  const [stored, found] = [job.u32(at), xxh32(bytes)];
  if (stored !== found) job.fail('corrupt', at, `the ${what} checksum is ${hex(stored)}, the bytes give ${hex(found)}`);
  return at + 4;
}

/**
 * Unpacks one block (lz4_Block_format.md) after what is in the output.
 *
 * @param lowest offset in the output that matches may reach back to
 * @param largest how many bytes a block of this frame may unpack to
 */
function decodeBlock(job: Job, start: number, end: number, lowest: number, largest: number): void {
  const { bytes, view, output } = job;
  // One packed byte makes at most 255.
  output.reserve(Math.min(largest, (end - start) * 255));
  const room = Math.min(output.length + largest, output.capacity);
  const { bytes: out, view: outView } = output;
  let from = start;
  let to = output.length;
  while (from < end) {
    const token = bytes[from++]!;
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) {
        if (from >= end) job.fail('corrupt', from, 'the block ends in a length');
        more = bytes[from++]!;
      }
    }
    if (from + literals > end) job.fail('corrupt', from, `${literals} literals, but the block has only ${end - from} more bytes`);
    if (to + literals > room) output.exceed(to + literals, from, `the block unpacks to more than ${largest} bytes`);
    copyLiterals(outView, to, view, from, literals);
    from += literals;
    to += literals;
    if (from === end) {
      output.length = to;
      return;
    }
    if (from + 2 > end) job.fail('corrupt', from, 'the block ends in an offset');
    const distance = bytes[from]! | (bytes[from + 1]! << 8);
    if (distance === 0 || distance > to - lowest)
      job.fail('corrupt', from, `a match from ${distance} bytes back, but there are only ${to - lowest}`);
    from += 2;
    let length = (token & 15) + SHORTEST_MATCH;
    if (length === 15 + SHORTEST_MATCH) {
      for (let more = 255; more === 255; length += more) {
        if (from >= end) job.fail('corrupt', from, 'the block ends in a length');
        more = bytes[from++]!;
      }
    }
    if (to + length > room) output.exceed(to + length, from, `the block unpacks to more than ${largest} bytes`);
    copyMatch(out, outView, to, distance, length);
    to += length;
  }
  job.fail('corrupt', end, 'the block ends in a match; literals come last');
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
