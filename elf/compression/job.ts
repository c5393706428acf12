import { FormatError, type FormatErrorCode } from '../errors.js';
import type { Output } from './output.js';

/** What a decoder works on: the packed bytes, and where the unpacked ones go. */
export class Job {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly name: string;
  readonly output: Output;
  /** Other data may follow what is packed. */
  readonly ignoreTrailing: boolean;
  readonly #onProgress: ((consumed: number, total: number) => void) | undefined;

  constructor(
    bytes: Uint8Array,
    name: string,
    output: Output,
    ignoreTrailing: boolean,
    onProgress?: (consumed: number, total: number) => void,
  ) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.name = name;
    this.output = output;
    this.ignoreTrailing = ignoreTrailing;
    this.#onProgress = onProgress;
  }

  /** The byte at an offset. @throws FormatError `truncated` */
  u8(offset: number): number {
    this.need(offset, 1);
    return this.bytes[offset]!;
  }

  /** The little-endian word at an offset. @throws FormatError `truncated` */
  u32(offset: number): number {
    this.need(offset, 4);
    return this.view.getUint32(offset, true);
  }

  /** Are the four bytes at an offset this little-endian word? False past the end. */
  startsWith(offset: number, word: number): boolean {
    return offset + 4 <= this.bytes.length && this.view.getUint32(offset, true) === word;
  }

  /** @throws FormatError `truncated` if fewer than `length` bytes are at an offset */
  need(offset: number, length: number): void {
    if (offset + length > this.bytes.length) {
      this.fail('truncated', offset, `${length} bytes are needed here, ${Math.max(0, this.bytes.length - offset)} are left`);
    }
  }

  fail(code: FormatErrorCode, offset: number, message: string): never {
    throw new FormatError(code, { name: this.name, offset: Math.min(offset, this.bytes.length) }, message);
  }

  /** What is packed ends here: true unless more of the same format is to be read. @throws FormatError `corrupt` for trailing bytes */
  endsAt(offset: number, another: boolean): boolean {
    if (offset === this.bytes.length) return true;
    if (another) return false;
    if (this.ignoreTrailing) return true;
    return this.fail('corrupt', offset, `${this.bytes.length - offset} bytes follow the end of the packed data`);
  }

  /** Tells whoever waits how many of the packed bytes are done. */
  progress(consumed: number): void {
    this.#onProgress?.(consumed, this.bytes.length);
  }
}
