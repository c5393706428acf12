import type { BtfBlob } from '../blob.js';
import { KIND, kindOfInfo, RECORD_WORDS, vlenOfInfo } from '../wire.js';
import { workFor } from './declaration.js';

/** Types between a definition and one that it needs: far more than real ones have, few enough for the stack. */
const MAX_NESTING = 500;

/** What has been done with a type; 0 for nothing yet. */
const BUSY = 1;
const DONE = 2;

const NONE: readonly number[] = [];

/**
 * Sorts the definitions of C so that each stands behind those it needs (btf_dump_order_type of libbpf, whose order this keeps). What is embedded
 * has to be defined before; what is only pointed to can be declared forward, as long as it has a name.
 */
export class TypeOrder {
  readonly #blob: BtfBlob;
  readonly #state: Uint8Array;
  readonly #referenced: Uint8Array;
  readonly #queue: number[] = [];
  #budget: number;

  constructor(blob: BtfBlob) {
    this.#blob = blob;
    this.#state = new Uint8Array(blob.count);
    this.#state[0] = DONE;
    this.#referenced = referencedTypes(blob);
    this.#budget = workFor(blob);
  }

  /** The types to emit so that `id` is defined, in order, without those that earlier calls gave. Valid until the next call. */
  definitionsOf(id: number): readonly number[] {
    if (this.#state[id] === DONE) return NONE;
    this.#queue.length = 0;
    this.#visit(id, false, 0);
    return this.#queue;
  }

  /** @returns true where the type has to be defined first, false where a forward declaration does */
  #visit(id: number, throughPointer: boolean, depth: number): boolean {
    const state = this.#state;
    if (state[id] === DONE) return true;
    const blob = this.#blob;
    if (depth > MAX_NESTING || --this.#budget < 0) throw blob.errorAt(id, `type ${id} is nested too deeply, or in a cycle`, 'limit');
    const { words, offsets, firstId } = blob.ownerOf(id);
    const at = offsets[id - firstId]!;
    const info = words[at + 1]!;
    const named = words[at] !== 0;
    const kind = kindOfInfo(info);
    if (state[id] === BUSY) {
      if (throughPointer && named) return false;
      throw blob.errorAt(id, `type ${id} contains itself`);
    }
    switch (kind) {
      case KIND.STRUCT:
      case KIND.UNION:
        if (throughPointer && named) return false;
        state[id] = BUSY;
        for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(info) * 3; i < end; i += 3) this.#visit(words[i + 1]!, false, depth + 1);
        if (named) this.#queue.push(id);
        state[id] = DONE;
        return true;
      case KIND.PTR: {
        const strong = this.#visit(words[at + 2]!, true, depth + 1);
        state[id] = DONE;
        return strong;
      }
      case KIND.CONST:
      case KIND.VOLATILE:
      case KIND.RESTRICT:
      case KIND.TYPE_TAG:
        return this.#visit(words[at + 2]!, throughPointer, depth + 1);
      case KIND.TYPEDEF:
        // A typedef is as a struct here: named, and to be declared forward where a pointer is all there is to it.
        if (!this.#visit(words[at + 2]!, throughPointer, depth + 1) && throughPointer) return false;
        this.#queue.push(id);
        state[id] = DONE;
        return true;
      case KIND.ARRAY:
        return this.#visit(words[at + RECORD_WORDS]!, false, depth + 1);
      case KIND.FUNC_PROTO: {
        let strong = this.#visit(words[at + 2]!, throughPointer, depth + 1);
        for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(info) * 2; i < end; i += 2) {
          if (this.#visit(words[i + 1]!, throughPointer, depth + 1)) strong = true;
        }
        return strong;
      }
      case KIND.ENUM:
      case KIND.ENUM64:
      case KIND.FWD:
        // An anonymous enum that something refers to is written inside of that; others hold constants, and stand for themselves.
        if (named || this.#referenced[id] === 0) this.#queue.push(id);
        state[id] = DONE;
        return true;
      case KIND.INT:
      case KIND.FLOAT:
      case KIND.FUNC:
      case KIND.VAR:
      case KIND.DATASEC:
      case KIND.DECL_TAG:
        state[id] = DONE;
        return false;
      default:
        throw blob.errorAt(id, `type ${id} is of kind ${kind}, which C has no form for`);
    }
  }
}

/** For each id, 1 where another type refers to it; what functions return does not count (btf_dump_mark_referenced of libbpf). */
function referencedTypes(blob: BtfBlob): Uint8Array {
  const referenced = new Uint8Array(blob.count);
  for (let layer: BtfBlob | undefined = blob; layer !== undefined; layer = layer.base) {
    const { words, offsets } = layer;
    for (let i = 0; i < offsets.length; i++) {
      const at = offsets[i]!;
      const info = words[at + 1]!;
      const kind = kindOfInfo(info);
      const first = at + RECORD_WORDS;
      const step = STEP[kind]!;
      if (REFERS[kind] === 1) referenced[words[at + 2]!] = 1;
      // Elements of DATASEC begin with their type, the others' with a name.
      const from = kind === KIND.DATASEC ? first : first + 1;
      if (step > 0) for (let j = from, end = first + vlenOfInfo(info) * step; j < end; j += step) referenced[words[j]!] = 1;
      if (kind === KIND.ARRAY) {
        referenced[words[first]!] = 1;
        referenced[words[first + 1]!] = 1;
      }
    }
  }
  return referenced;
}

/** Kinds that refer to the type in their third word. */
const REFERS = new Uint8Array(128);
for (const kind of [KIND.CONST, KIND.VOLATILE, KIND.RESTRICT, KIND.PTR, KIND.TYPEDEF, KIND.FUNC, KIND.VAR, KIND.DECL_TAG, KIND.TYPE_TAG]) {
  REFERS[kind] = 1;
}

/** Words of an element, of the kinds whose elements refer to types. */
const STEP = new Uint8Array(128);
STEP[KIND.STRUCT] = 3;
STEP[KIND.UNION] = 3;
STEP[KIND.FUNC_PROTO] = 2;
STEP[KIND.DATASEC] = 3;
