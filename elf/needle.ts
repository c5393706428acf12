/** Bytes whose frequencies are counted, before one is searched for. */
export const SAMPLE: number = 1 << 14;

/**
 * From seven bytes on, Node searches by a table of how far it may skip (V8's string-search.h). With a name in front of us that is slower
 * than its search for shorter ones, which goes from one place of the first byte to the next.
 */
const MOST_SEARCHED = 6;

/**
 * A run of bytes to look for. What is searched for is a part of it that begins with its rarest byte: words begin with zeros, or with `e`.
 */
export class Needle {
  readonly #bytes: Uint8Array;
  /** Where the part begins. */
  readonly #skip: number;
  readonly #part: Uint8Array;
  /** What was searched last, and what searches it. */
  #last: Uint8Array | undefined;
  #search: Search | undefined;

  /**
   * @param bytes one at least
   * @param sample of what it is searched for in
   */
  constructor(bytes: Uint8Array, sample: Uint8Array) {
    const counts = new Uint32Array(256);
    for (let i = 0; i < sample.length && i < SAMPLE; i++) counts[sample[i]!]!++;
    let skip = 0;
    // A part of one byte would be found all over.
    for (let i = 1; i < bytes.length - 1; i++) if (counts[bytes[i]!]! < counts[bytes[skip]!]!) skip = i;
    this.#bytes = bytes;
    this.#skip = skip;
    this.#part = bytes.subarray(skip, skip + MOST_SEARCHED);
  }

  /** Its first place in `bytes` from `from` on; -1 for none. */
  find(bytes: Uint8Array, from: number): number {
    const needle = this.#bytes;
    const last = bytes.length - needle.length;
    if (bytes !== this.#last || this.#search === undefined) {
      this.#last = bytes;
      this.#search = searchIn(bytes);
    }
    const search = this.#search;
    for (let at = search(this.#part, from + this.#skip); at >= 0; at = search(this.#part, at + 1)) {
      const start = at - this.#skip;
      if (start > last) return -1;
      let i = 0;
      while (i < needle.length && bytes[start + i] === needle[i]) i++;
      if (i === needle.length) return start;
    }
    return -1;
  }
}

/** Finds the first place of a run of bytes, one at least, at or behind `from`; -1 for none. */
export type Search = (needle: Uint8Array, from: number) => number;

/** What searches some bytes fastest. Node's Buffer does it by the processor's wide instructions, ten times as fast as a loop. */
export function searchIn(bytes: Uint8Array): Search {
  // Reached without an import, so that this floor loads in a browser.
  const host = globalThis as { Buffer?: { from(buffer: ArrayBufferLike, start: number, length: number): { indexOf: Search } } };
  const view = host.Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return view === undefined ? (needle, from) => indexOfBytes(bytes, needle, from) : (needle, from) => view.indexOf(needle, from);
}

/** Where a run of at least one byte occurs at or after `from`; -1 if it does not occur. */
export function indexOfBytes(bytes: Uint8Array, needle: Uint8Array, from = 0): number {
  const last = bytes.length - needle.length;
  for (let at = bytes.indexOf(needle[0]!, from); at >= 0 && at <= last; at = bytes.indexOf(needle[0]!, at + 1)) {
    let i = 1;
    while (i < needle.length && bytes[at + i] === needle[i]) i++;
    if (i === needle.length) return at;
  }
  return -1;
}
