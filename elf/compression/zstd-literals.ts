import { type BlockBytes, type HuffmanTable, readHuffmanTable, startOfBits } from './zstd-entropy.js';

/** The literals of one block: `size` bytes at `at` of `view`. */
export interface Literals {
  readonly view: DataView;
  readonly at: number;
  readonly size: number;
  /** Where in the block they end. */
  readonly end: number;
}

/** Reads the literals sections of a frame's blocks (RFC 8878, 3.1.1.3.1); a block may go on using the Huffman tree of one before. */
export class LiteralsReader {
  readonly #block: BlockBytes;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #table: HuffmanTable | undefined;

  /** @param largest how many literals a block may have */
  constructor(block: BlockBytes, largest: number) {
    this.#block = block;
    // Copies from it are rounded up.
    this.#bytes = new Uint8Array(largest + 8);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Reads the section at an offset; no more than `largest` literals. */
  read(start: number, end: number, largest: number): Literals {
    const block = this.#block;
    const byte = block.bytes[start]!;
    const word = block.view.getUint32(start, true);
    const type = byte & 3;
    const format = (byte >> 2) & 3;
    if (type < 2) {
      const header = format === 1 ? 2 : format === 3 ? 3 : 1;
      const size = header === 1 ? byte >> 3 : (word & (header === 2 ? 0xffff : 0xffffff)) >>> 4;
      const at = start + header;
      this.#checkSize(start, size, largest);
      const behind = at + (type === 0 ? size : 1);
      if (behind > end) block.fail(start, 'literals go beyond the end of their block');
      if (type === 0) return { view: block.view, at, size, end: behind };
      this.#bytes.fill(block.bytes[at]!, 0, size);
      return { view: this.#view, at: 0, size, end: behind };
    }
    // 10, 14 or 18 bits for each of the two sizes.
    const header = format < 2 ? 3 : format + 2;
    const bits = format < 2 ? 10 : format === 2 ? 14 : 18;
    const mask = (1 << bits) - 1;
    const size = (word >>> 4) & mask;
    const packed = format < 3 ? (word >>> (4 + bits)) & mask : ((word >>> 22) | (block.bytes[start + 4]! << 10)) & mask;
    let at = start + header;
    const behind = at + packed;
    this.#checkSize(start, size, largest);
    if (behind > end) block.fail(start, 'literals go beyond the end of their block');
    if (type === 2) [this.#table, at] = readHuffmanTable(block, at, behind);
    else if (this.#table === undefined) block.fail(start, 'the block reuses the Huffman tree of an earlier block, but there is none');
    if (format === 0) this.#stream(at, behind, 0, size);
    else this.#fourStreams(at, behind, size);
    return { view: this.#view, at: 0, size, end: behind };
  }

  #checkSize(at: number, size: number, largest: number): void {
    if (size > largest) this.#block.fail(at, `${size} literals, but a block has at most ${largest} bytes`);
  }

  #fourStreams(start: number, end: number, size: number): void {
    const { view } = this.#block;
    const quarter = (size + 3) >> 2;
    if (start + 6 > end || 3 * quarter > size) this.#block.fail(start, `four streams for ${size} literals in ${end - start} bytes`);
    let at = start + 6;
    for (let i = 0; i < 4; i++) {
      const behind = i === 3 ? end : at + view.getUint16(start + 2 * i, true);
      if (behind > end) this.#block.fail(start, 'a stream of literals goes beyond the end of its block');
      this.#stream(at, behind, i * quarter, i === 3 ? size : (i + 1) * quarter);
      at = behind;
    }
  }

  /** Decodes one stream to `to` … `until` of the literals. It is read backwards, and has to be used up to the bit. */
  #stream(start: number, end: number, from: number, until: number): void {
    const { view } = this.#block;
    const { entries, maxBits } = this.#table!;
    const bytes = this.#bytes;
    const down = 32 - maxBits;
    const first = start * 8;
    let bit = startOfBits(this.#block, start, end);
    let to = from;
    // A word has 24 bits or more for sure: enough for two codes.
    for (; to < until - 1 && bit >= first; to += 2) {
      const word = view.getUint32((bit >> 3) - 3, true) << (8 - (bit & 7));
      const one = entries[word >>> down]!;
      const used = one & 0xff;
      const two = entries[(word << used) >>> down]!;
      bytes[to] = one >> 8;
      bytes[to + 1] = two >> 8;
      bit -= used + (two & 0xff);
    }
    if (to === until - 1 && bit >= first) {
      const one = entries[(view.getUint32((bit >> 3) - 3, true) << (8 - (bit & 7))) >>> down]!;
      bytes[to] = one >> 8;
      bit -= one & 0xff;
    }
    if (bit !== first) this.#block.fail(start, 'a stream of literals does not end with its last literal');
  }
}
