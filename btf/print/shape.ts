import type { Btf } from '../btf.js';
import type { TypeId } from '../ids.js';
import { MAX_DEPTH } from '../layout.js';
import type { BtfType, CompositeType } from '../types.js';

/** A member with what is worked out of it, by the rules of pahole 1.24. Offsets and sizes are in bytes where they do not say bits. */
export interface ShapeMember {
  readonly name: string;
  readonly typeId: TypeId;
  readonly bitfieldSize: number;
  bitOffset: number;
  byteOffset: number;
  byteSize: number;
  bitSize: number;
  /** Bits from the start of the bit-field's unit; 0 for other members. */
  bitfieldOffset: number;
  /** The alignment the source must have asked for; 0 for none. */
  alignment: number;
  /** Unused bytes and bits after it. */
  hole: number;
  bitHole: number;
}

/** A struct or union with its holes and what its offsets say about the attributes in its source. */
export interface Shape {
  readonly type: CompositeType;
  readonly members: readonly ShapeMember[];
  alignment: number;
  packed: boolean;
  /** Unused bytes and bits before the first member, after the last, and how many holes there are between. */
  leadingHole: number;
  leadingBitHole: number;
  holes: number;
  bitHoles: number;
  padding: number;
  bitPadding: number;
}

const CACHELINE = 64;

/**
 * Works out shapes. BTF has no attributes: `__aligned__` and `__packed__` are inferred from offsets and sizes. What one struct shows of
 * another (a member at an offset that its alignment does not allow has a packed type) is remembered, so that the order of questions can
 * matter, as in pahole.
 */
export class Shapes {
  readonly #btf: Btf;
  readonly #read: (id: TypeId) => BtfType;
  readonly #types = new Map<number, BtfType>();
  readonly #shapes = new Map<number, Shape>();
  readonly #natural = new Map<number, number>();
  readonly #inferred = new Set<number>();

  /** @param read how types are read, where their names are to be others */
  constructor(btf: Btf, read: (id: TypeId) => BtfType = id => btf.type(id)) {
    this.#btf = btf;
    this.#read = read;
  }

  /** The type; objects are kept, since printing asks for each several times. */
  type(id: TypeId): BtfType {
    let type = this.#types.get(id);
    if (type === undefined) this.#types.set(id, (type = this.#read(id)));
    return type;
  }

  /** The type behind modifiers and typedefs. */
  strip(id: TypeId): BtfType {
    return this.type(this.#btf.resolve(id));
  }

  shape(type: CompositeType): Shape {
    let shape = this.#shapes.get(type.id);
    if (shape === undefined) this.#shapes.set(type.id, (shape = this.#shapeOf(type)));
    return shape;
  }

  #shapeOf(type: CompositeType): Shape {
    let end = 0;
    const members = type.members.map(({ name, typeId, bitOffset, bitfieldSize }): ShapeMember => {
      const target = this.strip(typeId);
      const byteSize = this.#sizeOf(typeId);
      const member: ShapeMember = {
        name,
        typeId,
        bitfieldSize,
        bitOffset,
        byteOffset: Math.floor(bitOffset / 8),
        byteSize,
        bitSize: byteSize * 8,
        bitfieldOffset: 0,
        alignment: 0,
        hole: 0,
        bitHole: 0,
      };
      if (byteSize === 0) return member;
      // A bit-field lies in a unit of its type's size, at a multiple of it.
      if (bitfieldSize > 0 && (target.kind === 'INT' || target.kind === 'FLOAT' || target.kind === 'ENUM' || target.kind === 'ENUM64')) {
        member.byteOffset = Math.floor(bitOffset / member.bitSize) * byteSize;
        member.bitfieldOffset = bitOffset - member.byteOffset * 8;
      }
      member.alignment = inferAlignment(member.byteOffset, this.naturalAlignment(target), end);
      end = member.byteOffset + byteSize;
      return member;
    });
    const alignment = inferAlignment(type.size, this.naturalAlignment(type), end);
    const shape: Shape = {
      type,
      members,
      alignment,
      packed: false,
      leadingHole: 0,
      leadingBitHole: 0,
      holes: 0,
      bitHoles: 0,
      padding: 0,
      bitPadding: 0,
    };
    if (type.kind === 'STRUCT') findHoles(shape);
    return shape;
  }

