import { chainNames } from './name-kernel.js';

const encoder = new TextEncoder();

/**
 * Finds rows by name, over names that stand NUL-terminated in one block of bytes. Nothing is decoded: rows are chained by a hash of their bytes,
 * so that looking up and grouping 120,000 names costs milliseconds.
 */
export class NameIndex {
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  /** The first row of a slot's distinct name, plus one; 0 for an empty slot. */
  readonly #slots: Uint32Array;
  /** For each row the next one of the same name, plus one. */
  readonly #next: Uint32Array;
  /** For the first row of each name, the last one, plus one. */
  readonly #last: Uint32Array;
  readonly #repeated: Uint32Array;

  /** @param offsets where each row's name begins; every name must end with a NUL inside of `bytes` */
  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    const { slots, next, last, repeated } = chainNames(bytes, offsets);
    this.#bytes = bytes;
    this.#offsets = offsets;
    this.#slots = slots;
    this.#next = next;
    this.#last = last;
    this.#repeated = repeated;
  }

  /** The rows of that name, in the order of the rows. */
  find(name: string): number[] {
    const first = this.firstOf(encoder.encode(`${name}\0`), 0);
    return first < 0 ? [] : this.rowsFrom(first);
  }

  /** The first row whose name is the NUL-terminated one at `offset` of `bytes`; -1 where there is none. For joins of two tables of names. */
  firstOf(bytes: Uint8Array, offset: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashAt(bytes, offset) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]!;
      if (row === 0) return -1;
      if (equalAt(this.#bytes, this.#offsets[row - 1]!, bytes, offset)) return row - 1;
    }
  }

  /** The rows of the same name as `row` and behind it, itself the first. */
  rowsFrom(row: number): number[] {
    const rows: number[] = [];
    for (let at = row + 1; at !== 0; at = this.#next[at - 1]!) rows.push(at - 1);
    return rows;
  }

  /** The first row of each distinct name. */
  *firstRows(): Generator<number> {
    for (let row = 0; row < this.#last.length; row++) if (this.#last[row] !== 0) yield row;
  }

  /** The first row of each name that several rows bear, in no particular order. */
  repeated(): Iterable<number> {
    return this.#repeated;
  }

  /** True where no other row has the name; `row` is the first of its name. */
  isOnly(row: number): boolean {
    return this.#last[row] === row + 1;
  }
}

/** FNV-1a over the bytes up to the NUL, its high bits mixed down: as in name-kernel.ts, which fills the slots. */
function hashAt(bytes: Uint8Array, offset: number): number {
  let hash = 0x811c9dc5;
  for (let at = offset; at < bytes.length && bytes[at] !== 0; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function equalAt(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  for (let i = 0; ; i++) {
    const byte = a[aOffset + i] ?? 0;
    if (byte !== (b[bOffset + i] ?? 0)) return false;
    if (byte === 0) return true;
  }
}
