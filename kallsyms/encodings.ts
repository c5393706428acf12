import { HOST_LITTLE_ENDIAN, type Words } from '../elf/words.js';

/** How a table keeps its addresses; the names are those of scripts/kallsyms.c's options. */
export type AddressEncoding = 'absolute' | 'base-relative' | 'absolute-percpu' | 'place-relative';

/** The halves of an address. */
interface Base {
  readonly low: number;
  readonly high: number;
}

/** One way to keep addresses in words of 32 bits, which are given signed. */
interface Encoding {
  /** Whether the addresses that the words stand for ascend, from a first one that is where it can be: the table is sorted by them. */
  ascends(words: Int32Array): boolean;
  /** How far the last address, which is the farthest, is from what all are relative to; absent where the words may stand before it. */
  readonly span?: (words: Int32Array) => number;
  /** Makes the addresses (kallsyms_sym_address()). @param base `kallsyms_relative_base`, or of `place-relative` where the first word stands */
  place(words: Int32Array, base: Base, address: Words): void;
}

/** Bytes of a word of a table. */
export function widthOf(encoding: AddressEncoding, wordSize: number): number {
  return encoding === 'absolute' ? wordSize : 4;
}

/** Words of 32 bits, signed. */
export function readWords(bytes: Uint8Array, littleEndian: boolean): Int32Array {
  const words = new Int32Array(bytes.length >>> 2);
  if (HOST_LITTLE_ENDIAN === littleEndian) new Uint8Array(words.buffer).set(bytes);
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < words.length; i++) words[i] = view.getInt32(i * 4, littleEndian);
  }
  return words;
}

/** No image is larger: its first symbol is nearer to the table than this. */
const FARTHEST = 1 << 28;

/** What kelf knows of each encoding. The words of `absolute` are addresses of 32 bits; those of 64 bits are read as they are. */
export const ENCODINGS: Readonly<Record<AddressEncoding, Encoding>> = {
  'place-relative': {
    // The first symbol is before the table, and not far.
    ascends: words => isBeforeTable(words[0]!) && inOrder(words, i => words[i]! + i * 4),
    span: words => (words.length - 1) * 4 + words[words.length - 1]!,
    place(words, { low, high }, address) {
      for (let i = 0; i < words.length; i++) address.setSum(i, low, high, i * 4 + words[i]!);
    },
  },
  'base-relative': {
    // The base is the first symbol there was before those out of text were left out (record_relative_base()).
    ascends: words => words[0]! >= 0 && words[0]! < FARTHEST && inOrder(words, i => words[i]! >>> 0),
    span: words => words[words.length - 1]! >>> 0,
    place(words, { low, high }, address) {
      for (let i = 0; i < words.length; i++) address.setSum(i, low, high, words[i]! >>> 0);
    },
  },
  'absolute-percpu': {
    // Percpu symbols of x86-64 have small positive words, which are their addresses; all others are counted down from the base, from -1.
    ascends: words => words[words.length - 1]! < 0 && inOrder(words, i => (words[i]! >= 0 ? words[i]! - 2 ** 32 : ~words[i]!)),
    place(words, { low, high }, address) {
      for (let i = 0; i < words.length; i++) {
        const word = words[i]!;
        if (word < 0) address.setSum(i, low, high, ~word);
        else address.set(i, word, 0);
      }
    },
  },
  absolute: {
    ascends: words => inOrder(words, i => words[i]! >>> 0),
    place(words, _base, address) {
      for (let i = 0; i < words.length; i++) address.set(i, words[i]!, 0);
    },
  },
};

/**
 * The encoding of `kallsyms_offsets` of a kernel whose labels are known, told from the data: only x86-64's percpu encoding has mostly negative
 * words. Without a base they are relative to their own place, or, in 32-bit kernels without CONFIG_RELOCATABLE, they are the addresses
 * (a081b5789255): the first symbol, which is before the table, tells.
 */
export function encodingOf(words: Int32Array, hasBase: boolean, wordSize: number): AddressEncoding {
  if (!hasBase) return wordSize === 8 || isBeforeTable(words[0]!) ? 'place-relative' : 'absolute';
  let negative = 0;
  for (let i = 0; i < words.length; i++) if (words[i]! < 0) negative++;
  return negative * 2 > words.length ? 'absolute-percpu' : 'base-relative';
}

function isBeforeTable(first: number): boolean {
  return first < 0 && first > -FARTHEST;
}

function inOrder(words: Int32Array, value: (i: number) => number): boolean {
  let last = value(0);
  let distinct = 0;
  for (let i = 1; i < words.length; i++) {
    const next = value(i);
    if (next < last) return false;
    if (next > last) distinct++;
    last = next;
  }
  return isTable(distinct, words.length);
}

/** Padding is in order too. */
export function isTable(distinct: number, count: number): boolean {
  return distinct * 2 > count;
}
