import { hashName } from '../elf/strings.js';
import type { BtfBlob } from './blob.js';
import type { TypeId } from './ids.js';
import { HASHED } from './strings.js';

/** So many names are searched for type by type: chaining all types costs as much as many searches. */
const FEW = 8;

/** Types whose names have the same hash, ascending by id. */
interface Chains {
  readonly mask: number;
  /** For each hash, 1 + the local index of its first type; 0 ends. */
  readonly heads: Uint32Array;
  /** For each type, 1 + the local index of the next of its chain. */
  readonly next: Uint32Array;
}

/**
 * Finds the types of one blob (not of its base) by name, over the bytes of the names; no string is made. Types are chained once more than a
 * few names were asked for.
 */
export class NameIndex {
  readonly #btf: BtfBlob;
  #asked = 0;
  #chains: Chains | undefined;

  constructor(btf: BtfBlob) {
    this.#btf = btf;
  }

  /** Ids of the types with exactly this name, ascending. */
  find(name: Uint8Array): TypeId[] {
    if (this.#chains === undefined && this.#asked++ < FEW) return this.#search(name);
    this.#chains ??= chain(this.#btf);
    const { words, strings, offsets, firstId } = this.#btf;
    const { mask, heads, next } = this.#chains;
    const ids: TypeId[] = [];
    for (let at = heads[hashName(name, 0, HASHED) & mask]!; at !== 0; at = next[at - 1]!) {
      if (strings.equals(words[offsets[at - 1]!]!, name)) ids.push(firstId + at - 1);
    }
    return ids;
  }

  #search(name: Uint8Array): TypeId[] {
    const { words, strings, offsets, firstId, count } = this.#btf;
    const { bytes, start } = strings;
    const [first] = name;
    const ids: TypeId[] = [];
    for (let id = firstId; id < count; id++) {
      const offset = words[offsets[id - firstId]!]!;
      // Most names differ in their first byte. One before `start` is in the base's strings.
      if (offset !== 0 && (offset < start || bytes[offset - start] === first) && strings.equals(offset, name)) ids.push(id);
    }
    return ids;
  }
}

function chain(btf: BtfBlob): Chains {
  const count = btf.count - btf.firstId;
  const size = 2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2));
  const mask = size - 1;
  const heads = new Uint32Array(size);
  const next = new Uint32Array(count);
  const { words, strings, offsets } = btf;
  for (let index = count - 1; index >= 0; index--) {
    const name = words[offsets[index]!]!;
    if (name === 0) continue;
    const slot = strings.hash(name) & mask;
    next[index] = heads[slot]!;
    heads[slot] = index + 1;
  }
  return { mask, heads, next };
}
