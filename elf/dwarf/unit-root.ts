import type { AbbrevTable } from './abbrev.js';
import type { DebugFile } from './debug-file.js';
import { NO_STRING, type StringHandle } from './debug-strings.js';
import { DieReader, NONE } from './die.js';
import { DW_AT } from './dw-constants.js';
import { Extent } from './extent.js';
import { defaultBases, type UnitBases, UnitContext } from './unit-context.js';
import type { UnitHeader } from './unit-header.js';

/** What the first entry of a unit says about all of it. */
export interface UnitRoot extends UnitBases {
  /** DW_TAG_*: compile_unit mostly. */
  readonly tag: number;
  readonly name: StringHandle;
  readonly compDir: StringHandle;
  readonly producer: StringHandle;
  /** DW_LANG_*: 0x1d for C11; 0x8001 for assembly; 0x1c for Rust. */
  readonly language: number;
  /** DW_AT_low_pc as a distance: the base of lists; that of address zero where the unit has none. */
  readonly low: number;
  /** The end by DW_AT_high_pc; NaN if the unit has none. */
  readonly high: number;
  /** Offset of its ranges, or -1. */
  readonly ranges: number;
  /** Offset in .debug_line, or -1. */
  readonly lines: number;
}

/** The first entry of a unit, and what the values of all others are read with. */
export interface OpenedUnit {
  readonly root: UnitRoot;
  readonly context: UnitContext;
}

/** @param bytes of the unit from its beginning, as many as its first entry takes. @throws FormatError */
export function readRoot(file: DebugFile, header: UnitHeader, bytes: Uint8Array, abbrevs: AbbrevTable): OpenedUnit {
  // Strings and addresses by index need the bases, which may come after them: these are read first.
  const bases = readBases(new UnitContext(file, header, defaultBases(header)), bytes, abbrevs);
  const context = new UnitContext(file, header, bases);
  const die = new DieReader(context, bytes, abbrevs);
  die.next();
  return { root: readAttributes(die, bases), context };
}

function readBases(context: UnitContext, bytes: Uint8Array, abbrevs: AbbrevTable): UnitBases {
  const die = new DieReader(context, bytes, abbrevs);
  if (!die.next()) context.fail('the unit has no entry');
  let { stringsBase, addressBase, rnglistsBase, loclistsBase } = context.bases;
  for (let spec = die.firstSpec; spec < die.lastSpec; spec++) {
    const form = die.form(spec);
    const attribute = die.attribute(spec);
    if (attribute === DW_AT.str_offsets_base) stringsBase = die.sectionOffset(form);
    else if (attribute === DW_AT.addr_base) addressBase = die.sectionOffset(form);
    else if (attribute === DW_AT.rnglists_base) rnglistsBase = die.sectionOffset(form);
    else if (attribute === DW_AT.loclists_base) loclistsBase = die.sectionOffset(form);
    else die.skipForm(form);
  }
  return { stringsBase, addressBase, rnglistsBase, loclistsBase };
}

function readAttributes(die: DieReader, bases: UnitBases): UnitRoot {
  let name = NO_STRING;
  let compDir = NO_STRING;
  let producer = NO_STRING;
  let language = 0;
  let lines = NONE;
  const code = new Extent();
  code.reset(die.context.origin.zero);
  for (let spec = die.firstSpec; spec < die.lastSpec; spec++) {
    const form = die.form(spec);
    const attribute = die.attribute(spec);
    switch (attribute) {
      case DW_AT.name:
        name = die.string(form);
        break;
      case DW_AT.comp_dir:
        compDir = die.string(form);
        break;
      case DW_AT.producer:
        producer = die.string(form);
        break;
      case DW_AT.language:
        language = die.constant(form);
        break;
      case DW_AT.stmt_list:
        lines = die.sectionOffset(form);
        break;
      default:
        code.read(die, attribute, form);
    }
  }
  const { low, high, ranges } = code;
  return { tag: die.tag, name, compDir, producer, language, low, high, ranges, lines, ...bases };
}
