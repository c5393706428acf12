import { Btf } from '../../../btf/btf.js';
import { encodeBtf } from '../../../btf/encode.js';
import type { TypeId } from '../../../btf/ids.js';
import { KIND } from '../../../btf/kinds.js';
import { type DieReader, NONE } from '../../../elf/dwarf/die.js';
import { DW_AT, DW_TAG } from '../../../elf/dwarf/dw-constants.js';
import type { Subprogram } from '../../../elf/dwarf/subprogram.js';

/** More types than the prototype of any function needs; bounds what damage makes of one. */
const MOST_TYPES = 1 << 12;
/** Types nested deeper are taken for void. */
const DEEPEST = 48;
/** Structs of up to so many bytes may be passed in registers, as their members are: those of larger ones do not matter. */
const LARGEST_IN_REGISTERS = 16;

/**
 * The BTF of one function, with the FUNC in it, made of its debug information as pahole would: what a kernel without BTF has all the same.
 * Structs that are pointed at are declared only.
 */
export function btfOfSubprogram(subprogram: Subprogram, wordSize: number): { readonly btf: Btf; readonly id: TypeId } {
  const builder = new Builder(subprogram);
  const id = builder.func();
  return { btf: Btf.parse(builder.bytes(), { name: 'DWARF', pointerSize: wordSize === 8 ? 8 : 4 }), id };
}

/** What an entry says of a type. */
interface TypeEntry {
  readonly tag: number;
  readonly name: string;
  readonly type: number;
  readonly size: number;
  readonly encoding: number;
  /** Of a member. */
  readonly location: number;
}

const MODIFIERS: Readonly<Record<number, number>> = {
  [DW_TAG.const_type]: KIND.CONST,
  [DW_TAG.volatile_type]: KIND.VOLATILE,
  [DW_TAG.restrict_type]: KIND.RESTRICT,
  [DW_TAG.typedef]: KIND.TYPEDEF,
};
/** DW_ATE_*: the encodings of numbers, DWARF 5, §7.8. */
const ATE = { boolean: 2, float: 4, signed: 5, signedChar: 6 };
const SIGNED = 1;
const BOOL = 4;

class Builder {
  readonly #subprogram: Subprogram;
  /** Records by id, from 1: their words, the name's offset first. */
  readonly #records: number[][] = [];
  /** Ids by offset in .debug_info, of what is pointed at, and of what is held. */
  readonly #pointedAt = new Map<number, number>();
  readonly #held = new Map<number, number>();
  readonly #names = new Map<string, number>([['', 0]]);
  #strings = '\0';

  constructor(subprogram: Subprogram) {
    this.#subprogram = subprogram;
  }

