import type { BtfBlob } from './blob.js';
import { flagOfInfo, KIND, kindOfInfo, RECORD_WORDS, vlenOfInfo } from './wire.js';

/** Types that may stand between a use and what it is a use of, and structs that may be nested by value (MAX_RESOLVE_DEPTH of libbpf and the kernel). */
export const MAX_DEPTH = 32;

/** What const, volatile, restrict, a type tag and a typedef stand for. */
export function resolveType(btf: BtfBlob, id: number): number {
  let target = id;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    if (!isTransparent(btf.kindNumber(target))) return target;
    target = btf.ownerOf(target).words[btf.recordOf(target) + 2]!;
  }
  throw tooDeep(btf, id);
}

function isTransparent(kind: number): boolean {
  return isModifier(kind) || kind === KIND.TYPEDEF;
}

/** CONST, VOLATILE, RESTRICT or TYPE_TAG (btf_is_mod of libbpf). */
export function isModifier(kind: number): boolean {
  return kind === KIND.CONST || kind === KIND.VOLATILE || kind === KIND.RESTRICT || kind === KIND.TYPE_TAG;
}

/** sizeof, by btf__resolve_size of libbpf. */
export function sizeOf(btf: BtfBlob, id: number): number | undefined {
  let elements = 1;
  let target = id;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    if (target === 0) return undefined;
    const { words } = btf.ownerOf(target);
    const at = btf.recordOf(target);
    let size: number;
    switch (kindOfInfo(words[at + 1]!)) {
      case KIND.INT:
      case KIND.STRUCT:
      case KIND.UNION:
      case KIND.ENUM:
      case KIND.ENUM64:
      case KIND.DATASEC:
      case KIND.FLOAT:
        size = words[at + 2]!;
        break;
      case KIND.PTR:
        size = btf.pointerSize;
        break;
      case KIND.ARRAY:
        elements *= words[at + RECORD_WORDS + 2]!;
        if (elements > Number.MAX_SAFE_INTEGER) throw btf.errorAt(target, `type ${id} has more than 2^53 - 1 elements`);
        target = words[at + RECORD_WORDS]!;
        continue;
      case KIND.TYPEDEF:
      case KIND.CONST:
      case KIND.VOLATILE:
      case KIND.RESTRICT:
      case KIND.TYPE_TAG:
      case KIND.VAR:
      case KIND.DECL_TAG:
        target = words[at + 2]!;
        continue;
      default:
        return undefined;
    }
    if (elements * size > Number.MAX_SAFE_INTEGER) throw btf.errorAt(target, `type ${id} is larger than 2^53 - 1 bytes`);
    return elements * size;
  }
  throw tooDeep(btf, id);
}

/** In the table of alignments: not known yet, being worked out, none. Alignments are at most 8. */
const OPEN = 0;
const BUSY = 254;
const NONE = 255;

/** Alignments that were worked out, by id: a struct of structs of structs asks for each many times. */
const tables = new WeakMap<BtfBlob, Uint8Array>();

/** alignof, by btf__align_of of libbpf. */
export function alignOf(btf: BtfBlob, id: number): number | undefined {
  let table = tables.get(btf);
  if (table === undefined) tables.set(btf, (table = new Uint8Array(btf.count)));
  const align = alignFrom(btf, id, table);
  return align === NONE ? undefined : align;
}

/** The alignment of `id`, or NONE; `table` keeps what was worked out. */
function alignFrom(btf: BtfBlob, id: number, table: Uint8Array, depth = 0): number {
  let target = id;
  for (let steps = 0; steps <= MAX_DEPTH; steps++) {
    if (target === 0) return NONE;
    const known = table[target]!;
    if (known === BUSY) throw btf.errorAt(target, `type ${target} contains itself`);
    if (known !== OPEN) return known;
    const { words } = btf.ownerOf(target);
    const at = btf.recordOf(target);
    switch (kindOfInfo(words[at + 1]!)) {
      case KIND.INT:
      case KIND.ENUM:
      case KIND.ENUM64:
      case KIND.FLOAT:
        return (table[target] = Math.max(1, Math.min(btf.pointerSize, words[at + 2]!)));
      case KIND.PTR:
        return (table[target] = btf.pointerSize);
      case KIND.ARRAY:
        target = words[at + RECORD_WORDS]!;
        break;
      case KIND.TYPEDEF:
      case KIND.CONST:
      case KIND.VOLATILE:
      case KIND.RESTRICT:
      case KIND.TYPE_TAG:
        target = words[at + 2]!;
        break;
      case KIND.STRUCT:
      case KIND.UNION:
        if (depth >= MAX_DEPTH) throw tooDeep(btf, target);
        table[target] = BUSY;
        try {
          return (table[target] = compositeAlign(btf, words, at, table, depth + 1));
        } finally {
          // An error leaves the question open.
          if (table[target] === BUSY) table[target] = OPEN;
        }
      default:
        return (table[target] = NONE);
    }
  }
  throw tooDeep(btf, id);
}

/** The largest alignment of a member; 1 where a member or the size shows that the struct is packed. */
function compositeAlign(btf: BtfBlob, words: Uint32Array, at: number, table: Uint8Array, depth: number): number {
  const info = words[at + 1]!;
  const bitfields = flagOfInfo(info);
  const end = at + RECORD_WORDS + vlenOfInfo(info) * 3;
  let largest = 1;
  let packed = false;
  for (let i = at + RECORD_WORDS; i < end; i += 3) {
    const align = alignFrom(btf, words[i + 1]!, table, depth);
    if (align === NONE) continue;
    if (align > largest) largest = align;
    const offset = words[i + 2]!;
    if ((!bitfields || offset >>> 24 === 0) && offset % (align * 8) !== 0) packed = true;
  }
  return packed || words[at + 2]! % largest !== 0 ? 1 : largest;
}

function tooDeep(btf: BtfBlob, id: number): Error {
  return btf.errorAt(id, `type ${id} goes through more than ${MAX_DEPTH} others, or is a cycle`);
}
