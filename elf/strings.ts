import { FormatError } from './errors.js';

const decoder = new TextDecoder();

/** Names of the kernel are shorter (KSYM_NAME_LEN); those of C++ may be longer. */
const LONG = 512;
/** Bytes that long names may come to, for each byte of their table, and besides. */
const MOST_OF_TABLE = 16;
const SPARE = 1 << 20;

/**
 * What long names come to: strings of a table may be ends of one another, and any number of rows may have one of a megabyte.
 * @throws FormatError `limit` where the names of rows come to many times their table
 */
export function expectShortNames(bytes: Uint8Array, offsets: ArrayLike<number>, name: string): void {
  if (!hasLong(bytes)) return;
  let left = MOST_OF_TABLE * bytes.length + SPARE;
  for (let row = 0; row < offsets.length && left >= 0; row++) {
    const end = bytes.indexOf(0, offsets[row]!);
    const length = (end < 0 ? bytes.length : end) - offsets[row]!;
    if (length > LONG) left -= length;
  }
  if (left < 0) throw sharedNames(bytes, name);
}

function sharedNames(bytes: Uint8Array, name: string): FormatError {
  return new FormatError('limit', { name }, `the long names in a table of ${bytes.length} bytes come to many times its size`);
}

/** Whether any string is long: steps of that length, each back to the last NUL in it. */
export function hasLong(bytes: Uint8Array): boolean {
  for (let at = 0; at + LONG < bytes.length; ) {
    const last = bytes.lastIndexOf(0, at + LONG);
    if (last < at) return true;
    at = last + 1;
  }
  return false;
}

/** NUL-terminated strings in one block of bytes, found by offset (elf(5), "String and symbol tables"). Decoded on demand. */
export class StringTable {
  readonly bytes: Uint8Array;
  readonly #name: string;
  /** Long strings, decoded once each, and what of them is left to decode. */
  #long: Map<number, string> | undefined;
  #left: number;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.#name = name;
    this.#left = MOST_OF_TABLE * bytes.length + SPARE;
  }

  /** Where the string at `offset` ends. @throws FormatError `out-of-range` when the offset is outside, or no NUL follows */
  end(offset: number): number {
    const { bytes } = this;
    // Most names are short: looking at the bytes beats the call of indexOf.
    const near = Math.min(offset + 32, bytes.length);
    for (let at = offset; at < near; at++) if (bytes[at] === 0) return at;
    const end = offset < bytes.length ? bytes.indexOf(0, offset) : -1;
    if (end < 0)
      throw new FormatError('out-of-range', { name: this.#name, offset }, `no string begins here: the table has ${bytes.length} bytes`);
    return end;
  }

  /** @throws FormatError `out-of-range`; `limit` where long strings lie over each other */
  get(offset: number): string {
    if (offset === 0 && this.bytes.length === 0) return '';
    const end = this.end(offset);
    return end - offset > LONG ? this.#getLong(offset, end) : decoder.decode(this.bytes.subarray(offset, end));
  }

  #getLong(offset: number, end: number): string {
    this.#long ??= new Map();
    let text = this.#long.get(offset);
    if (text === undefined) {
      this.#left -= end - offset;
      if (this.#left < 0) throw sharedNames(this.bytes, this.#name);
      this.#long.set(offset, (text = decoder.decode(this.bytes.subarray(offset, end))));
    }
    return text;
  }
}

/** Another one in each process: names that were made to fall together somewhere else do not here. */
const SEED = 0x811c9dc5 ^ Math.floor(Math.random() * 2 ** 32);

/**
 * FNV-1a over the bytes of a name, from `from` up to its NUL or `to`. Its high bits are mixed down, since tables take the low ones.
 * @returns 32 bits, of either sign
 */
export function hashName(bytes: Uint8Array, from: number, to: number = bytes.length): number {
  const end = Math.min(to, bytes.length);
  let hash = SEED;
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
