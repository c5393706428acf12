import type { BtfBlob } from '../blob.js';
import type { FlatTypes } from '../flat.js';
import type { TypeId } from '../ids.js';
import { ELEMENT_WORDS, KIND, RECORD_WORDS } from '../kinds.js';
import { vlenOfInfo } from '../wire.js';
import { nestedTooDeeply } from './order.js';

const { ARRAY, CONST, DECL_TAG, ENUM, ENUM64, FLOAT, FUNC_PROTO, INT, PTR, RESTRICT, STRUCT, TYPEDEF, TYPE_TAG, UNION, VOLATILE } = KIND;

const REFERENCES: ReadonlySet<number> = new Set([TYPE_TAG, CONST, PTR, VOLATILE, RESTRICT, TYPEDEF, DECL_TAG]);
const LAST_RANK = 10;
/** Types that refer to each other in a chain. */
const LONGEST_CHAIN = 1000;

/**
 * The order in which bpftool since 7.5 writes types: enums, numbers, structs, function types, each by name (sort_btf_c() in
 * tools/bpf/bpftool/btf.c). What it leaves equal a hash of the names around a type decides, and then its id.
 */
export function sortedTypes(blob: BtfBlob, types: FlatTypes): Uint32Array {
  const sorter = new Sorter(blob, types);
  return Uint32Array.from({ length: types.kinds.length }, (_, id) => id).sort((a, b) => sorter.compare(a, b));
}

class Sorter {
  readonly #blob: BtfBlob;
  readonly #types: FlatTypes;
  readonly #ranks: Uint8Array;
  readonly #sortNames: string[];
  readonly #ownNames: string[];
  readonly #texts = new Map<number, string>();
  readonly #textHashes = new Map<number, bigint>();
  /** By id, of a type with and without what its members say; made for those that nothing else tells apart. */
  readonly #hashes: readonly [Map<number, bigint>, Map<number, bigint>] = [new Map(), new Map()];

  constructor(blob: BtfBlob, types: FlatTypes) {
    this.#blob = blob;
    this.#types = types;
    const { length } = types.kinds;
    this.#ranks = Uint8Array.from({ length }, (_, id) => this.#rank(id));
    this.#ownNames = Array.from({ length }, (_, id) => this.#text(this.#nameOf(id)));
    this.#sortNames = Array.from({ length }, (_, id) => this.#sortName(id));
  }

  compare(a: number, b: number): number {
    return (
      this.#ranks[a]! - this.#ranks[b]! ||
      compare(this.#sortNames[a]!, this.#sortNames[b]!) ||
      compare(this.#ownNames[a]!, this.#ownNames[b]!) ||
      compare(this.#hash(a, true, 0), this.#hash(b, true, 0)) ||
      a - b
    );
  }

  /** What a type is made of, or refers to: the type of an array's elements, the third word of others. */
  #target(id: number): number {
    const { words, records, kinds } = this.#types;
    return words[records[id]! + (kinds[id] === ARRAY ? RECORD_WORDS : 2)]!;
  }

  #nameOf(id: number): number {
    return this.#types.words[this.#types.records[id]!]!;
  }

  /** A name as bytes, of which each is a character: they compare as strcmp() does. */
  #text(offset: number): string {
    let text = this.#texts.get(offset);
    if (text === undefined) {
      const { strings } = this.#types;
      let end = offset;
      while (end < strings.length && strings[end] !== 0) end++;
      text = new TextDecoder('latin1').decode(strings.subarray(offset, end));
      this.#texts.set(offset, text);
    }
    return text;
  }

  #rank(id: number): number {
    let named = false;
    let target = id;
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      named ||= this.#nameOf(target) !== 0;
      const kind = this.#types.kinds[target]!;
      switch (kind) {
        case ENUM:
        case ENUM64:
          return named ? 1 : 0;
        case INT:
        case FLOAT:
          return 2;
        case STRUCT:
        case UNION:
          return named ? 3 : LAST_RANK;
        case FUNC_PROTO:
          return named ? 4 : LAST_RANK;
      }
      if (!named || (kind !== ARRAY && !REFERENCES.has(kind))) return LAST_RANK;
      target = this.#target(target);
    }
    throw nestedTooDeeply(this.#blob, id as TypeId);
  }

  /** The name of what a type comes down to; of an anonymous enum itself its first enumerator's. */
  #sortName(id: number): string {
    const { words, records, kinds } = this.#types;
    let target = id;
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      const kind = kinds[target]!;
      if (kind === ARRAY || REFERENCES.has(kind)) {
        target = this.#target(target);
        continue;
      }
      const name = this.#nameOf(target);
      const isEnum = kind === ENUM || kind === ENUM64;
      const at = records[target]!;
      return this.#text(isEnum && target === id && name === 0 && vlenOfInfo(words[at + 1]!) > 0 ? words[at + RECORD_WORDS]! : name);
    }
    throw nestedTooDeeply(this.#blob, id as TypeId);
  }

  /** btf_type_disambig_hash() */
  #hash(id: number, withMembers: boolean, depth: number): bigint {
    const known = this.#hashes[withMembers ? 0 : 1];
    const found = known.get(id);
    if (found !== undefined) return found;
    if (depth > LONGEST_CHAIN) throw nestedTooDeeply(this.#blob, id as TypeId);
    const hash = this.#made(id, withMembers, depth);
    known.set(id, hash);
    return hash;
  }

  #made(id: number, withMembers: boolean, depth: number): bigint {
    const { words, records, kinds } = this.#types;
    const kind = kinds[id]!;
    const at = records[id]!;
    const first = at + RECORD_WORDS;
    let hash = this.#withName(0n, words[at]!);
    if (kind === ENUM || kind === ENUM64) {
      const step = ELEMENT_WORDS[kind]!;
      for (let i = 0; i < vlenOfInfo(words[at + 1]!); i++) hash = this.#withName(hash, words[first + i * step]!);
    } else if (kind === STRUCT || kind === UNION) {
      for (let i = 0, place = first; withMembers && i < vlenOfInfo(words[at + 1]!); i++, place += 3) {
        hash = this.#withName(hash, words[place]!);
        hash = combined(hash, this.#hash(words[place + 1]!, false, depth + 1));
      }
    } else if (kind === ARRAY) {
      hash = combined(hash, BigInt(words[first + 2]!));
      hash = combined(hash, this.#hash(words[first]!, withMembers, depth + 1));
    } else if (REFERENCES.has(kind)) hash = combined(hash, this.#hash(words[at + 2]!, withMembers, depth + 1));
    return hash;
  }

  #withName(hash: bigint, name: number): bigint {
    if (name === 0) return hash;
    let ofText = this.#textHashes.get(name);
    if (ofText === undefined) {
      ofText = 0n;
      // str_hash() of libbpf, whose characters are signed.
      for (const character of this.#text(name)) ofText = combined(ofText, BigInt((character.charCodeAt(0) << 24) >> 24));
      this.#textHashes.set(name, ofText);
    }
    return combined(hash, ofText);
  }
}

function combined(hash: bigint, value: bigint): bigint {
  return BigInt.asUintN(64, hash * 31n + value);
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
