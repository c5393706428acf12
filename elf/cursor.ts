import { FormatError, type FormatErrorCode } from './errors.js';

/**
 * Reads numbers one after another from bytes, in either byte order. It remembers where the last value began, so that an error about a value
 * names the value's own offset (drgn's binary_buffer has the idea).
 */
export class Cursor {
  /** Offset of the next value. */
  pos = 0;
  /** Offset of the last value that was read. */
  last = 0;
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly name: string;
  readonly #view: DataView;
  readonly #base: number;

  /**
   * @param name what the bytes are, for messages
   * @param base offset of the first byte in what `name` names
   */
  constructor(bytes: Uint8Array, littleEndian: boolean, name: string, base = 0) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.name = name;
    this.#base = base;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.bytes.length - this.pos;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), this.littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), this.littleEndian);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), this.littleEndian);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), this.littleEndian);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), this.littleEndian);
  }

  /** An address-sized value: 64 bits when `wide`, else 32. */
  address(wide: boolean): bigint {
    return wide ? this.u64() : BigInt(this.u32());
  }

  /** A file offset or a size as a number. @throws FormatError `out-of-range` above 2^53 - 1. */
  offset(wide: boolean): number {
    if (!wide) return this.u32();
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      this.fail('out-of-range', `0x${value.toString(16)} is too large for a file offset or size`);
    return Number(value);
  }

  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** Throws a FormatError at the last value. */
  fail(code: FormatErrorCode, message: string): never {
    throw new FormatError(code, { name: this.name, offset: this.#base + this.last }, message);
  }

  #advance(length: number): number {
    const start = this.pos;
    this.last = start;
    if (!(length >= 0 && start + length <= this.bytes.length)) {
      this.fail('truncated', `${length} bytes are needed here, ${this.bytes.length - start} are left`);
    }
    this.pos = start + length;
    return start;
  }
}