  /** pahole gives a struct of one byte without members, C++'s empty base, no size. */
  #sizeOf(id: TypeId): number {
    const target = this.strip(id);
    if (target.kind === 'STRUCT' && target.size === 1 && target.members.length === 0) return 0;
    if (target.kind === 'INT') return Math.floor((target.bits + 7) / 8);
    return this.#btf.sizeof(id) ?? 0;
  }

  /** The alignment that C would choose, of a type behind modifiers and typedefs; at least 1. */
  naturalAlignment(type: BtfType, depth = 0): number {
    switch (type.kind) {
      case 'PTR':
        return this.#btf.pointerSize;
      case 'INT':
        return Math.floor((type.bits + 7) / 8) || 1;
      case 'FLOAT':
      case 'ENUM':
      case 'ENUM64':
        return type.size || 1;
      case 'ARRAY':
        if (depth > MAX_DEPTH) throw this.#tooDeep(type.id);
        return this.naturalAlignment(this.strip(type.typeId), depth + 1);
      case 'STRUCT':
      case 'UNION': {
        const known = this.#natural.get(type.id);
        if (known !== undefined) return known;
        if (depth > MAX_DEPTH) throw this.#tooDeep(type.id);
        const align = type.members.reduce((most, { typeId }) => Math.max(most, this.naturalAlignment(this.strip(typeId), depth + 1)), 1);
        this.#natural.set(type.id, align);
        return align;
      }
      default:
        return 1;
    }
  }

  #tooDeep(id: TypeId): Error {
    return this.#btf.errorAt(id, `type ${id} is nested deeper than ${MAX_DEPTH}, or contains itself`);
  }

  /** Infers whether a struct is packed, as far as it is unknown yet. */
  inferPacked(shape: Shape): void {
    if (this.#inferred.has(shape.type.id)) return;
    this.#inferred.add(shape.type.id);
    if (shape.padding !== 0 || shape.holes !== 0) {
      // Packed structs have no holes. But what they have at odd places must be packed.
      for (const { typeId, byteOffset } of shape.members) this.#markPacked(typeId, byteOffset);
      return;
    }
    let most = 1;
    for (const { typeId, byteOffset } of shape.members) {
      const align = this.naturalAlignment(this.strip(typeId));
      most = Math.max(most, align);
      if (byteOffset % align !== 0) {
        shape.packed = true;
        return;
      }
    }
    shape.packed = (most !== 1 && shape.alignment === 1) || shape.type.size % most !== 0;
  }

  /** In an array of a union, structs in it would lose their alignment where the union's size is not a multiple of it. */
  inferPackedInUnion(shape: Shape): void {
    if (this.#inferred.has(shape.type.id)) return;
    this.#inferred.add(shape.type.id);
    for (const { typeId } of shape.members) this.#markPacked(typeId, shape.type.size);
  }

  #markPacked(typeId: TypeId, place: number): void {
    const target = this.strip(typeId);
    if (target.kind !== 'STRUCT' || place % this.naturalAlignment(target) === 0) return;
    this.shape(target).packed = true;
    this.#inferred.add(target.id);
  }
}

/** An alignment that explains the gap between `end` and `offset`: the power of two above the gap, or the cache line. */
function inferAlignment(offset: number, natural: number, end: number): number {
  const gap = offset - end;
  let alignment = 0;
  if (gap !== 0 && offset % 2 === 0) {
    // Overlapping members make the gap negative; pahole has it in 32 bits, and no power of two above that.
    const bits = 32 - Math.clz32(gap);
    alignment = bits === 32 ? 0 : 2 ** bits;
  }
  if (alignment <= natural || alignment === 1) return 0;
  return alignment < CACHELINE && offset % CACHELINE === 0 ? CACHELINE : alignment;
}

/** Finds the unused bytes and bits of a struct. Sizes of holes have 16 bits in pahole, of bit holes 8. */
function findHoles(shape: Shape): void {
  const totalBits = shape.type.size * 8;
  let unitEnd = totalBits;
  let unitSize = 0;
  let seen = 0;
  let inBitfield = false;
  let last: ShapeMember | undefined;
  for (const member of shape.members) {
    const start = member.bitOffset;
    const isBitfield = member.bitfieldSize > 0;
    const end = start + (isBitfield ? member.bitfieldSize : member.byteSize * 8);
    let bits = 0;
    let bytes = 0;
    if (inBitfield) {
      // What is left of the unit that the last bit-field is in.
      const stop = Math.min(start, unitEnd);
      bits = stop - seen;
      seen = stop;
    }
    if (isBitfield) {
      const unit = member.byteOffset * 8;
      if (seen < unit && unit <= start) {
        bytes = member.byteOffset - Math.floor(seen / 8);
        seen = unit;
      }
      bits += start - seen;
    } else bytes = Math.floor(start / 8) - Math.floor(seen / 8);
    seen = end;
    inBitfield = isBitfield;
    if (!isBitfield) {
      unitSize = 0;
      unitEnd = end;
    } else if (end > unitEnd || member.bitSize > unitSize) {
      // A new unit, or the same seen through a larger type.
      unitSize = member.bitSize;
      unitEnd = member.byteOffset * 8 + unitSize;
      // A bit-field may begin in one unit and end in the next.
      if (end > unitEnd) unitEnd += unitSize;
    }
    if (last === undefined) {
      shape.leadingHole = bytes & 0xffff;
      shape.leadingBitHole = bits & 0xff;
    } else {
      last.hole = bytes & 0xffff;
      last.bitHole = bits & 0xff;
    }
    if (bits !== 0) shape.bitHoles++;
    if (bytes !== 0) shape.holes++;
    last = member;
  }
  if (inBitfield) {
    const stop = Math.min(totalBits, unitEnd);
    shape.bitPadding = (stop - seen) & 0xff;
    seen = stop;
  }
  shape.padding = (shape.type.size - Math.floor(seen / 8)) & 0xffff;
}
