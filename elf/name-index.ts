import { hashName } from './strings.js';

const encoder = new TextEncoder();

/** Chaining all rows costs as much as some hundred searches. */
const FEW = 64;

/** Rows chained by their names. */
interface Chains {
  /** The first row of a slot's distinct name, plus one; 0 for an empty slot. */
  readonly slots: Uint32Array;
  /** For each row the next one of the same name, plus one. */
  readonly next: Uint32Array;
  /** For the first row of each name, the last one, plus one. */
  readonly last: Uint32Array;
  /** The first row of each name that several rows share. */
  readonly repeated: Uint32Array;
}

/**
 * Finds rows by name, over names that stand NUL-terminated in one block of bytes. Nothing is decoded: rows are chained by a hash of their
 * bytes once more than a few names were asked for, so that looking up and grouping 120,000 names costs milliseconds.
 */
export class NameIndex {
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #few: number;
  #asked = 0;
  /** What was found row by row: the same few names are asked for again. */
  readonly #found = new Map<string, readonly number[]>();
  #chains: Chains | undefined;

  /**
   * @param offsets where each row's name begins; every name must end with a NUL inside `bytes`, what begins after them is the empty name
   * @param few so many names are searched for row by row: 0 where many will be asked for
   */
  constructor(bytes: Uint8Array, offsets: Uint32Array, few: number = FEW) {
    this.#bytes = bytes;
    this.#offsets = offsets;
    this.#few = few;
  }

  /** The rows of that name, in the order of the rows. */
  find(name: string): number[] {
    const known = this.#found.get(name);
    if (known !== undefined) return [...known];
    const bytes = encoder.encode(`${name}\0`);
    if (this.#isIndexed()) return this.#chainFrom(this.#lookUp(bytes, 0));
    const rows = this.#searchAll(bytes, 0, 0);
    this.#found.set(name, [...rows]);
    return rows;
  }

  /**
   * The first row whose name is the NUL-terminated one at `offset` of `bytes`; -1 if there is none. For joins of two tables of names.
   */
  firstOf(bytes: Uint8Array, offset: number): number {
    return this.#isIndexed() ? this.#lookUp(bytes, offset) : this.#search(bytes, offset, 0);
  }

  /** The rows of the same name as `row` and after it, itself the first. */
  rowsFrom(row: number): number[] {
    return this.#isIndexed() ? this.#chainFrom(row) : this.#searchAll(this.#bytes, this.#offsets[row]!, row);
  }

  /** The first row of each distinct name. */
  *firstRows(): Generator<number> {
    const { last } = this.#chained();
    for (let row = 0; row < last.length; row++) if (last[row] !== 0) yield row;
  }

  /** The first row of each name that several rows share, in the order in which the second one comes. */
  repeated(): Iterable<number> {
    return this.#chained().repeated;
  }

  /** True where no other row has the name. */
  isOnly(row: number): boolean {
    return this.#isIndexed() ? this.#chained().last[row] === row + 1 : this.#searchAll(this.#bytes, this.#offsets[row]!, 0).length === 1;
  }

  /** Whether to look names up in the chains: once they are there, or more than a few names were asked for. */
  #isIndexed(): boolean {
    return this.#chains !== undefined || this.#asked++ >= this.#few;
  }

  #lookUp(bytes: Uint8Array, offset: number): number {
    const { slots } = this.#chained();
    const mask = slots.length - 1;
    for (let slot = hashName(bytes, offset) & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot]!;
      if (row === 0) return -1;
      if (equalAt(this.#bytes, this.#offsets[row - 1]!, bytes, offset)) return row - 1;
    }
  }

  /** The rows of a name from one of them on; none from -1. */
  #chainFrom(row: number): number[] {
    const rows: number[] = [];
    const { next } = this.#chained();
    for (let at = row + 1; at !== 0; at = next[at - 1]!) rows.push(at - 1);
    return rows;
  }

  /** The rows from `from` on with the name. */
  #searchAll(bytes: Uint8Array, offset: number, from: number): number[] {
    const rows: number[] = [];
    for (let at = this.#search(bytes, offset, from); at >= 0; at = this.#search(bytes, offset, at + 1)) rows.push(at);
    return rows;
  }

  /** The first row from `from` on with the name; -1 if there is none. */
  #search(bytes: Uint8Array, offset: number, from: number): number {
    const own = this.#bytes;
    const offsets = this.#offsets;
    const first = offset < bytes.length ? bytes[offset] : 0;
    for (let row = from; row < offsets.length; row++) {
      const at = offsets[row]!;
      if ((own[at] ?? 0) === first && equalAt(own, at, bytes, offset)) return row;
    }
    return -1;
  }

  #chained(): Chains {
    this.#chains ??= chain(this.#bytes, this.#offsets);
    return this.#chains;
  }
}

function chain(bytes: Uint8Array, offsets: Uint32Array): Chains {
  const count = offsets.length;
  let slotCount = 16;
  while (slotCount < count * 2) slotCount *= 2;
  const slots = new Uint32Array(slotCount);
  const next = new Uint32Array(count);
  const last = new Uint32Array(count);
  const repeated = new Uint32Array(count);
  let repeats = 0;
  for (let row = 0; row < count; row++) {
    const offset = offsets[row]!;
    let slot = hashName(bytes, offset) & (slotCount - 1);
    let first = slots[slot]!;
    while (first !== 0 && !equalAt(bytes, offsets[first - 1]!, bytes, offset)) {
      slot = (slot + 1) & (slotCount - 1);
      first = slots[slot]!;
    }
    if (first === 0) {
      slots[slot] = row + 1;
      last[row] = row + 1;
    } else {
      const before = last[first - 1]!;
      if (before === first) repeated[repeats++] = first - 1;
      next[before - 1] = row + 1;
      last[first - 1] = row + 1;
    }
  }
  return { slots, next, last, repeated: repeated.subarray(0, repeats) };
}

function equalAt(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  if (a === b && aOffset === bOffset) return true;
  for (let i = aOffset, j = bOffset; ; i++, j++) {
    const byte = i < a.length ? a[i]! : 0;
    if (byte !== (j < b.length ? b[j]! : 0)) return false;
    if (byte === 0) return true;
  }
}
