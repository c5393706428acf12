import type { Job } from './job.js';
import { hasMagic } from './magic.js';

export const BZIP2_MAGIC: readonly number[] = [0x42, 0x5a, 0x68];

/** What a block, and the end of a stream, begin with: pi and its square root, in decimal digits. */
const BLOCK = [0x314159, 0x265359] as const;
const END = [0x177245, 0x385090] as const;
/** So many symbols are coded by one table. */
const GROUP = 50;
const MOST_TABLES = 6;
const LONGEST_CODE = 20;
/** Symbols that count repeats of the byte in front; every other but the last, which ends the block, is a place in the list of bytes. */
const [RUN_A, RUN_B] = [0, 1];
/** After so many equal bytes, a byte says how many more follow. */
const RUN = 4;
/** The most bytes that one step of the output adds. */
const LONGEST_RUN = RUN + 255;

/**
 * Unpacks bzip2 streams, one or several. A block is, outside in: runs of a byte, the Burrows-Wheeler transform, move to front, runs of zeros, and up to
 * six Huffman codes. The CRC-32 of each block and that of a stream are verified. The format is what bzip2 1.0 writes; blocks that were
 * "randomised", as 0.9.0 did, are not read.
 */
export function unpackBzip2(job: Job): number {
  let at = 0;
  do {
    at = unpackStream(job, at);
  } while (!job.endsAt(at, hasMagic(job.bytes, at, BZIP2_MAGIC)));
  return at;
}

/** Behind the magic: a level, and the first block or the end of the stream. */
export function looksLikeBzip2(bytes: Uint8Array): boolean {
  const level = bytes[3] ?? 0;
  return level >= 0x31 && level <= 0x39 && [BLOCK, END].some(mark => hasMagic(bytes, 4, mark.flatMap(bytesOf)));
}

function bytesOf(half: number): number[] {
  return [half >> 16, (half >> 8) & 0xff, half & 0xff];
}

/** The bits of the input, from the most significant of each byte on. */
class Bits {
  readonly #job: Job;
  #at: number;
  #word = 0;
  #count = 0;

  constructor(job: Job, at: number) {
    this.#job = job;
    this.#at = at;
  }

  /** Behind the byte that has the last bit. */
  get at(): number {
    return this.#at - (this.#count >> 3);
  }

