import { asmHeap } from '../asm-heap.js';

/*
 * Looks for any of many words of four bytes, in asm.js: the subset of JavaScript that is compiled ahead of its first call. Why, and by what rules:
 * btf/print/line-kernel.ts. A name that ends a hundred longer ones may be referred to by as many offsets, at any of the 160 million bytes of a
 * kernel's .debug_info.
 *
 * Half of a word tells it from nearly everything: four places are looked at together, and one after the other where one of them has such a half.
 */

interface WordKernel {
  setup(lead: number): void;
  /** Where one of the words has its half, at or behind `at` and in front of `end`; -1 for none. */
  find(at: number, end: number): number;
}

interface Standard {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Uint16Array: Uint16ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
}

/** At the beginning of the heap, for each half: 1 where a word has it. */
const HALVES = 1 << 16;
/** Behind them, for each half: the first word that has it, plus one; and the words, those of a half together. */
const FIRSTS = HALVES;
const LIST: number = FIRSTS + HALVES * 2;

/** Words that are listed at most. */
export const MOST_WORDS = 0xffff;

/** Finds any of some words in bytes that are put into `room`. */
export class WordSearch {
  /** What is looked through. */
  readonly room: Uint8Array;
  readonly #lead: number;
  readonly #kernel: WordKernel;

  /**
   * @param values the words, MOST_WORDS at most
   * @param size bytes that there is to be room for
   */
  constructor(values: readonly number[], littleEndian: boolean, size: number) {
    const room = LIST + (values.length + 1) * 4;
    const heap = asmHeap(room + size);
    // The half with the low bits, of which there are more kinds: in front, or behind two others.
    this.#lead = littleEndian ? 0 : 2;
    const half = (word: number): number => (littleEndian ? word & 0xffff : word >>> 16);
    const view = new DataView(new ArrayBuffer(4));
    const words = new Int32Array(heap, LIST, values.length);
    // The loop reads bytes as a little-endian word, whichever they are.
    values.forEach((value, i) => {
      view.setUint32(0, value % 0x1_0000_0000, littleEndian);
      words[i] = view.getInt32(0, true);
    });
    words.sort((a, b) => half(a) - half(b));
    const known = new Uint8Array(heap, 0, HALVES);
    const firsts = new Uint16Array(heap, FIRSTS, HALVES);
    for (const [i, word] of words.entries()) {
      known[half(word)] = 1;
      firsts[half(word)] ||= i + 1;
    }
    // Ends the last run of words of one half.
    new Int32Array(heap, room - 4, 1)[0] = ~(words.at(-1) ?? 0);
    this.room = new Uint8Array(heap, room, size);
    this.#kernel = WordsInAsm(globalThis, {}, heap);
    this.#kernel.setup(this.#lead);
  }

  /** Where one of them stands in the first `length` bytes of `room`, from `from` on; -1 for none. */
  find(from: number, length: number): number {
    const lead = this.#lead;
    const start = this.room.byteOffset + lead;
    const at = this.#kernel.find(start + from, start + length - 3);
    return at < 0 ? -1 : at - start;
  }
}

function WordsInAsm(stdlib: Standard, _: object, heap: ArrayBuffer): WordKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var u16 = new stdlib.Uint16Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var lead = 0;
  var shift = 0;

  function setup(a: number): void {
    a = a | 0;
    lead = a;
    shift = a << 3;
  }

  /** Whether the word whose half is at a place is listed. */
  function listed(at: number): number {
    at = at | 0;
    var place = 0;
    var word = 0;
    var other = 0;
    // 0x10000: FIRSTS; 0x30000: LIST.
    place = u16[(0x10000 + ((u8[at >> 0]! | (u8[(at + 1) >> 0]! << 8)) << 1)) >> 1]! | 0;
    if (!place) return 0;
    place = (0x30000 + ((place - 1) << 2)) | 0;
    at = (at - lead) | 0;
    word = u8[at >> 0]! | (u8[(at + 1) >> 0]! << 8) | (u8[(at + 2) >> 0]! << 16) | (u8[(at + 3) >> 0]! << 24);
    do {
      other = i32[place >> 2]! | 0;
      if ((other | 0) == (word | 0)) return 1;
      place = (place + 4) | 0;
    } while (!(((other ^ word) >>> shift) & 0xffff));
    return 0;
  }

  function find(at: number, end: number): number {
    at = at | 0;
    end = end | 0;
    var four = 0;
    var aside = 0;
    while ((at | 0) < (end | 0)) {
      four = 0;
      aside = 1;
      if (!(at & 3)) {
        if (((end - at) | 0) > 7) {
          aside = 0;
          four = i32[at >> 2]! | 0;
          four =
            u8[(four & 0xffff) >> 0]! |
            u8[((four >>> 8) & 0xffff) >> 0]! |
            u8[(four >>> 16) >> 0]! |
            u8[((four >>> 24) | (u8[(at + 4) >> 0]! << 8)) >> 0]!;
        }
      }
      if (aside | four) if (listed(at) | 0) return at | 0;
      if (four) {
        if (listed((at + 1) | 0) | 0) return (at + 1) | 0;
        if (listed((at + 2) | 0) | 0) return (at + 2) | 0;
        if (listed((at + 3) | 0) | 0) return (at + 3) | 0;
      }
      at = (at + (aside ? 1 : 4)) | 0;
    }
    return -1;
  }

  return { setup: setup, find: find };
}
