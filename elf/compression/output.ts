import { FormatError } from '../errors.js';

/** Room after the capacity, so that copies may be rounded up to whole words. */
const SLACK = 8;
/**
 * Where nothing says how much comes out, room for this many times the packed bytes is made at first: images pack to a quarter or a seventh.
 */
const GUESSED_RATIO = 8;
/** A size word or hint is believed up to this many bytes for each packed byte; beyond that the room grows with what comes out. */
const BELIEVED_RATIO = 16;
const SMALLEST = 1 << 16;
/** Results below this size are worth a copy, which frees their room. */
const SMALL = 1 << 20;

/**
 * Where a decoder puts what it unpacks: one run of bytes that serves as its dictionary too. It grows by doubling, and starts with what a
 * size word says only as far as the packed bytes make that likely: a word that lies costs nothing.
 */
export class Output {
  /** The room: `capacity` bytes and some that may be written, and mean nothing. It is another array after `grow`. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes, for words. */
  view: DataView = new DataView(this.bytes.buffer);
  /** How many bytes have been unpacked. */
  length = 0;
  /** How many fit before the room has to grow. */
  capacity = 0;
  readonly #name: string;
  readonly #limit: number;
  readonly #packed: number;
  readonly #assumed: boolean;
  #hint: number;

  /**
   * @param name what is unpacked, for messages
   * @param packed length of the packed bytes
   * @param limit most bytes that may come out
   * @param hint how many bytes the caller expects
   * @param assumed whether the limit is one that the caller has not given, and may raise
   */
  constructor(name: string, packed: number, limit: number, hint = 0, assumed = false) {
    this.#name = name;
    this.#limit = limit;
    this.#packed = packed;
    this.#hint = hint;
    this.#assumed = assumed;
  }

  /** Says how many more bytes the input itself promises; only the first room that is made depends on it. */
  expect(size: number): void {
    if (this.#hint === 0) this.#hint = size;
  }

  /**
   * How many bytes the first room holds: what was promised, as far as that is to be believed. Memory that is never written to is not used
   * up, a copy to a larger room is.
   */
  get firstRoom(): number {
    const believed = Math.max(SMALLEST, this.#packed * BELIEVED_RATIO);
    return Math.min(this.#hint || this.#packed * GUESSED_RATIO, believed, this.#limit);
  }

  /**
   * Makes room for `more` bytes in all, or as many as the limit leaves: the decoder sees `capacity` and calls `exceed` when it is not
   * enough.
   */
  reserve(more: number): void {
    const needed = Math.min(this.length + more, this.#limit);
    if (needed <= this.capacity) return;
    // A decoder asks for the most that a block may need: the first room has that beyond what is expected, so that the last block fits too.
    const capacity = Math.min(Math.max(needed, this.capacity === 0 ? this.firstRoom + more : this.capacity * 2), this.#limit);
    const bytes = allocate(capacity + SLACK, this.#name);
    bytes.set(this.bytes.subarray(0, this.length));
    this.#use(bytes, capacity);
  }

  /** Takes bytes that another decoder has unpacked; without a copy when they are the first, and most of the room they are in. */
  append(bytes: Uint8Array): void {
    if (this.capacity === 0) {
      this.#use(bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes, bytes.length);
    } else {
      this.reserve(bytes.length);
      this.bytes.set(bytes, this.length);
    }
    this.length += bytes.length;
  }

  /** How many more bytes the limit allows. */
  get left(): number {
    return this.#limit - this.length;
  }

  /** Throws FormatError: `limit` if `length` bytes are more than may come out, else `corrupt` with the given words. */
  exceed(length: number, offset: number, otherwise: string): never {
    const place = { name: this.#name, offset };
    if (length > this.#limit) {
      const raise = this.#assumed ? ` for ${this.#packed} packed bytes; the option \`limit\` raises it` : '';
      throw new FormatError('limit', place, `unpacks to more than ${this.#limit} bytes, the limit${raise}`);
    }
    throw new FormatError('corrupt', place, otherwise);
  }

  /** The bytes that were unpacked, in an array of their own if they are few in a large room. */
  finish(): Uint8Array {
    const { bytes, length } = this;
    return length * 2 < this.capacity && length < SMALL ? bytes.slice(0, length) : bytes.subarray(0, length);
  }

  #use(bytes: Uint8Array, capacity: number): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.capacity = capacity;
  }
}

/** An engine without the memory, or with a lower limit of its own, throws a RangeError. */
function allocate(length: number, name: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw new FormatError('limit', { name, offset: 0 }, `not enough memory for ${length} unpacked bytes`, { cause: error });
  }
}
