import { FormatError } from '../elf/errors.js';

/** The longest expansion of a symbol that is accepted; KSYM_NAME_LEN is 512 since 6.1, with the letter and the NUL. */
const LONGEST = 1024;
/**
 * Names take two to three times the space of their tokens; what takes more than this many times is damage, or made to exhaust the memory.
 */
const MOST_EXPANSION = 32;
/** A few hundred times what the largest kernel has. */
const MOST_BYTES = 2 ** 31;

/** Tables begin at multiples of 4, 8, 16 or 256 bytes. */
const WIDEST_PADDING = 256;

/** The 256 strings that bytes of packed names stand for. */
export interface Tokens {
  readonly bytes: Uint8Array;
  /** Where each begins, and where it ends. */
  readonly start: Uint16Array;
  readonly end: Uint32Array;
}

/** Packed names: each is a length, and as many tokens. */
export interface PackedNames {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly tokens: Tokens;
  /** Where each 256th begins; -1 where that is unknown. */
  readonly markers: Int32Array;
}

/** Columns of names and their letters. */
export interface Names {
  /** The letters, as character codes. */
  readonly type: Uint8Array;
  /** Where each name begins in `strings`, NUL-terminated. */
  readonly nameOffset: Uint32Array;
  readonly strings: Uint8Array;
}

/**
 * Unpacks the names of a kernel (kallsyms_expand_symbol() in kernel/kallsyms.c).
 * @param place what the names are called in messages
 * @throws FormatError `bad-value` for a name that is cut off, `limit` for lengths that no kernel has
 */
export function unpackNames(packed: PackedNames, place: { readonly name: string }): Names {
  const { count, bytes } = packed;
  const { bytes: texts, start, end } = packed.tokens;
  const long = lengthsAreLong(packed);
  const most = Math.min(bytes.length * MOST_EXPANSION + LONGEST, MOST_BYTES);
  const type = new Uint8Array(count);
  const nameOffset = new Uint32Array(count);
  let strings = new Uint8Array(Math.min(bytes.length * 3, most) + LONGEST);
  let at = 0;
  let to = 0;
  for (let row = 0; row < count; row++) {
    const offset = at;
    const length = at < bytes.length ? lengthAt(bytes, at, long) : 0;
    at += long && at < bytes.length && bytes[at]! > 0x7f ? 2 : 1;
    const next = at + length;
    if (length === 0 || next > bytes.length) {
      const left = bytes.length - offset;
      throw new FormatError('bad-value', { ...place, offset }, `symbol ${row} has ${length} tokens, ${left} bytes are left`);
    }
    if (to > most) throw new FormatError('limit', { ...place, offset }, `the names unpack to more than ${most} bytes`);
    if (to + LONGEST > strings.length) strings = enlarged(strings, most + LONGEST);
    const begin = to;
    for (; at < next; at++) {
      const token = bytes[at]!;
      const stop = end[token]!;
      let from = start[token]!;
      if (to - begin + stop - from >= LONGEST)
        throw new FormatError('limit', { ...place, offset }, `symbol ${row} expands to more than ${LONGEST} bytes`);
      while (from < stop) strings[to++] = texts[from++]!;
    }
    // The letter stays where it is: the name begins after it.
    type[row] = strings[begin]!;
    nameOffset[row] = begin + 1;
    // A symbol of empty tokens has a NUL for its letter, and one for its name.
    if (to === begin) strings[to++] = 0;
    strings[to++] = 0;
  }
  return { type, nameOffset, strings: strings.subarray(0, to) };
}

/** Twice the space, or `most`, with what there is. */
function enlarged(strings: Uint8Array, most: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(strings.length * 2, most));
  larger.set(strings);
  return larger;
}

/** How many tokens a name has. A length of two bytes has the lower seven bits first. */
function lengthAt(bytes: Uint8Array, at: number, long: boolean): number {
  const first = bytes[at]!;
  if (!long || first < 0x80) return first;
  return (first & 0x7f) | (at + 1 < bytes.length ? bytes[at + 1]! << 7 : 0);
}

/**
 * Whether a length byte above 127 means that a second byte follows (6.1 and later, 73bbb94466fd). The markers tell: only the right reading
 * arrives at each of them, and at the end.
 */
function lengthsAreLong(packed: PackedNames): boolean {
  return arrives(packed, true) || !arrives(packed, false);
}

function arrives({ count, bytes, markers }: PackedNames, long: boolean): boolean {
  let at = 0;
  for (let row = 0; row < count; row++) {
    if ((row & 255) === 0 && markers[row >> 8] !== at) return false;
    if (at >= bytes.length) return false;
    at += lengthAt(bytes, at, long) + (long && bytes[at]! > 0x7f ? 2 : 1);
    if (at > bytes.length) return false;
  }
  // What is left fills up to the next table.
  for (let left = at; left < bytes.length; left++) if (bytes[left] !== 0) return false;
  return bytes.length - at < WIDEST_PADDING;
}
