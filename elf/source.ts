import { FormatError } from './errors.js';

/**
 * Random access to the bytes of one input. Parsers see only this, so that they never know whether the bytes are in memory, in a file or
 * behind a decompressor. Reading is synchronous: relocations and strings are resolved while an accessor runs, and an accessor that had to
 * be awaited would make every table a promise.
 */
export interface ByteSource {
  /** The input's name in messages. */
  readonly name: string;
  /** In bytes; at most 2^53 - 1. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`. The bytes may be shared with a cache: do not write to them.
   * @throws FormatError `truncated` when the range is not inside the source, before anything is allocated for it.
   */
  read(offset: number, length: number): Uint8Array;
  /**
   * Fills `target` with the bytes from `offset`, past any cache: what goes over much of an input once needs one buffer for all of it.
   * Without this method, `read` is called.
   * @throws FormatError `truncated`, as `read`
   */
  readInto?(offset: number, target: Uint8Array): void;
  close(): void;
}

/** A source over bytes in memory; `read` gives views of them, not copies. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = 'memory') {
    this.#bytes = bytes;
    this.name = name;
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    return this.#bytes.subarray(offset, offset + length);
  }

  close(): void {}
}

/** Throws `truncated` unless [offset, offset + length) lies in the source. */
export function checkRange(source: { readonly name: string; readonly size: number }, offset: number, length: number): void {
  // The comparison is written so that NaN and negative numbers fail it too.
  if (offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new FormatError('truncated', { name: source.name, offset }, `${length} bytes are needed here, the input has only ${source.size}`);
}
