import type { Job } from './job.js';

/** 16 magics stand for frames that a decoder passes over: lz4_Frame_format.md, RFC 8878 section 3.1.2. */
export function isSkippable(word: number): boolean {
  return word >>> 4 === 0x184d2a5;
}

/** The offset behind the skippable frames at an offset, which LZ4 and zstd have in common. */
export function skipSkippable(job: Job, start: number): number {
  let at = start;
  while (at + 4 <= job.bytes.length && isSkippable(job.view.getUint32(at, true))) {
    const size = job.u32(at + 4);
    job.need(at + 8, size);
    at += 8 + size;
  }
  return at;
}
