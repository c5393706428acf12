import type { Job } from './job.js';

/** 16 magics stand for frames that a decoder passes over: lz4_Frame_format.md, RFC 8878 section 3.1.2. */
export function isSkippable(word: number): boolean {
  return word >>> 4 === 0x184d2a5;
}

/** The offset after the skippable frames at an offset, which LZ4 and zstd have in common. */
export function skipSkippable(job: Job, start: number): number {
  let at = start;
  while (at + 4 <= job.bytes.length && isSkippable(job.view.getUint32(at, true))) {
    const size = job.u32(at + 4);
    job.need(at + 8, size);
    at += 8 + size;
  }
  return at;
}

/** The offset after the skippable frames that bytes begin with, as far as these go. */
export function behindSkippable(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 8 <= bytes.length && isSkippable(view.getUint32(at, true))) at += 8 + view.getUint32(at + 4, true);
  return at;
}
