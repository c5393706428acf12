import { CODE_FILTERS, delta } from './bcj.js';
import { crc32, crc64 } from './crc.js';
import type { Job } from './job.js';
import { LzmaDecoder } from './lzma.js';
import { hasMagic } from './magic.js';
import { sha256 } from './sha256.js';

// Sections are those of "The .xz File Format", version 1.2.1.

const HEADER = 12;
const LZMA2 = 0x21;
const DELTA = 3;
/** Bytes of each check, by its id (2.1.1.2). */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;

interface BlockHeader {
  readonly length: number;
  readonly dictionarySize: number;
  readonly packedSize: number | undefined;
  readonly size: number | undefined;
  /** Undo what was done before LZMA2 packed it; the last of the chain first. */
  readonly filters: readonly ((bytes: Uint8Array) => void)[];
}

interface BlockSizes {
  /** Header, packed data and check, without padding. */
  readonly unpadded: number;
  readonly size: number;
}

export const XZ_MAGIC: readonly number[] = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];

/** Unpacks .xz files: streams of blocks, with padding between streams. Checks and indexes are verified. */
export function unpackXz(job: Job): number {
  let at = 0;
  do {
    at = unpackStream(job, at);
    at = skipPadding(job, at);
  } while (!job.endsAt(at, isXz(job.bytes, at)));
  return at;
}

/** Does an .xz stream start here? */
function isXz(bytes: Uint8Array, at: number): boolean {
  return hasMagic(bytes, at, XZ_MAGIC);
}

/** Stream padding (2.2): zeros, in fours. Where other data may follow, zeros belong to it unless another stream does. */
function skipPadding(job: Job, start: number): number {
  let at = start;
  while (job.startsWith(at, 0)) at += 4;
  return job.ignoreTrailing && at < job.bytes.length && !isXz(job.bytes, at) ? start : at;
}

function unpackStream(job: Job, start: number): number {
  job.need(start, HEADER);
  const check = streamFlags(job, start + 6, start + 6, start + 8);
  expectSize(job, start);
  const blocks: BlockSizes[] = [];
  let at = start + HEADER;
  while (job.u8(at) !== 0) {
    const first = job.output.length;
    const [end, unpadded] = unpackBlock(job, at, check);
    blocks.push({ unpadded, size: job.output.length - first });
    at = end;
    job.progress(at);
  }
  const indexSize = readIndex(job, at, blocks);
  at += indexSize;

  // The footer (2.1.2) says again what the header and the index have said.
  job.need(at, HEADER);
  if (job.bytes[at + 10] !== 0x59 || job.bytes[at + 11] !== 0x5a) job.fail('corrupt', at + 10, 'the stream has no footer');
  verifyCrc(job, at, at + 4, at + 10, 'footer');
  if ((job.u32(at + 4) + 1) * 4 !== indexSize) job.fail('corrupt', at + 4, 'the footer gives a wrong size of the index');
  if (job.bytes[at + 8] !== job.bytes[start + 6] || job.bytes[at + 9] !== job.bytes[start + 7]) {
    job.fail('corrupt', at + 8, 'the flags of header and footer differ');
  }
  return at + HEADER;
}

/** The flags of the stream's header: which check its blocks have. */
function streamFlags(job: Job, at: number, crcStart: number, crcAt: number): number {
  verifyCrc(job, crcAt, crcStart, crcAt, 'header');
  const check = job.u8(at + 1);
  if (job.u8(at) !== 0 || check > 15) job.fail('unsupported', at, 'the stream has unknown flags');
  if (![0, 1, 4, 10].includes(check))
    job.fail('unsupported', at + 1, `check ${check} is unknown; kelf knows none, CRC32, CRC64 and SHA-256`);
  return check;
}

/** The last stream's index, if that is what the input ends with, says how much the blocks will need. No more than a hint. */
function expectSize(job: Job, start: number): void {
  const { bytes } = job;
  const footer = bytes.length - HEADER;
  if (footer < start + HEADER || bytes[footer + 10] !== 0x59 || bytes[footer + 11] !== 0x5a) return;
  const index = footer - (job.u32(footer + 4) + 1) * 4;
  if (index < start + HEADER || bytes[index] !== 0) return;
  const reader = new Integers(job, index + 1, footer);
  let size = 0;
  for (let records = reader.next(); records > 0 && reader.at < footer - 8; records--) {
    reader.next();
    size += reader.next();
  }
  job.output.expect(size);
}

