import { Cursor } from './cursor.js';
import { FormatError } from './errors.js';
import type { ElfHeader } from './header.js';
import { Words } from './words.js';

/** What tables of tiny files may stand for besides. */
const SPARE = 1 << 12;

/**
 * The addresses that a RELR section relocates. gABI, "Relative Relocation Table": an even word is an address; an odd one is a bitmap of the
 * 63 (31) words after the last address, from its second bit on. They are decoded in pieces: a bitmap of eight bytes stands for up to 63
 * addresses.
 */
export class RelrTable {
  /** How many addresses there are. */
  readonly count: number;
  readonly #cursor: Cursor;
  readonly #is64: boolean;
  readonly #size: number;
  readonly #entries: number;
  // Where the last piece ended: an entry, the number of the first address that it stands for, and the place that a bitmap there begins at.
  #entry = 0;
  #at = 0;
  #next = 0n;

  /** @throws FormatError `limit` where it stands for more addresses than the file has words: each word is relocated once */
  constructor(
    bytes: Uint8Array,
    { is64, littleEndian }: ElfHeader,
    { label, fileSize }: { readonly label: string; readonly fileSize: number },
  ) {
    this.#is64 = is64;
    this.#size = is64 ? 8 : 4;
    this.#entries = Math.floor(bytes.length / this.#size);
    this.#cursor = new Cursor(bytes, littleEndian, 'RELR');
    let count = 0;
    for (let i = 0; i < this.#entries; i++) {
      const first = this.#cursor.u32();
      const second = is64 ? this.#cursor.u32() : 0;
      const bitmap = ((littleEndian || !is64 ? first : second) & 1) !== 0;
      count += bitmap ? bits(first) + bits(second) - 1 : 1;
    }
    const words = Math.floor(fileSize / this.#size) + SPARE;
    if (count > words)
      throw new FormatError('limit', { name: label }, `the bitmaps stand for ${count} words, but the file has only ${words}`);
    this.count = count;
  }

  /** The addresses from number `start` on, at most `most` of them; fastest piece after piece. */
  read(start: number, most: number): Words {
    const sites = new Words(Math.max(0, Math.min(most, this.count - start)));
    const end = start + sites.length;
    if (start < this.#at) {
      this.#entry = 0;
      this.#at = 0;
      this.#next = 0n;
    }
    const size = BigInt(this.#size);
    const span = (size * 8n - 1n) * size;
    this.#cursor.pos = this.#entry * this.#size;
    for (; this.#at < end && this.#entry < this.#entries; this.#entry++) {
      const word = this.#cursor.address(this.#is64);
      let at = this.#at;
      if ((word & 1n) === 0n) {
        if (at >= start) sites.big[at - start] = word;
        this.#at++;
        this.#next = word + size;
        continue;
      }
      for (let bitmap = word >> 1n, place = this.#next; bitmap !== 0n; bitmap >>= 1n, place += size) {
        if ((bitmap & 1n) === 0n) continue;
        // The next piece begins within this bitmap, and reads it once more.
        if (at === end) return sites;
        if (at >= start) sites.big[at - start] = place;
        at++;
      }
      this.#at = at;
      this.#next += span;
    }
    return sites;
  }
}

/** How many bits of a 32-bit word are set. */
function bits(word: number): number {
  let pairs = word - ((word >>> 1) & 0x55555555);
  pairs = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (((pairs + (pairs >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
