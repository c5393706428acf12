/** True on hosts that keep the low byte first: nearly all. */
export const HOST_LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const LOW = HOST_LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

/**
 * A column of unsigned 64-bit values. The same memory is seen as bigints, for the API's edge, and as 32-bit halves, for loops: a bigint
 * costs an allocation, and a number would round a kernel address to 2 KiB.
 */
export class Words {
  readonly length: number;
  readonly big: BigUint64Array;
  readonly #halves: Uint32Array;

  constructor(length: number) {
    this.length = length;
    this.big = new BigUint64Array(length);
    this.#halves = new Uint32Array(this.big.buffer);
  }

  static of(...values: bigint[]): Words {
    const words = new Words(values.length);
    words.big.set(values);
    return words;
  }

  /** From pairs of halves, the low one first. */
  static ofHalves(halves: Uint32Array): Words {
    const words = new Words(halves.length >>> 1);
    words.#halves.set(HOST_LITTLE_ENDIAN ? halves : halves.map((_, i) => halves[i ^ 1]!));
    return words;
  }

  low(index: number): number {
    return this.#halves[index * 2 + LOW]!;
  }

  high(index: number): number {
    return this.#halves[index * 2 + HIGH]!;
  }

  /** All values as pairs of halves, the low one first: the column's memory where this machine has them so, else a copy. */
  halves(): Uint32Array {
    return HOST_LITTLE_ENDIAN ? this.#halves : Uint32Array.from(this.#halves, (_, i) => this.#halves[i ^ 1]!);
  }

  /** @param low @param high the halves, as 32-bit numbers of either sign */
  set(index: number, low: number, high: number): void {
    this.#halves[index * 2 + LOW] = low;
    this.#halves[index * 2 + HIGH] = high;
  }

  /** Sets a base, given by its halves, and a distance of at most 52 bits; it wraps, as in the machine. */
  setSum(index: number, baseLow: number, baseHigh: number, distance: number): void {
    const sum = baseLow + distance;
    this.set(index, sum, baseHigh + Math.floor(sum / 0x1_0000_0000));
  }

  /** The value less `base`; exact where that fits in 53 bits, and of the right sign and magnitude everywhere. */
  minus(index: number, baseLow: number, baseHigh: number): number {
    return (this.high(index) - baseHigh) * 0x1_0000_0000 + (this.low(index) - baseLow);
  }

  /** Negative, zero or positive, as the value at `a` is below, equal to or above the one at `b`. */
  compare(a: number, b: number): number {
    return this.high(a) - this.high(b) || this.low(a) - this.low(b);
  }

  equal(a: number, b: number): boolean {
    return this.low(a) === this.low(b) && this.high(a) === this.high(b);
  }

