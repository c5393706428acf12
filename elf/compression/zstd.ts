import type { Job } from './job.js';
import { inflateZstd } from './platform.js';
import { isSkippable, skipSkippable } from './skippable.js';
import { xxh64Low } from './xxh64.js';
import { BlockBuffer } from './zstd-entropy.js';
import { LiteralsReader } from './zstd-literals.js';
import { SequenceReader } from './zstd-sequences.js';

// Sections are those of RFC 8878.

export const ZSTD_MAGIC = 0xfd2fb528;
const LARGEST_BLOCK = 1 << 17;

interface FrameHeader {
  /** Offset of the first block. */
  readonly blocks: number;
  readonly windowSize: number;
  readonly contentSize: number | undefined;
  readonly hasChecksum: boolean;
}

/** Unpacks zstd frames, one or several, with skippable ones between. The checksum of a frame is verified where there is one. */
export function unpackZstd(job: Job): number {
  let at = skipSkippable(job, 0);
  do {
    at = unpackFrame(job, at);
    // Frames to be skipped belong to what is packed, even at the end.
    if (at + 4 <= job.bytes.length && isSkippable(job.view.getUint32(at, true))) at = skipSkippable(job, at);
  } while (!job.endsAt(at, job.startsWith(at, ZSTD_MAGIC)));
  return at;
}

/** Returns the offset after the frame. */
function unpackFrame(job: Job, start: number): number {
  const { output } = job;
  const header = readHeader(job, start);
  const { blocks, windowSize, contentSize, hasChecksum } = header;
  if (contentSize !== undefined) output.expect(contentSize);
  // What the platform's decoder refuses, the one below explains.
  const behind = frameEnd(job, header);
  if (behind !== undefined && inflateZstd(job, start, behind)) {
    job.progress(behind);
    return behind;
  }
  const largest = Math.min(windowSize, LARGEST_BLOCK);
  const frameStart = output.length;
  const buffer = new BlockBuffer(job);
  const literals = new LiteralsReader(buffer, largest);
  const sequences = new SequenceReader(buffer, { output, frameStart, windowSize, largest });
  let at = blocks;
  for (let last = false; !last; job.progress(at)) {
    job.need(at, 3);
    const word = job.bytes[at]! | (job.bytes[at + 1]! << 8) | (job.bytes[at + 2]! << 16);
    const type = (word >> 1) & 3;
    const size = word >> 3;
    last = (word & 1) === 1;
    if (size > largest) job.fail('corrupt', at, `a block of ${size} bytes is larger than ${largest}`);
    const body = at + 3;
    const packed = type === 1 ? 1 : size;
    job.need(body, packed);
    if (type === 3) job.fail('corrupt', at, 'a block of the reserved type');
    if (type === 2) {
      const [from, end] = buffer.load(body, size);
      if (size < 2) job.fail('corrupt', at, `a packed block of ${size} bytes`);
      const found = literals.read(from, end, largest);
      sequences.run(found.end, end, found, body);
    } else {
      output.reserve(size);
      const { length } = output;
      if (length + size > output.capacity) output.exceed(length + size, at, 'no room');
      if (type === 0) output.bytes.set(job.bytes.subarray(body, body + size), length);
      else output.bytes.fill(job.bytes[body]!, length, length + size);
      output.length = length + size;
    }
    at = body + packed;
  }
  const content = output.bytes.subarray(frameStart, output.length);
  if (contentSize !== undefined && contentSize !== content.length) {
    job.fail('corrupt', at, `the frame unpacks to ${content.length} bytes, its header says ${contentSize}`);
  }
  if (!hasChecksum) return at;
  const [stored, computed] = [job.u32(at), xxh64Low(content)];
  if (stored !== computed)
    job.fail('corrupt', at, `the content checksum is 0x${stored.toString(16)}, the bytes give 0x${computed.toString(16)}`);
  return at + 4;
}

/** Where a frame ends, from the headers of its blocks alone; undefined if it is cut off, or holds a block that can't be. */
function frameEnd(job: Job, { blocks, hasChecksum }: FrameHeader): number | undefined {
  const { bytes } = job;
  for (let at = blocks; at + 3 <= bytes.length; ) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    at += 3 + (((word >> 1) & 3) === 1 ? 1 : word >> 3);
    if ((word & 1) === 0) continue;
    if (hasChecksum) at += 4;
    return at <= bytes.length ? at : undefined;
  }
  return undefined;
}

/** Reads a frame header (3.1.1.1). */
function readHeader(job: Job, start: number): FrameHeader {
  const descriptor = job.u8(start + 4);
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 8) !== 0) job.fail('unsupported', start + 4, 'a reserved bit of the frame header is set');
  let at = start + 5;
  let windowSize = 0;
  if (!singleSegment) {
    const byte = job.u8(at++);
    const base = 2 ** (10 + (byte >> 3));
    windowSize = base + (base / 8) * (byte & 7);
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  for (let i = 0; i < dictionaryBytes; i++) if (job.u8(at + i) !== 0) job.fail('unsupported', at, 'the frame needs a dictionary');
  at += dictionaryBytes;
  let contentSize: number | undefined;
  switch (descriptor >> 6) {
    case 0:
      if (singleSegment) contentSize = job.u8(at++);
      break;
    case 1:
      contentSize = (job.u8(at) | (job.u8(at + 1) << 8)) + 256;
      at += 2;
      break;
    case 2:
      contentSize = job.u32(at);
      at += 4;
      break;
    default:
      contentSize = job.u32(at) + job.u32(at + 4) * 2 ** 32;
      at += 8;
  }
  return { blocks: at, windowSize: singleSegment ? contentSize! : windowSize, contentSize, hasChecksum: (descriptor & 4) !== 0 };
}
