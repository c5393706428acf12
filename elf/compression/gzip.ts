import { crc32 } from './crc.js';
import { Inflater } from './inflate.js';
import type { Job } from './job.js';
import { hasMagic } from './magic.js';
import { inflateDeflate } from './platform.js';

/** The third byte says deflate, the only method there is. */
export const GZIP_MAGIC: readonly number[] = [0x1f, 0x8b, 8];

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const RESERVED = 0xe0;

/** Does a gzip member start here? */
function isGzip(bytes: Uint8Array, at: number): boolean {
  return hasMagic(bytes, at, GZIP_MAGIC);
}

/** Unpacks gzip members, one or several (RFC 1952); the CRC-32 and the size after each are verified. */
export function unpackGzip(job: Job): number {
  // The size of the last member; a hint, as other bytes may follow it.
  if (job.bytes.length >= 18) job.output.expect(job.u32(job.bytes.length - 4));
  let at = 0;
  do {
    at = unpackMember(job, at);
    job.progress(at);
  } while (!job.endsAt(at, isGzip(job.bytes, at)));
  return at;
}

function unpackMember(job: Job, start: number): number {
  const { output } = job;
  const body = skipHeader(job, start);
  const first = output.length;
  // What the platform's decoder refuses, the own one explains.
  const trailer = inflateDeflate(job, body) ?? new Inflater(job, body).run();
  const content = output.bytes.subarray(first, output.length);
  const [crc, size] = [job.u32(trailer), job.u32(trailer + 4)];
  if (size !== content.length % 2 ** 32) {
    job.fail('corrupt', trailer + 4, `the member unpacks to ${content.length} bytes, its trailer says ${size}`);
  }
  const found = crc32(content);
  if (crc !== found) job.fail('corrupt', trailer, `the CRC-32 is 0x${crc.toString(16)}, the bytes give 0x${found.toString(16)}`);
  return trailer + 8;
}

/** Returns the offset of the deflate stream. */
function skipHeader(job: Job, start: number): number {
  const flags = job.u8(start + 3);
  if ((flags & RESERVED) !== 0) job.fail('corrupt', start + 3, `reserved flags are set: 0x${flags.toString(16)}`);
  let at = start + 10;
  if (flags & FEXTRA) at += 2 + (job.u8(at) | (job.u8(at + 1) << 8));
  if (flags & FNAME) at = skipString(job, at);
  if (flags & FCOMMENT) at = skipString(job, at);
  if (flags & FHCRC) {
    const stored = job.u8(at) | (job.u8(at + 1) << 8);
    const found = crc32(job.bytes, start, at) & 0xffff;
    if (stored !== found) job.fail('corrupt', at, `the header's CRC is 0x${stored.toString(16)}, its bytes give 0x${found.toString(16)}`);
    at += 2;
  }
  job.need(at, 0);
  return at;
}

function skipString(job: Job, at: number): number {
  const end = job.bytes.indexOf(0, at);
  if (end < 0) job.fail('truncated', at, 'the string in the header has no end');
  return end + 1;
}
