import type { BtfBlob } from './blob.js';
import { FlatTypes } from './flat.js';
import type { TypeId } from './ids.js';
import { isModifier, KIND, layoutRule, RECORD_WORDS } from './kinds.js';
import { flagOfInfo, vlenOfInfo } from './wire.js';

/**
 * Types that may be between a use and what it is a use of, and structs that may be nested by value (MAX_RESOLVE_DEPTH of libbpf and the
 * kernel).
 */
export const MAX_DEPTH = 32;

/** What const, volatile, restrict, a type tag and a typedef stand for. */
export function resolveType(btf: BtfBlob, id: TypeId): number {
  let target = id;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const kind = btf.kindNumber(target);
    if (!isModifier(kind) && kind !== KIND.TYPEDEF) return target;
    target = btf.ownerOf(target).words[btf.recordOf(target) + 2]!;
  }
  throw tooDeep(btf, id);
}

/** In the table of alignments: not known yet, being worked out, none. Alignments are at most 8. */
const OPEN = 0;
const BUSY = 254;
const NONE = 255;

/** Sizes and alignments of one blob's types, and of its base's. */
export class Layout {
  private readonly btf: BtfBlob;
  private readonly words: Uint32Array;
  private readonly records: Uint32Array;
  private readonly kinds: Uint8Array;
  private readonly pointerSize: number;
  /** Alignments that were worked out, by id: a struct of structs of structs asks for each many times. */
  private readonly alignments: Uint8Array;

  constructor(btf: BtfBlob, types: FlatTypes = new FlatTypes(btf)) {
    this.btf = btf;
    this.words = types.words;
    this.records = types.records;
    this.kinds = types.kinds;
    this.pointerSize = btf.pointerSize;
    this.alignments = new Uint8Array(btf.count);
  }

  /** sizeof, by btf__resolve_size of libbpf; undefined for what has none. @throws FormatError */
  sizeOf(id: TypeId): number | undefined {
    const { btf, words, records, kinds } = this;
    let elements = 1;
    let target = id;
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      if (target === 0) return undefined;
      const at = records[target]!;
      let size: number;
      switch (layoutRule(kinds[target]!)) {
        case 'scalar':
        case 'members':
        case 'section':
          size = words[at + 2]!;
          break;
        case 'pointer':
          size = this.pointerSize;
          break;
        case 'elements':
          elements *= words[at + RECORD_WORDS + 2]!;
          if (elements > Number.MAX_SAFE_INTEGER) throw btf.errorAt(target, `type ${id} has more than 2^53 - 1 elements`);
          target = words[at + RECORD_WORDS]!;
          continue;
        case 'same':
        case 'variable':
          target = words[at + 2]!;
          continue;
        case 'none':
          return undefined;
      }
      if (elements * size > Number.MAX_SAFE_INTEGER) throw btf.errorAt(target, `type ${id} is larger than 2^53 - 1 bytes`);
      return elements * size;
    }
    throw tooDeep(btf, id);
  }

  /** alignof, by btf__align_of of libbpf; undefined for what has none. @throws FormatError */
  alignOf(id: TypeId): number | undefined {
    const align = this.alignFrom(id, 0);
    return align === NONE ? undefined : align;
  }

  /** Whether a member's place or the size shows that a struct is packed (btf_is_struct_packed of libbpf). */
  isPacked(id: TypeId): boolean {
    return this.alignOfMembers(this.records[id]!, 0) === 0;
  }

  /** The alignment, or NONE. */
  private alignFrom(id: TypeId, depth: number): number {
    const { btf, words, records, kinds, alignments } = this;
    let target = id;
    for (let steps = 0; steps <= MAX_DEPTH; steps++) {
      if (target === 0) return NONE;
      const known = alignments[target]!;
      if (known === BUSY) throw btf.errorAt(target, `type ${target} contains itself`);
      if (known !== OPEN) return known;
      const at = records[target]!;
      switch (layoutRule(kinds[target]!)) {
        case 'scalar':
          return (alignments[target] = Math.max(1, Math.min(this.pointerSize, words[at + 2]!)));
        case 'pointer':
          return (alignments[target] = this.pointerSize);
        case 'elements':
          target = words[at + RECORD_WORDS]!;
          break;
        case 'same':
          target = words[at + 2]!;
          break;
        case 'members':
          if (depth >= MAX_DEPTH) throw tooDeep(btf, target);
          alignments[target] = BUSY;
          try {
            return (alignments[target] = this.alignOfMembers(at, depth + 1) || 1);
          } finally {
            // An error leaves the question open.
            if (alignments[target] === BUSY) alignments[target] = OPEN;
          }
        default:
          return (alignments[target] = NONE);
      }
    }
    throw tooDeep(btf, id);
  }

  /** The largest alignment of a member; 0 if the struct is packed. */
  private alignOfMembers(at: number, depth: number): number {
    const { words, alignments } = this;
    const info = words[at + 1]!;
    const bitfields = flagOfInfo(info);
    const end = at + RECORD_WORDS + vlenOfInfo(info) * 3;
    let largest = 1;
    let packed = false;
    for (let i = at + RECORD_WORDS; i < end; i += 3) {
      const known = alignments[words[i + 1]!]!;
      const align = known === OPEN || known === BUSY ? this.alignFrom(words[i + 1]!, depth) : known;
      if (align === NONE) continue;
      if (align > largest) largest = align;
      const offset = words[i + 2]!;
      // A bit-field may stand anywhere.
      if ((!bitfields || offset >>> 24 === 0) && offset % (align * 8) !== 0) packed = true;
    }
    return packed || words[at + 2]! % largest !== 0 ? 0 : largest;
  }
}

function tooDeep(btf: BtfBlob, id: TypeId): Error {
  return btf.errorAt(id, `type ${id} goes through more than ${MAX_DEPTH} others, or is a cycle`);
}
