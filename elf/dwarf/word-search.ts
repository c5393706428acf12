/** Words that are listed at most. */
export const MOST_WORDS = 0xffff;

/** The values of half a word. */
const HALVES = 1 << 16;

/**
 * Looks for any of many words of four bytes, at any place: a name that ends a hundred longer ones may be referred to by as many offsets,
 * anywhere in the 160 million bytes of a kernel's .debug_info. Half of a word tells it from nearly everything: only where one of them has
 * that half, all of it is read.
 */
export class WordSearch {
  /** Where in a word the half with the low bits stands, of which there are more kinds. */
  readonly #lead: 0 | 2;
  /**
   * For each half, read with its first byte as the low one: 1 where a word has it. A table of bytes, for it is looked at for each place.
   */
  readonly #known = new Uint8Array(HALVES);
  /** For each half, the index in `words` of the first word that has it. */
  readonly #firsts = new Uint16Array(HALVES);
  /** The words, read with their first byte as the low one; those of a half together. */
  readonly #words: Int32Array;

  /** @param values the words, MOST_WORDS at most */
  constructor(values: readonly number[], littleEndian: boolean) {
    this.#lead = littleEndian ? 0 : 2;
    const view = new DataView(new ArrayBuffer(4));
    this.#words = Int32Array.from(values, value => {
      view.setUint32(0, value % 0x1_0000_0000, littleEndian);
      return view.getInt32(0, true);
    }).sort((a, b) => this.#half(a) - this.#half(b));
    for (let i = this.#words.length - 1; i >= 0; i--) {
      const half = this.#half(this.#words[i]!);
      this.#known[half] = 1;
      this.#firsts[half] = i;
    }
  }

  /** Where one of them is in `bytes`, from `from` on; -1 for none. */
  find(bytes: Uint8Array, from: number): number {
    const end = bytes.length - 3;
    for (let at = from; at < end; ) {
      at += skip(bytes, at + this.#lead, this.#known);
      for (const stop = Math.min(at + 4, end); at < stop; at++) if (this.#isWord(bytes, at)) return at;
    }
    return -1;
  }

  #isWord(bytes: Uint8Array, at: number): boolean {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const half = this.#half(word);
    if (this.#known[half] === 0) return false;
    const words = this.#words;
    for (let i = this.#firsts[half]!; i < words.length && this.#half(words[i]!) === half; i++) if (words[i] === word) return true;
    return false;
  }

  #half(word: number): number {
    return (word >>> (this.#lead * 8)) & 0xffff;
  }
}

/** How many bytes from `start` on begin no known half. They are looked at in fours: most of a section goes through here. */
function skip(bytes: Uint8Array, start: number, known: Uint8Array): number {
  const end = bytes.length - 4;
  let at = start;
  let first = bytes[at]!;
  while (at < end) {
    const second = bytes[at + 1]!;
    const third = bytes[at + 2]!;
    const fourth = bytes[at + 3]!;
    const next = bytes[at + 4]!;
    if (
      (known[first | (second << 8)]! | known[second | (third << 8)]! | known[third | (fourth << 8)]! | known[fourth | (next << 8)]!) !==
      0
    )
      break;
    first = next;
    at += 4;
  }
  return at - start;
}
