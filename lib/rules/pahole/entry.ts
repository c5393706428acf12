import type { LocationEntry } from '../../../elf/dwarf/location.js';
import type { Parameter, Subprogram } from '../../../elf/dwarf/subprogram.js';
import type { Unit } from '../../../elf/dwarf/unit.js';
import type { UnitList } from '../../../elf/dwarf/unit-list.js';
import { comparableType, structOf } from './types.js';

/** A parameter as pahole looks at it. */
export interface EntryParameter {
  readonly name?: string;
  /** As C writes it. */
  readonly type: string;
  /** What is compared of the type: `comparableType`. */
  readonly comparable: string;
  /** The DWARF number of the register that the first entry of its location names. */
  readonly register?: number;
  /** Registers whose value at the entry of the function some later location is. */
  readonly entryRegisters: readonly number[];
  /** It has a location, and none of constant value. */
  readonly located: boolean;
  /** A struct by value: itself, behind `const` and typedefs; `packed` where it is named without those, and its members are not aligned. */
  readonly struct?: 'struct' | 'packed';
  /** Offset of the parameter of the abstract instance that it stands for; -1 for none. */
  readonly origin: number;
}

/** One DW_TAG_subprogram of a name, as pahole sees it: plain data, which threads hand to each other. */
export interface Entry {
  readonly name: string;
  /** Path of the unit's source, as the compiler was given it. */
  readonly unit: string;
  /** DW_LANG_* of the unit. */
  readonly language: number;
  /** Offset of the entry in .debug_info. */
  readonly offset: number;
  readonly kind: Subprogram['kind'];
  readonly external: boolean;
  /** Where its code begins. */
  readonly address?: bigint;
  /** `fs/read_write.c:612` */
  readonly declared?: string;
  /** DW_AT_calling_convention is DW_CC_nocall. */
  readonly nocall: boolean;
  /** The rest is empty for declarations, which pahole passes over. */
  readonly prototype: string;
  readonly returns: string;
  readonly parameters: readonly EntryParameter[];
}

/** What pahole sees of a subprogram. @throws FormatError for damage in its unit */
export function entryOf(fn: Subprogram): Entry {
  const { units, unit, kind, declared, address } = fn;
  const about = {
    name: fn.name ?? '',
    unit: unitName(unit),
    language: unit.root.language,
    offset: fn.offset,
    kind,
    external: fn.external,
    nocall: fn.callingConvention === 'nocall',
    ...(address === undefined ? {} : { address }),
    ...(declared === undefined ? {} : { declared: `${declared.file}:${declared.line}` }),
  };
  if (kind === 'declaration') return { ...about, prototype: '', returns: '', parameters: [] };
  return {
    ...about,
    prototype: fn.prototype,
    returns: comparableType(units, unit, fn.returnTypeOffset),
    parameters: fn.parameters.map(parameter => parameterOf(units, unit, parameter)),
  };
}

/** The path of a unit's source. */
export function unitName(unit: Unit): string {
  return unit.file.strings.get(unit.root.name) ?? `the unit at 0x${unit.offset.toString(16)}`;
}

function parameterOf(units: UnitList, unit: Unit, { name, type, typeOffset, locations, constant, origin }: Parameter): EntryParameter {
  const [first] = locations;
  const register = first === undefined ? undefined : registerOf(first);
  const struct = structOf(units, unit, typeOffset);
  return {
    ...(name === undefined ? {} : { name }),
    type,
    comparable: comparableType(units, unit, typeOffset),
    ...(register === undefined ? {} : { register }),
    entryRegisters: locations.flatMap(({ kind, register }) => (kind === 'entry-value' && register !== undefined ? [register] : [])),
    located: locations.length > 0 && !constant,
    ...(struct === undefined ? {} : { struct }),
    origin,
  };
}

/** The register of an expression that begins with one: a value in several pieces begins with that of the first. */
function registerOf({ text }: LocationEntry): number | undefined {
  const match = /^DW_OP_reg(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}
