import { lastNotAbove } from './columns.js';

/** Ranges of addresses, each with the number of what it belongs to: which one holds an address. */
export class RangeIndex {
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #owner: Float64Array;
  /** The highest end of this range and of all before it: how far back a search has to go where ranges overlap. */
  readonly #reach: Float64Array;

  /** @param ranges low, high, owner; low, high, owner … */
  constructor(ranges: readonly number[]) {
    const count = Math.floor(ranges.length / 3);
    const order = Array.from({ length: count }, (_, i) => i * 3).sort((a, b) => ranges[a]! - ranges[b]!);
    this.#low = Float64Array.from(order, at => ranges[at]!);
    this.#high = Float64Array.from(order, at => ranges[at + 1]!);
    this.#owner = Float64Array.from(order, at => ranges[at + 2]!);
    let reach = Number.NEGATIVE_INFINITY;
    this.#reach = this.#high.map(high => {
      reach = Math.max(reach, high);
      return reach;
    });
  }

  get count(): number {
    return this.#low.length;
  }

  /** The owner of the last range that begins at or before the address and holds it; -1 for none. */
  find(distance: number): number {
    for (let at = lastNotAbove(this.#low, distance); at >= 0 && this.#reach[at]! > distance; at--) {
      if (distance < this.#high[at]!) return this.#owner[at]!;
    }
    return -1;
  }

  /** Every owner, once. */
  owners(): Set<number> {
    return new Set(this.#owner);
  }
}