/** Returns the offset after the block, and its unpadded size. */
function unpackBlock(job: Job, start: number, check: number): [end: number, unpadded: number] {
  const { output } = job;
  const header = readBlockHeader(job, start);
  const first = output.length;
  const body = start + header.length;
  let at = unpackLzma2(job, body, header.dictionarySize);
  if (header.packedSize !== undefined && header.packedSize !== at - body) {
    job.fail('corrupt', at, `the block has ${at - body} packed bytes, its header says ${header.packedSize}`);
  }
  const content = output.bytes.subarray(first, output.length);
  if (header.size !== undefined && header.size !== content.length) {
    job.fail('corrupt', at, `the block unpacks to ${content.length} bytes, its header says ${header.size}`);
  }
  for (const filter of header.filters) filter(content);
  const unpadded = at - start + CHECK_SIZES[check]!;
  for (; at % 4 !== start % 4; at++) if (job.u8(at) !== 0) job.fail('corrupt', at, 'the padding of the block is not zero');
  verifyCheck(job, at, check, content);
  return [at + CHECK_SIZES[check]!, unpadded];
}

function readBlockHeader(job: Job, start: number): BlockHeader {
  const length = (job.u8(start) + 1) * 4;
  job.need(start, length);
  const end = start + length - 4;
  verifyCrc(job, end, start, end, 'block header');
  const flags = job.u8(start + 1);
  if ((flags & 0x3c) !== 0) job.fail('unsupported', start + 1, 'the block header has unknown flags');
  const reader = new Integers(job, start + 2, end);
  const packedSize = flags & 0x40 ? reader.next() : undefined;
  const size = flags & 0x80 ? reader.next() : undefined;
  const filters: ((bytes: Uint8Array) => void)[] = [];
  for (let before = flags & 3; before > 0; before--) filters.unshift(readFilter(job, reader));

  const idAt = reader.at;
  if (reader.next() !== LZMA2 || reader.next() !== 1) job.fail('unsupported', idAt, 'the last filter of a block is not LZMA2');
  const bits = job.bytes[reader.at++]!;
  if (reader.at > end || bits > 40) job.fail('corrupt', reader.at - 1, `${bits} is not a dictionary size`);
  const dictionarySize = bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
  for (; reader.at < end; reader.at++) {
    if (job.bytes[reader.at] !== 0) job.fail('unsupported', reader.at, 'the padding of the block header is not zero');
  }
  return { length, dictionarySize, packedSize, size, filters };
}

function readFilter(job: Job, reader: Integers): (bytes: Uint8Array) => void {
  const at = reader.at;
  const id = reader.next();
  const properties = reader.take(reader.next());
  if (id === DELTA) {
    if (properties.length !== 1) job.fail('corrupt', at, 'the delta filter has one byte of properties');
    return bytes => delta(bytes, properties[0]! + 1);
  }
  const entry = CODE_FILTERS[id];
  if (entry === undefined) job.fail('unsupported', at, `filter 0x${id.toString(16)} is unknown`);
  const { name, align, undo } = entry;
  if (undo === undefined) return job.fail('unsupported', at, `the ${name} filter is not supported; \`xz -dc\` unpacks the file`);
  if (properties.length !== 0 && properties.length !== 4) job.fail('corrupt', at, `the ${name} filter has 0 or 4 bytes of properties`);
  const start = properties.reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0);
  if (start % align !== 0) job.fail('corrupt', at, `the start offset of the ${name} filter is not a multiple of ${align}`);
  return bytes => undo(bytes, start);
}

