import type { Job } from './job.js';

// Sections are those of RFC 8878.

/** Packed bytes of one block, with room around them, so that words may be read across both ends. */
export interface BlockBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** What is wrong in this block is an error at an offset in the job's bytes. */
  fail(at: number, message: string): never;
}

/**
 * A table of Finite State Entropy decoding (4.1): for each state the symbol in bits 0 to 7, how many bits to read in 8 to 15, and what to
 * add to them for the next state above.
 */
export interface FseTable {
  readonly entries: Uint32Array;
  readonly accuracyLog: number;
}

/** A table with one state, which reads nothing: the RLE mode. */
export function singleSymbol(symbol: number): FseTable {
  return { entries: Uint32Array.of(symbol), accuracyLog: 0 };
}

/** Lays out the states of symbols by their probabilities, of which -1 stands for "less than one state" (4.1.1). */
export function buildFseTable(probabilities: ArrayLike<number>, accuracyLog: number): FseTable {
  const size = 1 << accuracyLog;
  const entries = new Uint32Array(size);
  const next = new Uint16Array(probabilities.length);
  let high = size;
  for (let symbol = 0; symbol < probabilities.length; symbol++) {
    if (probabilities[symbol] !== -1) continue;
    entries[--high] = symbol;
    next[symbol] = 1;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < probabilities.length; symbol++) {
    const count = probabilities[symbol]!;
    if (count <= 0) continue;
    next[symbol] = count;
    for (let i = 0; i < count; i++) {
      entries[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = entries[state]!;
    const count = next[symbol]!++;
    const bits = accuracyLog - highestBit(count);
    entries[state] = symbol | (bits << 8) | (((count << bits) - size) << 16);
  }
  return { entries, accuracyLog };
}

/** Reads the description of a table (4.1.1), and returns it with the offset after it. */
export function readFseTable(
  block: BlockBytes,
  start: number,
  end: number,
  maxSymbol: number,
  maxLog: number,
): readonly [table: FseTable, end: number] {
  let bit = start * 8;
  const peek = (count: number): number => (block.view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
  const accuracyLog = peek(4) + 5;
  bit += 4;
  if (accuracyLog > maxLog) block.fail(start, `a table of 2^${accuracyLog} states is larger than 2^${maxLog}`);
  const probabilities: number[] = [];
  let left = 1 << accuracyLog;
  while (left > 0) {
    if (probabilities.length > maxSymbol || bit > end * 8) block.fail(bit >> 3, 'the probabilities of a table do not add up');
    // A number from 0 to left + 1, the small ones a bit shorter.
    const bits = highestBit(left + 1) + 1;
    const short = (1 << bits) - 1 - (left + 1);
    const half = (1 << (bits - 1)) - 1;
    let value = peek(bits);
    if ((value & half) < short) {
      value &= half;
      bit += bits - 1;
    } else {
      if (value > half) value -= short;
      bit += bits;
    }
    const probability = value - 1;
    left -= Math.abs(probability);
    probabilities.push(probability);
    if (probability !== 0) continue;
    for (let zeros = 3; zeros === 3; ) {
      if (bit > end * 8 || probabilities.length > maxSymbol + 1) block.fail(bit >> 3, 'the probabilities of a table do not add up');
      zeros = peek(2);
      bit += 2;
      for (let i = 0; i < zeros; i++) probabilities.push(0);
    }
  }
  const behind = (bit + 7) >> 3;
  if (left < 0 || probabilities.length > maxSymbol + 1 || behind > end) block.fail(start, 'the probabilities of a table do not add up');
  return [buildFseTable(probabilities, accuracyLog), behind];
}

/** Where a stream that is read backwards begins: below the highest bit that is set in its last byte (4.1). */
export function startOfBits(block: BlockBytes, start: number, end: number): number {
  const last = end > start ? block.bytes[end - 1]! : 0;
  if (last === 0) block.fail(end - 1, 'a stream of bits does not end in a set bit');
  return (end - 1) * 8 + highestBit(last);
}

/** A Huffman table: for every `maxBits` bits the symbol in bits 8 to 15 and the length of its code below. */
export interface HuffmanTable {
  readonly entries: Uint16Array;
  readonly maxBits: number;
}

const MAX_CODE = 11;

/** Reads the description of a Huffman tree (4.2.1), and returns its table with the offset after it. */
export function readHuffmanTable(block: BlockBytes, start: number, end: number): readonly [table: HuffmanTable, end: number] {
  const header = block.bytes[start]!;
  const at = start + 1;
  const behind = at + (header < 128 ? header : (header - 126) >> 1);
  if (behind > end) block.fail(start, 'the description of a Huffman tree goes beyond the end of its block');
  if (header < 128) return [huffmanTable(block, start, readWeights(block, at, behind)), behind];
  const weights = Array.from({ length: header - 127 }, (_, i) => (block.bytes[at + (i >> 1)]! >> (i & 1 ? 0 : 4)) & 15);
  return [huffmanTable(block, start, weights), behind];
}

/** Weights packed with FSE: two states in turn (4.2.1.2), until there are fewer bits than the next state needs. */
function readWeights(block: BlockBytes, start: number, end: number): number[] {
  const [{ entries, accuracyLog }, from] = readFseTable(block, start, end, 255, 6);
  const first = from * 8;
  let bit = startOfBits(block, from, end);
  const read = (count: number): number => {
    bit -= count;
    return (block.view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
  };
  if (bit - first < 2 * accuracyLog) block.fail(from, 'the weights of a Huffman tree have no initial states');
  let [now, other] = [read(accuracyLog), read(accuracyLog)];
  const weights: number[] = [];
  for (;;) {
    const entry = entries[now]!;
    weights.push(entry & 0xff);
    const bits = (entry >> 8) & 0xff;
    if (weights.length > 254) block.fail(start, 'a Huffman tree has more than 256 symbols');
    if (bit - bits < first) {
      weights.push(entries[other]! & 0xff);
      return weights;
    }
    [now, other] = [other, (entry >>> 16) + read(bits)];
  }
}

/** From the weights of all symbols but the last, whose weight makes the sum a power of two (4.2.1.3). */
function huffmanTable(block: BlockBytes, at: number, weights: readonly number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MAX_CODE) block.fail(at, `a weight of ${weight} in a Huffman tree`);
    sum += weight === 0 ? 0 : 1 << (weight - 1);
  }
  if (sum === 0) block.fail(at, 'a Huffman tree without symbols');
  const maxBits = highestBit(sum) + 1;
  const rest = (1 << maxBits) - sum;
  if (maxBits > MAX_CODE || (rest & (rest - 1)) !== 0) block.fail(at, 'the weights of a Huffman tree do not add up');
  const all = [...weights, highestBit(rest) + 1];

  // Codes of low weight, the long ones, come first.
  const entries = new Uint16Array(1 << maxBits);
  let from = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    const count = 1 << (weight - 1);
    for (let symbol = 0; symbol < all.length; symbol++) {
      if (all[symbol] !== weight) continue;
      entries.fill((symbol << 8) | (maxBits + 1 - weight), from, from + count);
      from += count;
    }
  }
  return { entries, maxBits };
}

function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** What a job's bytes need around them to be read as a block. */
const MARGIN = 16;
const LARGEST_BLOCK = 1 << 17;

/** The bytes of one block after the other, each copied between margins. */
export class BlockBuffer implements BlockBytes {
  readonly bytes: Uint8Array = new Uint8Array(LARGEST_BLOCK + 2 * MARGIN);
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #job: Job;
  #from = 0;

  constructor(job: Job) {
    this.#job = job;
  }

  /** Takes the block at an offset of the job, and returns where in `bytes` it begins and ends. */
  load(from: number, length: number): readonly [start: number, end: number] {
    this.#from = from;
    this.bytes.set(this.#job.bytes.subarray(from, from + length), MARGIN);
    return [MARGIN, MARGIN + length];
  }

  fail(at: number, message: string): never {
    return this.#job.fail('corrupt', Math.max(this.#from, this.#from + at - MARGIN), message);
  }
}
