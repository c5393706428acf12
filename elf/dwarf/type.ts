import { NO_STRING } from './debug-strings.js';
import { type DieReader, NONE } from './die.js';
import { DW_AT, DW_FORM, DW_TAG } from './dw-constants.js';
import type { Unit } from './unit.js';
import type { UnitList } from './unit-list.js';

/** Entries that the text of one type may visit: more than any type of a kernel, and a bound for what damage makes of one. */
const MOST_ENTRIES = 512;

/** What one entry of a type says. */
interface TypeEntry {
  readonly tag: number;
  readonly name: string | undefined;
  /** Offset of the type it is made of, or -1 for void. */
  readonly type: number;
}

/**
 * A type as C writes it, from DWARF's chain of entries: `const char *`, `int (*)(struct file *, unsigned int)`, `struct page *[4]`. With a
 * declarator, as a declaration of it: `int (*op)(int)`.
 */
export class TypePrinter {
  #left = MOST_ENTRIES;
  readonly #units: UnitList;
  readonly #unit: Unit;

  /** @param unit tried first for each entry */
  constructor(units: UnitList, unit: Unit) {
    this.#units = units;
    this.#unit = unit;
  }

  /** @param offset of the type in .debug_info; negative for void */
  text(offset: number, declarator = ''): string {
    this.#left = MOST_ENTRIES;
    return this.#print(offset, declarator).trimEnd();
  }

  #print(offset: number, declarator: string): string {
    let inner = declarator;
    let qualifiers = '';
    for (let at = offset; ; ) {
      if (at < 0) return withName(`${qualifiers}void`, inner);
      const reader = this.#enter(at);
      if (reader === undefined) return withName(`${qualifiers}?`, inner);
      const { tag, name, type } = readType(reader);
      switch (tag) {
        case DW_TAG.const_type:
        case DW_TAG.volatile_type:
        case DW_TAG.restrict_type:
        case DW_TAG.atomic_type:
          qualifiers += `${QUALIFIERS[tag]!} `;
          break;
        case DW_TAG.pointer_type:
        case DW_TAG.reference_type:
        case DW_TAG.rvalue_reference_type:
          // A pointer with a name and no target is Rust's.
          if (name !== undefined) return withName(qualifiers + name, inner);
          inner = `${tag === DW_TAG.pointer_type ? '*' : tag === DW_TAG.reference_type ? '&' : '&&'}${qualifiers}${inner}`;
          qualifiers = '';
          break;
        case DW_TAG.array_type:
          inner = `${bracketed(inner)}${this.#bounds(reader)}`;
          break;
        case DW_TAG.subroutine_type:
          inner = `${bracketed(inner)}(${this.#parameters(reader)})`;
          qualifiers = '';
          break;
        default:
          return withName(qualifiers + (KEYWORDS[tag] ?? '') + (name ?? (KEYWORDS[tag] === undefined ? '?' : '{…}')), inner);
      }
      at = type;
    }
  }

  /** A reader at an entry; undefined if there is none, or the type is too long to be one. */
  #enter(offset: number): DieReader | undefined {
    if (--this.#left < 0) return undefined;
    return this.#units.entryAt(offset, this.#unit);
  }

  /** `[4][2]`, from the entry of an array. */
  #bounds(die: DieReader): string {
    let text = '';
    while (die.next() && die.depth > 0 && --this.#left > 0) {
      if (die.tag === DW_TAG.subrange_type) text += boundText(die);
      die.skipTree();
    }
    return text || '[]';
  }

  #parameters(die: DieReader): string {
    const prototyped = die.find(DW_AT.prototyped) !== 0;
    const parts: string[] = [];
    while (die.next() && die.depth > 0 && --this.#left > 0) {
      if (die.tag === DW_TAG.unspecified_parameters) parts.push('...');
      else if (die.tag === DW_TAG.formal_parameter) {
        const form = die.find(DW_AT.type);
        parts.push(this.#print(form === 0 ? NONE : die.reference(form), ''));
      }
      die.skipTree();
    }
    return parts.length === 0 && prototyped ? 'void' : parts.join(', ');
  }
}

const QUALIFIERS: Readonly<Record<number, string>> = {
  [DW_TAG.const_type]: 'const',
  [DW_TAG.volatile_type]: 'volatile',
  [DW_TAG.restrict_type]: 'restrict',
  [DW_TAG.atomic_type]: '_Atomic',
};

const KEYWORDS: Readonly<Record<number, string>> = {
  [DW_TAG.structure_type]: 'struct ',
  [DW_TAG.class_type]: 'class ',
  [DW_TAG.union_type]: 'union ',
  [DW_TAG.enumeration_type]: 'enum ',
};

function readType(die: DieReader): TypeEntry {
  let name = NO_STRING;
  let type = NONE;
  const { lastSpec } = die;
  for (let spec = die.firstSpec; spec < lastSpec; spec++) {
    const form = die.form(spec);
    const attribute = die.attribute(spec);
    if (attribute === DW_AT.name) name = die.string(form);
    else if (attribute === DW_AT.type) type = die.reference(form);
    else die.skipForm(form);
  }
  return { tag: die.tag, name: die.context.file.strings.get(name), type };
}

function boundText(die: DieReader): string {
  for (const [attribute, more] of [
    [DW_AT.upper_bound, 1],
    [DW_AT.count, 0],
  ] as const) {
    const form = die.find(attribute);
    // A bound that is an expression or a reference is that of a variable-length array.
    if (form === 0 || form === DW_FORM.exprloc || (form >= DW_FORM.ref1 && form <= DW_FORM.ref_udata)) continue;
    const value = die.constant(form);
    // -1 is how gcc 12 and older wrote [0].
    return `[${value >= 0xffff_ffff ? 0 : value + more}]`;
  }
  return '[]';
}

function withName(type: string, declarator: string): string {
  return declarator === '' ? type : `${type} ${declarator}`;
}

/** `(*op)` for a pointer: what follows it binds closer than the star. */
function bracketed(declarator: string): string {
  return declarator.startsWith('*') || declarator.startsWith('&') ? `(${declarator})` : declarator;
}