/** LZMA2 (5.3.1): chunks, each after a byte that says what it is and what it resets. Returns the offset after them. */
function unpackLzma2(job: Job, start: number, dictionarySize: number): number {
  const { output } = job;
  const decoder = new LzmaDecoder(job, dictionarySize);
  let needs: 'dictionary' | 'properties' | 'nothing' = 'dictionary';
  let at = start;
  for (;;) {
    const control = job.u8(at);
    if (control === 0) return at + 1;
    if (control === 1 || control >= 0xe0) {
      decoder.dictionaryStart = output.length;
      needs = 'properties';
    } else if (needs === 'dictionary') {
      job.fail('corrupt', at, 'the first chunk does not reset the dictionary');
    }
    job.need(at, control < 0x80 ? 3 : 6);
    const { view } = job;
    if (control < 0x80) {
      if (control > 2) job.fail('corrupt', at, `0x${control.toString(16)} is not a kind of chunk`);
      const length = view.getUint16(at + 1) + 1;
      job.need(at + 3, length);
      output.reserve(length);
      if (output.length + length > output.capacity) output.exceed(output.length + length, at, 'no room');
      output.bytes.set(job.bytes.subarray(at + 3, at + 3 + length), output.length);
      output.length += length;
      at += 3 + length;
      continue;
    }
    const size = ((control & 0x1f) << 16) + view.getUint16(at + 1) + 1;
    const packed = view.getUint16(at + 3) + 1;
    let body = at + 5;
    if (control >= 0xc0) {
      const byte = job.u8(body);
      // lc + lp is at most 4 in LZMA2.
      if ((byte % 9) + (Math.floor(byte / 9) % 5) > 4 || !decoder.setProperties(byte))
        job.fail('corrupt', body, 'the chunk has no valid lc, lp and pb');
      body++;
    } else if (needs === 'properties') {
      job.fail('corrupt', at, 'neither the chunk nor an earlier one sets lc, lp and pb');
    } else if (control >= 0xa0) {
      decoder.reset();
    }
    needs = 'nothing';
    const end = body + packed;
    job.need(body, packed);
    decoder.at = body;
    decoder.start();
    const until = output.length + size;
    if (!decoder.decode(until, until, end)) job.fail('corrupt', decoder.at, 'an end marker within LZMA2');
    if (!decoder.finish() || decoder.at !== end) job.fail('corrupt', decoder.at, `the chunk does not end at ${end}, as its header says`);
    at = end;
    job.progress(at);
  }
}

/** The index (4): the sizes of all blocks once more. Returns its length. */
function readIndex(job: Job, start: number, blocks: readonly BlockSizes[]): number {
  const reader = new Integers(job, start + 1, job.bytes.length);
  const count = reader.next();
  if (count !== blocks.length) job.fail('corrupt', start, `the index lists ${count} blocks, the stream has ${blocks.length}`);
  for (const { unpadded, size } of blocks) {
    const at = reader.at;
    if (reader.next() !== unpadded || reader.next() !== size) job.fail('corrupt', at, 'the index gives wrong sizes for a block');
  }
  let at = reader.at;
  for (; (at - start) % 4 !== 0; at++) if (job.u8(at) !== 0) job.fail('corrupt', at, 'the padding of the index is not zero');
  verifyCrc(job, at, start, at, 'index');
  return at + 4 - start;
}

function verifyCrc(job: Job, at: number, start: number, end: number, what: string): void {
  const [stored, found] = [job.u32(at), crc32(job.bytes, start, end)];
  if (stored !== found)
    job.fail('corrupt', at, `the CRC-32 of the ${what} is 0x${stored.toString(16)}, its bytes give 0x${found.toString(16)}`);
}

function verifyCheck(job: Job, at: number, check: number, content: Uint8Array): void {
  job.need(at, CHECK_SIZES[check]!);
  if (check === 1) {
    if (crc32(content) !== job.u32(at)) job.fail('corrupt', at, "the block's CRC-32 does not match what it unpacks to");
  } else if (check === 4) {
    const [low, high] = crc64(content);
    if (low !== job.u32(at) || high !== job.u32(at + 4)) job.fail('corrupt', at, "the block's CRC-64 does not match what it unpacks to");
  } else if (check === 10) {
    if (sha256(content).some((byte, i) => byte !== job.bytes[at + i])) {
      job.fail('corrupt', at, "the block's SHA-256 does not match what it unpacks to");
    }
  }
}

/** Reads the format's integers (1.2): 7 bits in each byte, lowest first, 9 bytes at most. */
class Integers {
  at: number;
  readonly #job: Job;
  readonly #end: number;

  constructor(job: Job, at: number, end: number) {
    this.#job = job;
    this.at = at;
    this.#end = end;
  }

  /** Exact below 2^53; sizes beyond that fit nothing they are compared with. */
  next(): number {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      if (this.at >= this.#end) this.#job.fail('corrupt', this.at, 'a number goes beyond the end of its header');
      const byte = this.#job.u8(this.at++);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        if (byte === 0 && i > 0) break;
        return value;
      }
    }
    return this.#job.fail('corrupt', this.at - 1, 'a number is longer than necessary');
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.#end) this.#job.fail('corrupt', this.at, `${length} bytes go beyond the end of their header`);
    this.at += length;
    return this.#job.bytes.subarray(this.at - length, this.at);
  }
}
