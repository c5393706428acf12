import type { Job } from './job.js';
import { LzmaDecoder } from './lzma.js';

/** lc=3, lp=0, pb=2: what xz and the kernel's build write. */
export const LZMA_MAGIC: readonly number[] = [0x5d];

const HEADER = 13;
const SMALLEST_DICTIONARY = 4096;
const UNKNOWN = 0xffffffffffffffffn;
/** How much is unpacked between two reports of progress. */
const STEP = 1 << 20;

/**
 * Unpacks a .lzma file ("LZMA specification", .lzma file format): properties, size of the dictionary and of what is packed, and an LZMA
 * stream. Where the size is not given, an end marker ends the stream; where it is, one may. The format has no checksum, but
 * what the range coder is left with shows most damage.
 */
export function unpackLzma(job: Job): number {
  const { output } = job;
  job.need(0, HEADER);
  const decoder = new LzmaDecoder(job, Math.max(job.view.getUint32(1, true), SMALLEST_DICTIONARY));
  const packedSize = job.view.getBigUint64(5, true);
  if (!decoder.setProperties(job.bytes[0]!)) job.fail('corrupt', 0, `0x${job.bytes[0]!.toString(16)} holds no lc, lp and pb`);
  decoder.at = HEADER;
  decoder.start();
  const size = packedSize === UNKNOWN ? Number.POSITIVE_INFINITY : Number(packedSize);
  if (size !== Number.POSITIVE_INFINITY) {
    if (size > output.left) output.exceed(size, 5, '');
    output.expect(size);
  }
  const end = job.bytes.length;
  let goesOn = true;
  while (goesOn && output.length < size) {
    goesOn = decoder.decode(Math.min(output.length + STEP, size), size, end);
    job.progress(Math.min(decoder.at, end));
  }
  if (goesOn && !decoder.finish()) goesOn = decoder.decode(size + 1, size + 1, end);
  else if (!goesOn && output.length < size && size !== Number.POSITIVE_INFINITY) {
    job.fail('corrupt', decoder.at, `the stream unpacks to ${output.length} bytes, its header says ${size}`);
  }
  const whole = decoder.finish();
  if (decoder.at > end) job.fail('truncated', end, 'the LZMA stream continues past the end of the file');
  if (!whole) job.fail('corrupt', decoder.at, 'the LZMA stream does not end at the end of its output');
  job.endsAt(decoder.at, false);
  return decoder.at;
}

/** Whether bytes that begin with the usual properties have a dictionary and a size that are likely. */
export function looksLikeLzma(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const dictionary = view.getUint32(1, true);
  const size = view.getBigUint64(5, true);
  // Of 2^n and 3 * 2^n, what is left without the lowest bit set is a power of two, or nothing.
  const rest = (dictionary & (dictionary - 1)) >>> 0;
  const likely = dictionary === 0xffffffff || (dictionary >= 4096 && (rest === 0 || rest === ((dictionary - rest) << 1) >>> 0));
  return likely && (size === 0xffffffffffffffffn || size < 1n << 38n);
}
