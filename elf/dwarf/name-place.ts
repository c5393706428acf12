import { FormatError } from '../errors.js';
import type { ByteReader } from './byte-reader.js';
import type { DebugFile } from './debug-file.js';
import { DW_AT, DW_FORM, DW_TAG } from './dw-constants.js';
import { formSize } from './form.js';
import type { UnitHeader } from './unit-header.js';

/** Where an abbreviation of a subprogram has the name: after the bytes of its code, and so many others. */
interface NamePlace {
  readonly form: number;
  readonly code: Uint8Array;
  readonly before: number;
}

/**
 * Tells of a place in a unit whether the name of a subprogram can be there: an entry would begin before it with the code of an
 * abbreviation that has one. Most names of helpers are names of parameters and members too, and a unit need not be read for these.
 */
export class NamePlaces {
  /** Undefined if any place may hold one. */
  readonly #places: readonly NamePlace[] | undefined;

  constructor(file: DebugFile, unit: UnitHeader) {
    this.#places = placesOf(file, unit);
  }

  /**
   * @param bytes a part of .debug_info
   * @param at index of the name, or of the lower four bytes of its offset
   * @param form DW_FORM_string or DW_FORM_strp
   */
  canHold(bytes: Uint8Array, at: number, form: number): boolean {
    return this.#places === undefined || this.#places.some(place => place.form === form && fits(place, bytes, at));
  }
}

function fits({ code, before }: NamePlace, bytes: Uint8Array, at: number): boolean {
  const end = at - before;
  const start = end - code.length;
  // What is before the part is unknown. A LEB128 number may be padded: with a zero after a byte that says it goes on.
  if (start < 0 || (bytes[end - 1] === 0 && (bytes[end - 2] ?? 0x80) >= 0x80)) return true;
  for (let i = 0; i < code.length; i++) if (bytes[start + i] !== code[i]) return false;
  return true;
}

function placesOf(file: DebugFile, unit: UnitHeader): readonly NamePlace[] | undefined {
  try {
    const { littleEndian } = file;
    return file.sections.get('abbrev')?.scan(unit.abbrevOffset, littleEndian, reader => readPlaces(reader, unit, littleEndian));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Goes over the abbreviations as AbbrevTable does, which takes several times as long since it keeps all of them. */
function readPlaces(reader: ByteReader, unit: UnitHeader, littleEndian: boolean): readonly NamePlace[] | undefined {
  // Of an offset of eight bytes, the high four come first.
  const high = unit.offsetSize === 8 && !littleEndian ? 4 : 0;
  const found: NamePlace[] = [];
  for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
    const subprogram = reader.uleb() === DW_TAG.subprogram;
    reader.skip(1);
    /** NaN if the values in front tell their own lengths. */
    let before = 0;
    for (;;) {
      const attribute = reader.uleb();
      const form = reader.uleb();
      if (attribute === 0 && form === 0) break;
      if (form === DW_FORM.implicit_const) reader.skipLeb();
      if (!subprogram) continue;
      if (attribute === DW_AT.name) {
        if (form === DW_FORM.indirect || Number.isNaN(before)) return undefined;
        found.push({ form, code: uleb(code), before: form === DW_FORM.strp ? before + high : before });
      }
      const size = formSize(form, unit) ?? -1;
      before += size < 0 ? Number.NaN : size;
    }
  }
  return found;
}

function uleb(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    const more = rest >= 128;
    bytes.push((rest % 128) + (more ? 128 : 0));
    if (!more) return Uint8Array.from(bytes);
  }
}
