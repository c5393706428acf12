import { DW_AT, DW_TAG } from '../../../elf/dwarf/dw-constants.js';
import type { Unit } from '../../../elf/dwarf/unit.js';
import type { UnitList } from '../../../elf/dwarf/unit-list.js';

/** What only the layout of structs is told by, §7.5.4. */
const MEMBER: { readonly tag: number; readonly bitSize: number; readonly location: number } = { tag: 0x0d, bitSize: 0x0d, location: 0x38 };
/** Longer chains of types are damage. */
const LONGEST_CHAIN = 32;
/** Parameters of a function pointer that are counted, and entries that are looked at to tell how a struct is aligned. */
const MOST_PARAMETERS = 256;
const MOST_ENTRIES = 4096;

/**
 * What pahole compares of a type since 1.28 (types__match(), 4bff114): structs, unions, enums and typedefs by their names, `const` not at
 * all, of the parameters of a function pointer only their number, and what it returns.
 */
export function comparableType(units: UnitList, unit: Unit, offset: number, budget: { left: number } = { left: LONGEST_CHAIN }): string {
  let text = '';
  for (let at = offset; ; ) {
    if (at < 0) return `${text}void`;
    const own = units.unitContaining(at, unit);
    if (own === undefined || --budget.left < 0) return `${text}?`;
    const reader = own.reader();
    reader.seek(at);
    const { tag } = reader;
    const typeForm = reader.find(DW_AT.type);
    const type = typeForm === 0 ? -1 : reader.reference(typeForm);
    switch (tag) {
      case DW_TAG.const_type:
        break;
      case DW_TAG.pointer_type:
        text += '*';
        break;
      case DW_TAG.volatile_type:
        text += 'volatile ';
        break;
      case DW_TAG.restrict_type:
        text += 'restrict ';
        break;
      case DW_TAG.array_type:
        text += '[]';
        break;
      case DW_TAG.subroutine_type: {
        let parameters = 0;
        while (parameters < MOST_PARAMETERS && reader.next() && reader.depth > 0) {
          if (reader.tag === DW_TAG.formal_parameter || reader.tag === DW_TAG.unspecified_parameters) parameters++;
          reader.skipTree();
        }
        return `${text}(${parameters}) ${comparableType(units, unit, type, budget)}`;
      }
      default: {
        const nameForm = reader.find(DW_AT.name);
        const name = nameForm === 0 ? '' : unit.file.strings.get(reader.string(nameForm));
        return `${text}${KIND[tag] ?? ''}${name}`;
      }
    }
    at = type;
  }
}

const KIND: Readonly<Record<number, string>> = {
  [DW_TAG.structure_type]: 'struct ',
  [DW_TAG.union_type]: 'union ',
  [DW_TAG.enumeration_type]: 'enum ',
  [DW_TAG.typedef]: 'typedef ',
};

/**
 * Whether a type is a struct: itself or behind `const` and typedefs; `packed` where it is one with a name, and packed by the look of its
 * members.
 */
export function structOf(units: UnitList, unit: Unit, offset: number): 'struct' | 'packed' | undefined {
  for (let at = offset, hops = 0; at >= 0 && hops < LONGEST_CHAIN; hops++) {
    const own = units.unitContaining(at, unit);
    if (own === undefined) return undefined;
    const reader = own.reader();
    reader.seek(at);
    if (reader.tag === DW_TAG.structure_type) {
      return hops === 0 && reader.find(DW_AT.name) !== 0 && knownPacked(units, own, at) ? 'packed' : 'struct';
    }
    if (reader.tag !== DW_TAG.const_type && reader.tag !== DW_TAG.typedef) return undefined;
    const form = reader.find(DW_AT.type);
    at = form === 0 ? -1 : reader.reference(form);
  }
  return undefined;
}

/** Of each struct that was looked at: many parameters are of one type. */
const packed = new WeakMap<UnitList, Map<number, boolean>>();

function knownPacked(units: UnitList, unit: Unit, offset: number): boolean {
  let known = packed.get(units);
  if (known === undefined) packed.set(units, (known = new Map()));
  let is = known.get(offset);
  if (is === undefined) known.set(offset, (is = isPacked(units, unit, offset)));
  return is;
}

/**
 * A member that is not at a multiple of its size, up to that of a word, shows that the struct is packed; so does a size that none of them
 * divides.
 */
function isPacked(units: UnitList, unit: Unit, offset: number): boolean {
  // Older offsets of members are expressions.
  if (unit.version < 4) return false;
  const reader = unit.reader();
  reader.seek(offset);
  const size = numberAt(reader, DW_AT.byte_size);
  let largest = 1;
  const budget = { left: MOST_ENTRIES };
  while (reader.next() && reader.depth > 0) {
    if (reader.tag === MEMBER.tag) {
      const at = numberAt(reader, MEMBER.location);
      const typeForm = reader.find(DW_AT.type);
      const alignment = typeForm === 0 ? 1 : alignmentOf(units, unit, reader.reference(typeForm), 0, budget);
      if (reader.find(MEMBER.bitSize) === 0) {
        if (at % alignment !== 0) return true;
        largest = Math.max(largest, alignment);
      }
    }
    reader.skipTree();
  }
  return size % largest !== 0;
}

/** The natural alignment of a type, in bytes: that of its largest part. */
function alignmentOf(units: UnitList, unit: Unit, offset: number, depth: number, budget: { left: number }): number {
  const own = --budget.left > 0 && depth < 8 ? units.unitContaining(offset, unit) : undefined;
  if (own === undefined) return 1;
  const reader = own.reader();
  reader.seek(offset);
  switch (reader.tag) {
    case DW_TAG.pointer_type:
      return own.addressSize;
    case DW_TAG.base_type:
    case DW_TAG.enumeration_type: {
      const size = numberAt(reader, DW_AT.byte_size);
      return size > 0 && size <= 16 ? size : 1;
    }
    case DW_TAG.structure_type:
    case DW_TAG.union_type: {
      let largest = 1;
      while (budget.left > 0 && reader.next() && reader.depth > 0) {
        const form = reader.tag === MEMBER.tag ? reader.find(DW_AT.type) : 0;
        if (form !== 0) largest = Math.max(largest, alignmentOf(units, unit, reader.reference(form), depth + 1, budget));
        reader.skipTree();
      }
      return largest;
    }
    default: {
      const form = reader.find(DW_AT.type);
      return form === 0 ? 1 : alignmentOf(units, unit, reader.reference(form), depth + 1, budget);
    }
  }
}

function numberAt(reader: ReturnType<Unit['reader']>, attribute: number): number {
  const form = reader.find(attribute);
  return form === 0 ? 0 : reader.constant(form);
}
