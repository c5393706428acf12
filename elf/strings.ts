import { FormatError } from './errors.js';

const decoder = new TextDecoder();

/** NUL-terminated strings in one block of bytes, found by offset (elf(5), "String and symbol tables"). Decoded on demand. */
export class StringTable {
  readonly bytes: Uint8Array;
  readonly #name: string;

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.#name = name;
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

  get(offset: number): string {
    if (offset === 0 && this.bytes.length === 0) return '';
    return decoder.decode(this.bytes.subarray(offset, this.end(offset)));
  }
}

/**
 * FNV-1a over the bytes of a name, from `from` up to its NUL or `to`. Its high bits are mixed down, since tables take the low ones.
 * @returns 32 bits, of either sign
 */
export function hashName(bytes: Uint8Array, from: number, to: number = bytes.length): number {
  const end = Math.min(to, bytes.length);
  let hash = 0x811c9dc5 | 0;
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
