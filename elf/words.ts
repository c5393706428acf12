/** True on hosts that keep the low byte first: nearly all. */
export const HOST_LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const LOW = HOST_LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

/**
 * A column of unsigned 64-bit values. The same memory is seen as bigints, for the API's edge, and as 32-bit halves, for loops: a bigint costs
 * an allocation, and a number would round a kernel address to 2 KiB.
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

  low(index: number): number {
    return this.#halves[index * 2 + LOW]!;
  }

  high(index: number): number {
    return this.#halves[index * 2 + HIGH]!;
  }

  /** @param low @param high the halves, as 32-bit numbers of either sign */
  set(index: number, low: number, high: number): void {
    this.#halves[index * 2 + LOW] = low;
    this.#halves[index * 2 + HIGH] = high;
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

  /** Indices of the values in ascending order; equal values keep their order. A radix sort by 16-bit digits. */
  order(): Uint32Array<ArrayBuffer> {
    const n = this.length;
    let from = new Uint32Array(n);
    for (let i = 0; i < n; i++) from[i] = i;
    let sorted = true;
    for (let i = 1; i < n && sorted; i++) sorted = this.compare(i - 1, i) <= 0;
    if (sorted) return from;
    let to = new Uint32Array(n);
    const digits = new Uint16Array(this.big.buffer);
    const counts = new Uint32Array(0x10000);
    for (let digit = 0; digit < 4; digit++) {
      const at = HOST_LITTLE_ENDIAN ? digit : 3 - digit;
      counts.fill(0);
      for (let i = 0; i < n; i++) counts[digits[i * 4 + at]!]!++;
      // A digit that all values share orders nothing: the upper half of kernel addresses.
      if (counts[digits[at]!] === n) continue;
      for (let value = 0, sum = 0; value < 0x10000; value++) {
        const count = counts[value]!;
        counts[value] = sum;
        sum += count;
      }
      for (let i = 0; i < n; i++) {
        const row = from[i]!;
        const value = digits[row * 4 + at]!;
        to[counts[value]!++] = row;
      }
      [from, to] = [to, from];
    }
    return from;
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

/** The halves of a 64-bit value; negative values wrap, as in the machine. */
export function halves(value: bigint): { low: number; high: number } {
  return { low: Number(value & 0xffff_ffffn), high: Number((value >> 32n) & 0xffff_ffffn) };
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