  /** The next bits, zeros behind the end. @param count 24 at most */
  peek(count: number): number {
    const { bytes } = this.#job;
    while (this.#count < count) {
      this.#word = ((this.#word << 8) | (bytes[this.#at] ?? 0)) & 0x7fff_ffff;
      this.#at++;
      this.#count += 8;
    }
    return (this.#word >>> (this.#count - count)) & ((1 << count) - 1);
  }

  skip(count: number): void {
    this.#count -= count;
    if (this.#at - (this.#count >> 3) > this.#job.bytes.length)
      this.#job.fail('truncated', this.#job.bytes.length, 'the bzip2 stream continues past the end');
  }

  read(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  word(): number {
    return this.read(16) * 0x1_0000 + this.read(16);
  }

  fail(message: string): never {
    return this.#job.fail('corrupt', this.at, message);
  }
}

function unpackStream(job: Job, start: number): number {
  job.need(start, 4);
  const level = job.bytes[start + 3]! - 0x30;
  if (!hasMagic(job.bytes, start, BZIP2_MAGIC) || level < 1 || level > 9) job.fail('corrupt', start, 'no bzip2 header is here');
  const bits = new Bits(job, start + 4);
  const block = new Uint32Array(level * 100_000);
  let combined = 0;
  for (;;) {
    const mark = [bits.read(24), bits.read(24)];
    const crc = bits.word();
    if (mark[0] === END[0] && mark[1] === END[1]) {
      if (crc !== combined) bits.fail(`the CRC-32 of the stream is ${hex(crc)}, its blocks give ${hex(combined)}`);
      return bits.at;
    }
    if (mark[0] !== BLOCK[0] || mark[1] !== BLOCK[1]) bits.fail('no block begins here, and the stream does not end');
    const found = unpackBlock(job, bits, block);
    if (found !== crc) bits.fail(`the CRC-32 of the block is ${hex(crc)}, its bytes give ${hex(found)}`);
    combined = (((combined << 1) | (combined >>> 31)) ^ crc) >>> 0;
    job.progress(bits.at);
  }
}

/** @returns the CRC-32 of its bytes */
function unpackBlock(job: Job, bits: Bits, block: Uint32Array): number {
  if (bits.read(1) !== 0) job.fail('unsupported', bits.at, 'the block is randomised, as bzip2 0.9.0 did');
  const first = bits.read(24);
  const list = usedBytes(bits);
  const length = readSymbols(bits, list, block);
  if (first >= length) bits.fail(`the block begins at byte ${first} of ${length}`);
  sortBack(block, length);
  return writeRuns(job, bits, block, first, length);
}

/** The bytes that occur in the block: a bit for each sixteen, then one for each of those. */
function usedBytes(bits: Bits): Uint8Array {
  const used: number[] = [];
  const parts = bits.read(16);
  for (let part = 0; part < 16; part++) {
    if (((parts >> (15 - part)) & 1) === 0) continue;
    const map = bits.read(16);
    for (let i = 0; i < 16; i++) if (((map >> (15 - i)) & 1) !== 0) used.push(part * 16 + i);
  }
  if (used.length === 0) bits.fail('no byte occurs in the block');
  return Uint8Array.from(used);
}

/** A Huffman code in canonical form: codes of a length are consecutive, and greater than the shorter ones. */
interface Code {
  /** For each length the code behind its last one, in as many bits as the longest has; none is below the first length. */
  readonly ends: Uint32Array;
  /** What has to be taken from a code of the length for its place in `symbols`. */
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

function readCode(bits: Bits, count: number): Code {
  const lengths = new Uint8Array(count);
  const perLength = new Uint16Array(LONGEST_CODE + 1);
  let length = bits.read(5);
  for (let symbol = 0; symbol < count; symbol++) {
    while (bits.read(1) !== 0) {
      length += bits.read(1) === 0 ? 1 : -1;
      if (length < 1 || length > LONGEST_CODE) break;
    }
    if (length < 1 || length > LONGEST_CODE) bits.fail(`a code of ${length} bits`);
    lengths[symbol] = length;
    perLength[length]!++;
  }
  const ends = new Uint32Array(LONGEST_CODE + 1);
  const base = new Int32Array(LONGEST_CODE + 1);
  const next = new Uint16Array(LONGEST_CODE + 1);
  let [code, place] = [0, 0];
  for (let length = 1; length <= LONGEST_CODE; length++) {
    base[length] = code - place;
    next[length] = place;
    code += perLength[length]!;
    place += perLength[length]!;
    if (code > 1 << length) bits.fail('more codes than there are symbols');
    ends[length] = code << (LONGEST_CODE - length);
    code <<= 1;
  }
  const symbols = new Uint16Array(count);
  for (let symbol = 0; symbol < count; symbol++) symbols[next[lengths[symbol]!]!++] = symbol;
  return { ends, base, symbols };
}

/** Which table codes each group of symbols, by move to front. */
function readSelectors(bits: Bits, tables: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) bits.fail('the block has no groups of symbols');
  const selectors = new Uint8Array(count);
  const list = Uint8Array.from({ length: tables }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (bits.read(1) !== 0) if (++place >= tables) bits.fail('a group of symbols has a table that does not exist');
    selectors[i] = toFront(list, place);
  }
  return selectors;
}

function toFront(list: Uint8Array, place: number): number {
  const value = list[place]!;
  list.copyWithin(1, 0, place);
  list[0] = value;
  return value;
}

/** Undoes the codes, the runs of zeros and the move to front: the block is then its sorted rotations' last bytes. @returns how many */
function readSymbols(bits: Bits, list: Uint8Array, block: Uint32Array): number {
  const tables = bits.read(3);
  if (tables < 2 || tables > MOST_TABLES) bits.fail(`${tables} Huffman tables, where there are 2 to 6`);
  const selectors = readSelectors(bits, tables);
  const codes = Array.from({ length: tables }, () => readCode(bits, list.length + 2));
  const last = list.length + 1;
  let length = 0;
  let [run, weight] = [0, 1];
  for (const selector of selectors) {
    const { ends, base, symbols } = codes[selector]!;
    for (let i = 0; i < GROUP; i++) {
      const peeked = bits.peek(LONGEST_CODE);
      let size = 1;
      while (size <= LONGEST_CODE && peeked >= ends[size]!) size++;
      if (size > LONGEST_CODE) bits.fail('bits that are no code');
      bits.skip(size);
      const symbol = symbols[(peeked >>> (LONGEST_CODE - size)) - base[size]!]!;
      if (symbol === RUN_A || symbol === RUN_B) {
        // Digits 1 and 2, the least significant first.
        run += weight << symbol;
        weight *= 2;
        if (run > block.length) bits.fail(`the block has more than ${block.length} bytes`);
        continue;
      }
      if (length + run > block.length) bits.fail(`the block has more than ${block.length} bytes`);
      block.fill(list[0]!, length, length + run);
      length += run;
      [run, weight] = [0, 1];
      if (symbol === last) return length;
      if (length === block.length) bits.fail(`the block has more than ${block.length} bytes`);
      block[length++] = toFront(list, symbol - 1);
    }
  }
  return bits.fail('the block does not end in its last group of symbols');
}

/** Puts beside each byte, in the upper 24 bits, which byte follows it before the sort. */
function sortBack(block: Uint32Array, length: number): void {
  const next = new Uint32Array(256);
  for (let i = 0; i < length; i++) next[block[i]! & 0xff]!++;
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = next[byte]!;
    next[byte] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const place = next[block[i]! & 0xff]!++;
    block[place] = (block[place]! & 0xff) | (i << 8);
  }
}

function writeRuns(job: Job, bits: Bits, block: Uint32Array, first: number, length: number): number {
  const { output } = job;
  const begin = output.length;
  let to = begin;
  let [before, equal] = [-1, 0];
  let at = block[first]! >>> 8;
  for (let left = length; left > 0; left--) {
    if (to + LONGEST_RUN > output.capacity) {
      output.length = to;
      output.reserve(Math.max(left, LONGEST_RUN));
    }
    const word = block[at]!;
    const byte = word & 0xff;
    at = word >>> 8;
    const count = equal === RUN ? byte : 1;
    if (to + count > output.capacity) output.exceed(to + count, bits.at, 'no room');
    if (equal === RUN) {
      output.bytes.fill(before, to, to + byte);
      [before, equal] = [-1, 0];
    } else {
      output.bytes[to] = byte;
      equal = byte === before ? equal + 1 : 1;
      before = byte;
    }
    to += count;
  }
  output.length = to;
  return crc(output.bytes, begin, to);
}

const CRC = /* @__PURE__ */ crcTable();

/** CRC-32 of IEEE 802.3, the most significant bit first: not reflected, as gzip's is. */
function crc(bytes: Uint8Array, start: number, end: number): number {
  let value = -1;
  for (let at = start; at < end; at++) value = (value << 8) ^ CRC[(value >>> 24) ^ bytes[at]!]!;
  return ~value >>> 0;
}

function crcTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte << 24;
    for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
    return value;
  });
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
