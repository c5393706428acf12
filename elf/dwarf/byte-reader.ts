import { FormatError, type FormatErrorCode } from '../errors.js';

/**
 * Reads the numbers of DWARF one after another, bounded by `end`. Cursor's sibling for loops over millions of entries: plain fields,
 * numbers where Cursor gives bigints, and addresses as a distance.
 *
 * **Addresses as distances.** A kernel's addresses do not fit in a number, and a bigint costs an allocation each. What is read here is the
 * address less an origin, the lowest address of the image, which fits in 53 bits for everything that belongs to the image. Other words (the
 * zero or -1 that a linker writes for code it dropped) keep the right sign and magnitude, so that they lie outside every range.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** What the bytes are, for messages: `vmlinux: .debug_info`. */
  readonly name: string;
  /** Offset of the first byte in what `name` names. */
  readonly base: number;
  /** Index in `bytes` of the next value. */
  pos: number;
  /** Index in `bytes` after the last value that may be read. */
  end: number;

  constructor(bytes: Uint8Array, littleEndian: boolean, name: string, base = 0) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.name = name;
    this.base = base;
    this.pos = 0;
    this.end = bytes.length;
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.pos++]!;
  }

  u16(): number {
    this.need(2);
    const { bytes } = this;
    const at = this.pos;
    this.pos = at + 2;
    return this.littleEndian ? bytes[at]! | (bytes[at + 1]! << 8) : (bytes[at]! << 8) | bytes[at + 1]!;
  }

  u24(): number {
    const first = this.u8();
    const second = this.u16();
    return this.littleEndian ? first | (second << 8) : (first << 16) | second;
  }

  u32(): number {
    this.need(4);
    const { bytes } = this;
    const at = this.pos;
    this.pos = at + 4;
    return this.littleEndian
      ? (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
      : ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** 64 bits as a number: rounded above 2^53. */
  u64(): number {
    const first = this.u32();
    const second = this.u32();
    return this.littleEndian ? second * 0x1_0000_0000 + first : first * 0x1_0000_0000 + second;
  }

  /** An unsigned value of 1, 2, 3, 4 or 8 bytes. */
  unsigned(size: number): number {
    switch (size) {
      case 1:
        return this.u8();
      case 2:
        return this.u16();
      case 3:
        return this.u24();
      case 4:
        return this.u32();
      default:
        return this.u64();
    }
  }

  /** An address, as its distance from an origin whose halves are given. */
  distance(size: number, originLow: number, originHigh: number): number {
    if (size !== 8) return this.unsigned(size) - originLow - originHigh * 0x1_0000_0000;
    const first = this.u32();
    const second = this.u32();
    return this.littleEndian
      ? (second - originHigh) * 0x1_0000_0000 + (first - originLow)
      : (first - originHigh) * 0x1_0000_0000 + (second - originLow);
  }

  /** ULEB128, §7.6, rounded above 2^53. @throws FormatError for one of more than 64 bits */
  uleb(): number {
    const { bytes, end } = this;
    let at = this.pos;
    if (at < end && bytes[at]! < 0x80) {
      this.pos = at + 1;
      return bytes[at]!;
    }
    let value = 0;
    let factor = 1;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      // Padding with zeros is allowed; bits above the 64th are not.
      if ((byte & 0x7f) !== 0) {
        if (factor > 2 ** 63) this.fail('bad-value', 'a LEB128 number of more than 64 bits');
        value += (byte & 0x7f) * factor;
      }
      if (byte < 0x80) {
        this.pos = at + 1;
        return value;
      }
      if (factor <= 2 ** 63) factor *= 128;
    }
    return this.fail('truncated', 'a LEB128 number goes beyond the end');
  }

  /** SLEB128, §7.6, rounded beyond 2^53. */
  sleb(): number {
    const start = this.pos;
    const value = this.uleb();
    const length = this.pos - start;
    const negative = (this.bytes[this.pos - 1]! & 0x40) !== 0;
    if (!negative) return value;
    // The sum less 2^(7 n) is exact as long as the sum is.
    if (length <= 7) return value - 2 ** (7 * length);
    return Number(BigInt.asIntN(64, this.#signExtended(start)));
  }

  #signExtended(start: number): bigint {
    let value = 0n;
    let shift = 0n;
    for (let at = start; at < this.pos && shift < 70n; at++, shift += 7n) value |= BigInt(this.bytes[at]! & 0x7f) << shift;
    return shift < 64n ? value - (1n << shift) : value;
  }

  /** Skips a LEB128 number. */
  skipLeb(): void {
    const { bytes, end } = this;
    let at = this.pos;
    while (at < end && bytes[at]! >= 0x80) at++;
    if (at >= end) this.fail('truncated', 'a LEB128 number goes beyond the end');
    this.pos = at + 1;
  }

  /** Skips a string and its NUL. @returns where it begins */
  skipString(): number {
    const start = this.pos;
    const nul = this.bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.end) this.fail('truncated', 'a string goes beyond the end');
    this.pos = nul + 1;
    return start;
  }

  skip(length: number): void {
    this.need(length);
    this.pos += length;
  }

  /** Throws `truncated` unless so many bytes are left. */
  need(length: number): void {
    if (!(length >= 0 && this.pos + length <= this.end)) {
      this.fail('truncated', `${length} bytes are needed here, ${Math.max(0, this.end - this.pos)} are left`);
    }
  }

  /** Throws a FormatError at the next value. */
  fail(code: FormatErrorCode, message: string): never {
    throw new FormatError(code, { name: this.name, offset: this.base + this.pos }, message);
  }
}

/** The length before a unit of any section, §7.4: 32-bit DWARF, or 64-bit DWARF behind 0xffffffff. */
export function readUnitLength(reader: ByteReader): { readonly length: number; readonly offsetSize: 4 | 8 } {
  const length = reader.u32();
  if (length < 0xfffffff0) return { length, offsetSize: 4 };
  if (length !== 0xffffffff) reader.fail('bad-value', `0x${length.toString(16)} is not a unit length`);
  return { length: reader.u64(), offsetSize: 8 };
}
