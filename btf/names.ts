import { hashName } from '../elf/strings.js';
import type { BtfBlob } from './blob.js';
import type { TypeId } from './ids.js';
import { HASHED } from './strings.js';

/**
 * Finds the types of one blob (not of its base) by name. It is built on the first question, over the bytes of the names; no string is made.
 * Types whose names have the same hash form a chain, ascending by id.
 */
export class NameIndex {
  readonly #btf: BtfBlob;
  readonly #mask: number;
  /** For each hash, 1 + the local index of its first type; 0 ends. */
  readonly #heads: Uint32Array;
  /** For each type, 1 + the local index of the next of its chain. */
  readonly #next: Uint32Array;

  constructor(btf: BtfBlob) {
    this.#btf = btf;
    const count = btf.count - btf.firstId;
    const size = 2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2));
    this.#mask = size - 1;
    this.#heads = new Uint32Array(size);
    this.#next = new Uint32Array(count);
    const { words, strings, offsets } = btf;
    for (let index = count - 1; index >= 0; index--) {
      const name = words[offsets[index]!]!;
      if (name === 0) continue;
      const slot = strings.hash(name) & this.#mask;
      this.#next[index] = this.#heads[slot]!;
      this.#heads[slot] = index + 1;
    }
  }

  /** Ids of the types with exactly this name, ascending. */
  find(name: Uint8Array): TypeId[] {
    const { words, strings, offsets, firstId } = this.#btf;
    const ids: TypeId[] = [];
    for (let next = this.#heads[hashName(name, 0, HASHED) & this.#mask]!; next !== 0; next = this.#next[next - 1]!) {
      if (strings.equals(words[offsets[next - 1]!]!, name)) ids.push(firstId + next - 1);
    }
    return ids;
  }
}
