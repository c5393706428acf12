import type { BtfBlob } from '../blob.js';
import type { FlatTypes } from '../flat.js';
import type { TypeId } from '../ids.js';
import { ELEMENT_TYPE, ELEMENT_WORDS, KIND, RECORD_WORDS, TAIL_WORDS, typeWords } from '../kinds.js';
import { vlenOfInfo } from '../wire.js';
import type { Work } from './declaration.js';

const {
  ARRAY,
  CONST,
  DATASEC,
  DECL_TAG,
  ENUM,
  ENUM64,
  FLOAT,
  FUNC,
  FUNC_PROTO,
  FWD,
  INT,
  PTR,
  RESTRICT,
  STRUCT,
  TYPEDEF,
  TYPE_TAG,
  UNION,
  VAR,
  VOLATILE,
} = KIND;

const BUSY = 1;
const DONE = 2;
/** Types that refer to each other, one inside the other. */
export const MAX_NESTING = 500;

/** Puts the definitions of a header in order: each behind those it needs (btf_dump_order_type of libbpf, whose order this keeps). */
export class TypeOrder {
  private readonly blob: BtfBlob;
  private readonly work: Work;
  private readonly words: Uint32Array;
  private readonly records: Uint32Array;
  private readonly kinds: Uint8Array;
  /** For each id, how far it has come, 0 at first; and 1 where something refers to it. */
  private readonly states: Uint8Array;
  private readonly referenced: Uint8Array;
  readonly queue: Uint32Array;
  private queued = 0;

  constructor(blob: BtfBlob, types: FlatTypes, work: Work) {
    this.blob = blob;
    this.words = types.words;
    this.records = types.records;
    this.kinds = types.kinds;
    this.work = work;
    this.states = new Uint8Array(blob.count);
    this.states[0] = DONE;
    this.queue = new Uint32Array(blob.count);
    this.referenced = referencedTypes(types);
  }

  /**
   * Queues the types that have to be defined for a type and were not asked for before, and the type.
   * @returns how many there are in `queue`, until the next call
   */
  definitionsOf(id: TypeId): number {
    this.queued = 0;
    if (this.states[id] !== DONE) this.visit(id, false, 0);
    return this.queued;
  }

  private push(id: TypeId): void {
    if (this.queued === this.queue.length) throw nestedTooDeeply(this.blob, id);
    this.queue[this.queued++] = id;
  }

  /**
   * Queues what has to be defined for a type, and the type. What is embedded has to be defined before; what is only pointed to can be
   * declared forward, as long as it has a name.
   * @returns true where the type has to be defined first, false where a forward declaration does
   */
  private visit(id: TypeId, pointed: boolean, depth: number): boolean {
    const { blob, words, states } = this;
    const state = states[id]!;
    if (state === DONE) return true;
    if (depth > MAX_NESTING) throw nestedTooDeeply(blob, id);
    this.work.spend(1, id);
    const at = this.records[id]!;
    const named = words[at] !== 0;
    if (state === BUSY) {
      if (pointed && named) return false;
      throw blob.errorAt(id, `type ${id} contains itself`);
    }
    const info = words[at + 1]!;
    const kind = this.kinds[id]!;
    let strong = false;
    switch (kind) {
      case STRUCT:
      case UNION:
        if (pointed && named) return false;
        states[id] = BUSY;
        for (let member = at + RECORD_WORDS + 1, left = vlenOfInfo(info); left > 0; left--, member += 3)
          if (states[words[member]!] !== DONE) this.visit(words[member]!, false, depth + 1);
        if (named) this.push(id);
        strong = true;
        break;
      case PTR:
        strong = this.visit(words[at + 2]!, true, depth + 1);
        break;
      case VOLATILE:
      case CONST:
      case RESTRICT:
      case TYPE_TAG:
        return this.visit(words[at + 2]!, pointed, depth + 1);
      case TYPEDEF:
        // As a struct here: named, and to be declared forward where a pointer is all there is to it.
        strong = this.visit(words[at + 2]!, pointed, depth + 1);
        if (pointed && !strong) return false;
        this.push(id);
        strong = true;
        break;
      case ARRAY:
        return this.visit(words[at + RECORD_WORDS]!, false, depth + 1);
      case FUNC_PROTO:
        strong = this.visit(words[at + 2]!, pointed, depth + 1);
        for (let parameter = at + RECORD_WORDS + 1, left = vlenOfInfo(info); left > 0; left--, parameter += 2)
          if (states[words[parameter]!] === DONE || this.visit(words[parameter]!, pointed, depth + 1)) strong = true;
        return strong;
      case ENUM:
      case FWD:
      case ENUM64:
        // An anonymous enum that something refers to is written inside that; others hold constants, and stand for themselves.
        if (named || this.referenced[id] === 0) this.push(id);
        strong = true;
        break;
      case INT:
      case FUNC:
      case VAR:
      case DATASEC:
      case FLOAT:
      case DECL_TAG:
        break;
      default:
        throw blob.errorAt(id, `type ${id} is of kind ${kind}, which C has no form for`);
    }
    states[id] = DONE;
    return strong;
  }
}

export function nestedTooDeeply(blob: BtfBlob, id: TypeId): Error {
  return blob.errorAt(id, `type ${id} is nested too deeply, or in a cycle`, 'limit');
}

/** Marks the types that records refer to; what functions return does not count (btf_dump_mark_referenced of libbpf). */
function referencedTypes({ words, records, kinds }: FlatTypes): Uint8Array {
  const referenced = new Uint8Array(records.length);
  for (let id = 1; id < records.length; id++) markReferenced(words, records[id]!, kinds[id]!, referenced);
  return referenced;
}

function markReferenced(words: Uint32Array, at: number, kind: number, referenced: Uint8Array): void {
  const ids = typeWords(kind);
  if (kind !== FUNC_PROTO) for (let i = 0; i < ids.length; i++) referenced[words[at + ids[i]!]!] = 1;
  const type = ELEMENT_TYPE[kind] ?? -1;
  if (type < 0) return;
  const step = ELEMENT_WORDS[kind]!;
  for (let place = at + RECORD_WORDS + TAIL_WORDS[kind]! + type, left = vlenOfInfo(words[at + 1]!); left > 0; left--, place += step)
    referenced[words[place]!] = 1;
}
