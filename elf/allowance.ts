import { FormatError } from './errors.js';

/** Kernels compress to a quarter or a tenth, zeros to a thousandth. */
const MOST_OF_FEW = 2 ** 25;
const MOST_RATIO = 16;

/** How much may come out of a file of some bytes, whatever is packed in it, and however often. */
export function mostUnpacked(packed: number): number {
  return MOST_OF_FEW + MOST_RATIO * packed;
}

/**
 * What parts of a file may cost together. A table may be referred to from many places, and tables may lie over each other: each of them is bounded
 * by the file's size, and their sum is not. A part is paid for once, however often it is asked about; what it costs is counted, not timed.
 */
export class Allowance {
  readonly #exceeded: () => FormatError;
  #error: FormatError | undefined;
  #left: number;
  readonly #paid = new Set<number | string>();

  /** @param what costs, for messages: `the range lists` @param most of it, in all */
  constructor(name: string, what: string, most: number) {
    this.#exceeded = () =>
      new FormatError('limit', { name }, `${what} come to more than ${Math.floor(most)}, which is too much for the size of the file`);
    this.#left = most;
  }

  /**
   * Pays for a part, all at once or step by step while it is read.
   * @param key of the part @returns what is called with each step's cost, and throws FormatError `limit` where nothing is left
   */
  account(key: number | string): (cost: number) => void {
    if (this.#paid.has(key)) return () => {};
    this.#paid.add(key);
    return cost => {
      this.#left -= cost;
      if (this.#left >= 0) return;
      this.#paid.delete(key);
      // Thousands of parts may ask for what is no longer there: the error is made once.
      this.#error ??= this.#exceeded();
      throw this.#error;
    };
  }
}
