import { asmHeap } from '../../elf/asm-heap.js';
import { FormatError } from '../../elf/errors.js';
import type { BtfBlob } from '../blob.js';
import { RECORD_WORDS } from '../wire.js';

/** What may be put beyond the end of the output before the next look at where it stands. */
const SLACK = 1 << 12;
const LIMIT = 1 << 30;

/** The records of one layer of a blob on a heap. */
interface Layer {
  readonly firstId: number;
  readonly count: number;
  /** The address of the first record. */
  readonly start: number;
}

/** A blob and its bases in one ArrayBuffer, for the loops in asm.js, which know no other memory. Places are addresses: bytes from its start. */
export class BlobHeap {
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** A word for each id: where in its layer its record is, as an index of words. Void is a layer of its own, with a record of zeros. */
  readonly records: number;
  readonly layers: readonly Layer[];
  /** The strings: the one at an offset stands as many bytes behind. */
  readonly strings: number;
  /** Where output is put, and from where on it is to be written out. */
  readonly output: number;
  readonly end: number;
  readonly #tables: number;
  #taken = 8;

  /**
   * @param tables bytes for {@link take}. Those that are never touched cost nothing.
   * @param room bytes of output that are gathered before they are written
   * @throws FormatError `limit` for more than a gigabyte
   */
  constructor(blob: BtfBlob, tables: number, room: number) {
    const blobs: BtfBlob[] = [];
    for (let layer: BtfBlob | undefined = blob; layer !== undefined; layer = layer.base) blobs.unshift(layer);
    this.#tables = align(tables);
    this.records = this.#tables;
    const types = this.records + blob.count * 4;
    this.strings = types + blobs.reduce((sum, { words }) => sum + words.length, RECORD_WORDS) * 4;
    // Behind the strings is a NUL, whatever the last of them ends with.
    this.output = align(this.strings + blob.strings.end + 1);
    this.end = this.output + room;
    const size = this.end + SLACK;
    if (size > LIMIT) throw new FormatError('limit', { name: blob.name }, `a dump is made of at most ${LIMIT} bytes of types and strings`);
    this.buffer = asmHeap(size);
    this.bytes = new Uint8Array(this.buffer);
    this.words = new Int32Array(this.buffer);
    const layers: Layer[] = [{ firstId: 0, count: 1, start: types }];
    let start = types + RECORD_WORDS * 4;
    for (const { words, offsets, strings, firstId, count } of blobs) {
      layers.push({ firstId, count, start });
      this.words.set(offsets, (this.records >> 2) + firstId);
      this.words.set(words, start >> 2);
      this.bytes.set(strings.bytes, this.strings + strings.start);
      start += words.length * 4;
    }
    this.layers = layers;
  }

  /** The address of that many bytes, all zero. */
  take(bytes: number): number {
    const start = this.#taken;
    this.#taken = align(start + bytes);
    if (this.#taken > this.#tables) throw new RangeError(`${this.#tables} bytes are too few for the tables`);
    return start;
  }

  /** The address of an ASCII text, with a NUL behind it. */
  text(text: string): number {
    const start = this.take(text.length + 1);
    this.put(start, text);
    return start;
  }

  /** Writes an ASCII text. @returns the address behind it */
  put(at: number, text: string): number {
    for (let i = 0; i < text.length; i++) this.bytes[at + i] = text.charCodeAt(i);
    return at + text.length;
  }

  /** The output up to `at`: valid until more is put. */
  outputTo(at: number): Uint8Array {
    return this.bytes.subarray(this.output, at);
  }
}

function align(address: number): number {
  return Math.ceil(address / 8) * 8;
}