  func(): TypeId {
    const { name = '', parameters, variadic, returnTypeOffset } = this.#subprogram;
    const all = parameters.map(({ name = '', typeOffset }) => [this.#name(name), this.#type(typeOffset, 0, false)]);
    if (variadic) all.push([0, 0]);
    const proto = this.#add(0, KIND.FUNC_PROTO, all.length, this.#type(returnTypeOffset, 0, false), ...all.flat());
    return this.#add(this.#name(name), KIND.FUNC, 0, proto) as TypeId;
  }

  bytes(): Uint8Array {
    return encodeBtf(Uint32Array.from(this.#records.flat()), new TextEncoder().encode(this.#strings));
  }

  #name(name: string): number {
    let offset = this.#names.get(name);
    if (offset === undefined) {
      offset = new TextEncoder().encode(this.#strings).length;
      this.#strings += `${name}\0`;
      this.#names.set(name, offset);
    }
    return offset;
  }

  #add(name: number, kind: number, elements: number, third: number, ...more: number[]): number {
    return this.#records.push([name, (kind << 24) | elements, third, ...more]);
  }

  /** The id of the type at an offset; 0, void, for none and for what is nested too deep. */
  #type(offset: number, depth: number, pointedAt: boolean): number {
    if (offset < 0 || depth > DEEPEST || this.#records.length >= MOST_TYPES) return 0;
    const known = pointedAt ? this.#pointedAt : this.#held;
    const found = known.get(offset);
    if (found !== undefined) return found;
    const { units, unit } = this.#subprogram;
    const die = units.entryAt(offset, unit);
    if (die === undefined) return 0;
    const id = this.#encode(die, readEntry(die), depth + 1, pointedAt);
    known.set(offset, id);
    return id;
  }

  #encode(die: DieReader, entry: TypeEntry, depth: number, pointedAt: boolean): number {
    const { tag, type, size } = entry;
    const name = this.#name(entry.name);
    const modifier = MODIFIERS[tag];
    if (modifier !== undefined) return this.#add(name, modifier, 0, this.#type(type, depth, pointedAt));
    switch (tag) {
      case DW_TAG.pointer_type:
        return this.#add(0, KIND.PTR, 0, this.#type(type, depth, true));
      case DW_TAG.base_type:
        return this.#number(name, entry);
      case DW_TAG.enumeration_type:
        return this.#add(name, KIND.ENUM, 0, size || 4);
      case DW_TAG.structure_type:
      case DW_TAG.union_type:
        return this.#composite(die, entry, name, depth, pointedAt);
      case DW_TAG.array_type:
        return this.#array(die, type, depth);
      case DW_TAG.subroutine_type:
        return this.#prototype(die, type, depth);
      default:
        return 0;
    }
  }

  #number(name: number, { size, encoding }: TypeEntry): number {
    if (encoding === ATE.float) return this.#add(name, KIND.FLOAT, 0, size);
    const how = encoding === ATE.boolean ? BOOL : encoding === ATE.signed || encoding === ATE.signedChar ? SIGNED : 0;
    return this.#add(name, KIND.INT, 0, size, (how << 24) | (size * 8));
  }

  #composite(die: DieReader, { tag, size }: TypeEntry, name: number, depth: number, pointedAt: boolean): number {
    const isUnion = tag === DW_TAG.union_type;
    // The flag of a FWD says that it is a union.
    if (pointedAt) return this.#records.push([name, ((KIND.FWD << 24) | (isUnion ? 1 << 31 : 0)) >>> 0, 0]);
    const members = size > LARGEST_IN_REGISTERS ? [] : this.#members(die, depth);
    return this.#add(name, isUnion ? KIND.UNION : KIND.STRUCT, members.length / 3, size, ...members);
  }

  #members(die: DieReader, depth: number): number[] {
    const words: number[] = [];
    while (die.next() && die.depth > 0) {
      if (die.tag === DW_TAG.member) {
        const { name, type, location } = readEntry(die);
        words.push(this.#name(name), this.#type(type, depth, false), location * 8);
      }
      die.skipTree();
    }
    return words;
  }

  #array(die: DieReader, type: number, depth: number): number {
    const element = this.#type(type, depth, false);
    let count = 1;
    while (die.next() && die.depth > 0) {
      if (die.tag === DW_TAG.subrange_type) count *= countOf(die);
      die.skipTree();
    }
    return this.#add(0, KIND.ARRAY, 0, 0, element, element, count >>> 0);
  }

  #prototype(die: DieReader, type: number, depth: number): number {
    const returned = this.#type(type, depth, false);
    const words: number[] = [];
    while (die.next() && die.depth > 0) {
      if (die.tag === DW_TAG.unspecified_parameters) words.push(0, 0);
      else if (die.tag === DW_TAG.formal_parameter) words.push(0, this.#type(readEntry(die).type, depth, true));
      die.skipTree();
    }
    return this.#add(0, KIND.FUNC_PROTO, words.length / 2, returned, ...words);
  }
}

function readEntry(die: DieReader): TypeEntry {
  let [name, type, size, encoding, location] = ['', NONE, 0, 0, 0];
  const { lastSpec, tag } = die;
  for (let spec = die.firstSpec; spec < lastSpec; spec++) {
    const form = die.form(spec);
    const attribute = die.attribute(spec);
    if (attribute === DW_AT.name) name = die.context.file.strings.get(die.string(form)) ?? '';
    else if (attribute === DW_AT.type) type = die.reference(form);
    else if (attribute === DW_AT.byte_size) size = die.constant(form);
    else if (attribute === DW_AT.encoding) encoding = die.constant(form);
    else if (attribute === DW_AT.data_member_location) location = die.constant(form);
    else die.skipForm(form);
  }
  return { tag, name, type, size, encoding, location };
}

/** The elements of one dimension; 0 for one of no constant length. */
function countOf(die: DieReader): number {
  for (const [attribute, more] of [
    [DW_AT.upper_bound, 1],
    [DW_AT.count, 0],
  ] as const) {
    const form = die.find(attribute);
    const value = form === 0 ? Number.NaN : die.constant(form);
    if (value < 0xffff_ffff) return value + more;
  }
  return 0;
}