  /**
   * Indices of the values in ascending order; equal values keep their order. What is nearly in order is merged, else a radix sort by 16-bit
   * digits.
   */
  order(): Uint32Array<ArrayBuffer> {
    const runs = ascendingRuns(this.#halves);
    // The counts of a digit take 256 KiB, which few rows are not worth.
    if (runs === undefined && this.length >= FEW) return radixOrder(this);
    const rows = rowsOf(this.length);
    return runs === undefined ? rows.sort((a, b) => this.compare(a, b) || a - b) : mergeRuns(this, rows, runs);
  }
}

/** The first index of an ascending column whose word is not below the value given by its halves. */
export function lowerBoundSorted(words: Words, low: number, high: number): number {
  let from = 0;
  let to = words.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (words.minus(middle, low, high) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The rows in their own order. */
function rowsOf(count: number): Uint32Array<ArrayBuffer> {
  const rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) rows[i] = i;
  return rows;
}

const FEW = 1 << 12;
const FEW_RUNS = 8;

/** The values of a digit of the radix sort. */
const DIGITS = 1 << 16;

/**
 * Sorts rows by digits of 16 bits, the lowest first; each pass keeps the order of the one before where digits are equal. Its loops are
 * functions of their own: V8 compiles such a loop as a whole, where several in one function make it start over at each.
 */
function radixOrder(words: Words): Uint32Array<ArrayBuffer> {
  const halves = words.halves();
  const places = new Uint32Array(DIGITS);
  let from = rowsOf(words.length);
  let to = new Uint32Array(words.length);
  for (let digit = 0; digit < 4; digit++) {
    const half = digit >> 1;
    const shift = (digit & 1) << 4;
    places.fill(0);
    tally(halves, half, shift, places);
    // A digit that all rows share orders nothing: the upper ones of kernel addresses.
    if (places[(halves[half]! >>> shift) & 0xffff] === words.length) continue;
    sumUp(places);
    distribute(halves, half, shift, places, from, to);
    [from, to] = [to, from];
  }
  return from;
}

/** Counts how often each value of a digit comes. */
function tally(halves: Uint32Array, half: number, shift: number, places: Uint32Array): void {
  for (let at = half; at < halves.length; at += 2) places[(halves[at]! >>> shift) & 0xffff]!++;
}

/** Turns how often each value comes into where its first row goes. */
function sumUp(places: Uint32Array): void {
  let sum = 0;
  for (let value = 0; value < DIGITS; value++) {
    const found = places[value]!;
    places[value] = sum;
    sum += found;
  }
}

function distribute(halves: Uint32Array, half: number, shift: number, places: Uint32Array, from: Uint32Array, to: Uint32Array): void {
  for (let i = 0; i < from.length; i++) {
    const row = from[i]!;
    to[places[(halves[row * 2 + half]! >>> shift) & 0xffff]!++] = row;
  }
}

/** Where ascending runs begin; undefined for more than a few. The relocations of a kernel are three: relative, unused, symbolic ones. */
function ascendingRuns(halves: Uint32Array): number[] | undefined {
  const starts = halves.length > 0 ? [0] : [];
  for (let i = 2; i < halves.length; i += 2) {
    const high = halves[i + HIGH]! - halves[i + HIGH - 2]!;
    if (high > 0 || (high === 0 && halves[i + LOW]! >= halves[i + LOW - 2]!)) continue;
    if (starts.length === FEW_RUNS) return undefined;
    starts.push(i / 2);
  }
  return starts;
}

/** Merges neighbouring runs until one is left; of equal values the earlier row stays first. */
function mergeRuns(words: Words, rows: Uint32Array<ArrayBuffer>, runs: readonly number[]): Uint32Array<ArrayBuffer> {
  let from = rows;
  let starts = runs;
  while (starts.length > 1) {
    const to = from.slice();
    for (let run = 0; run + 1 < starts.length; run += 2) {
      mergeTwo(words, from, to, starts[run]!, starts[run + 1]!, starts[run + 2] ?? from.length);
    }
    starts = starts.filter((_, run) => run % 2 === 0);
    from = to;
  }
  return from;
}

function mergeTwo(words: Words, from: Uint32Array, to: Uint32Array, start: number, middle: number, end: number): void {
  // Unused relocations, all zero, are after the others: such a run goes to the front as a block.
  if (words.compare(from[end - 1]!, from[start]!) < 0) {
    to.set(from.subarray(middle, end), start);
    to.set(from.subarray(start, middle), start + end - middle);
    return;
  }
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takesLeft = right === end || (left < middle && words.compare(from[left]!, from[right]!) <= 0);
    to[at] = from[takesLeft ? left++ : right++]!;
  }
}

/** Little-endian bytes as 32-bit words without a copy, where the host keeps them so and they are aligned; else undefined. */
export function hostWords(bytes: Uint8Array, littleEndian: boolean): Uint32Array | undefined {
  if (!littleEndian || !HOST_LITTLE_ENDIAN || bytes.byteOffset % 4 !== 0) return undefined;
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
}

/** The halves of a 64-bit value; negative values wrap, as in the machine. */
export function halves(value: bigint): { low: number; high: number } {
  return { low: Number(value & 0xffff_ffffn), high: Number((value >> 32n) & 0xffff_ffffn) };
}

/**
 * How far a 64-bit value is after another, each given by its halves; undefined where that is 4 GiB and more. It is exact, where a
 * product of doubles would round values that are far from each other to 2 KiB.
 */
export function distanceBetween(low: number, high: number, fromLow: number, fromHigh: number): number | undefined {
  const distance = low - fromLow;
  if (high === fromHigh) return distance;
  const wraps = high - fromHigh;
  if (wraps === 1 && distance < 0) return distance + 0x1_0000_0000;
  return wraps === -1 && distance > 0 ? distance - 0x1_0000_0000 : undefined;
}

/** The first position in `order` whose word is not below the value given by its halves. */
export function lowerBound(words: Words, order: Uint32Array, low: number, high: number): number {
  let from = 0;
  let to = order.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (words.minus(order[middle]!, low, high) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
