import type { StringTable } from '../strings.js';

/** Counts how often each name has come. Names are compared by their bytes, for equal ones may stand at several offsets of split BTF. */
export class NameCounts {
  readonly #strings: StringTable;
  /** An open hash table: pairs of a name's offset, 0 where free, and its count. */
  #slots = new Uint32Array(1 << 16);
  #used = 0;

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  /** @returns 1 when the name at `offset` comes for the first time, 2 for the second … */
  count(offset: number): number {
    if (this.#used * 4 > this.#slots.length) this.#grow();
    const slot = this.#slotOf(offset, this.#slots);
    if (this.#slots[slot] === 0) {
      this.#slots[slot] = offset;
      this.#used++;
    }
    return (this.#slots[slot + 1] = this.#slots[slot + 1]! + 1);
  }

  #slotOf(offset: number, slots: Uint32Array): number {
    const strings = this.#strings;
    const mask = slots.length / 2 - 1;
    let slot = strings.hash(offset) & mask;
    for (;;) {
      const other = slots[slot * 2]!;
      if (other === 0 || other === offset || strings.same(other, offset)) return slot * 2;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const larger = new Uint32Array(this.#slots.length * 4);
    for (let i = 0; i < this.#slots.length; i += 2) {
      if (this.#slots[i] === 0) continue;
      const slot = this.#slotOf(this.#slots[i]!, larger);
      larger[slot] = this.#slots[i]!;
      larger[slot + 1] = this.#slots[i + 1]!;
    }
    this.#slots = larger;
  }
}
