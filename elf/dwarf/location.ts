import type { ByteReader } from './byte-reader.js';
import { DW_FORM } from './constants.js';
import type { DieReader } from './die.js';
import { type Location, readLocation } from './expression.js';
import { address, listOffset, readPair } from './ranges.js';
import type { Unit } from './unit.js';

/** A location, and the code for which it holds. */
export interface LocationEntry extends Location {
  /** Begin and end as distances from the origin; absent where it holds everywhere. Equal where gcc notes a place between two instructions. */
  readonly low?: number;
  readonly high?: number;
}

/** DW_LLE_*, §7.29, and the pairs of view numbers that gcc puts in front of entries. */
const LLE = {
  end_of_list: 0,
  base_addressx: 1,
  startx_endx: 2,
  startx_length: 3,
  offset_pair: 4,
  default_location: 5,
  base_address: 6,
  start_end: 7,
  start_length: 8,
  view_pair: 9,
} as const;

/** An entry of DW_AT_location: the reader stands at its value. The list's entries in their order; one for an expression. */
export function readLocations(die: DieReader, form: number, most: number = Number.POSITIVE_INFINITY): LocationEntry[] {
  const { unit } = die;
  const length = die.block(form);
  if (length >= 0) return [readLocation(die, length, unit)];
  const offset = form === DW_FORM.loclistx ? listOffset(unit, 'loclists', die.uleb()) : die.sectionOffset(form);
  return offset < 0 ? [] : readLocationList(unit, offset, most);
}

/** At most `most` entries of a list. @throws FormatError */
export function readLocationList(unit: Unit, offset: number, most: number): LocationEntry[] {
  const isNew = unit.version >= 5;
  return unit
    .section(isNew ? 'loclists' : 'loc')
    .scan(offset, unit.littleEndian, reader => (isNew ? readList(reader, unit, most) : readOldList(reader, unit, most)));
}

/** DWARF 5, §2.6.2. */
function readList(reader: ByteReader, unit: Unit, most: number): LocationEntry[] {
  const entries: LocationEntry[] = [];
  let base = unit.root.low;
  while (entries.length < most) {
    const kind = reader.u8();
    let low = Number.NaN;
    let high = Number.NaN;
    switch (kind) {
      case LLE.end_of_list:
        return entries;
      case LLE.base_addressx:
        base = unit.addressAt(reader.uleb());
        continue;
      case LLE.base_address:
        base = address(reader, unit);
        continue;
      case LLE.view_pair:
        reader.skipLeb();
        reader.skipLeb();
        continue;
      case LLE.startx_endx:
        low = unit.addressAt(reader.uleb());
        high = unit.addressAt(reader.uleb());
        break;
      case LLE.startx_length:
        low = unit.addressAt(reader.uleb());
        high = low + reader.uleb();
        break;
      case LLE.offset_pair:
        low = base + reader.uleb();
        high = base + reader.uleb();
        break;
      case LLE.start_end:
        low = address(reader, unit);
        high = address(reader, unit);
        break;
      case LLE.start_length:
        low = address(reader, unit);
        high = low + reader.uleb();
        break;
      case LLE.default_location:
        break;
      default:
        reader.fail('bad-value', `${kind} is no kind of entry in a list of locations`);
    }
    const location = readLocation(reader, reader.uleb(), unit);
    entries.push(kind === LLE.default_location ? location : { ...location, low, high });
  }
  return entries;
}

/** DWARF 4, §2.6.2. */
function readOldList(reader: ByteReader, unit: Unit, most: number): LocationEntry[] {
  const entries: LocationEntry[] = [];
  let base = unit.root.low;
  while (entries.length < most) {
    const pair = readPair(reader, unit, base);
    if (pair === 'end') break;
    if (typeof pair === 'number') {
      base = pair;
      continue;
    }
    const [low, high] = pair;
    entries.push({ ...readLocation(reader, reader.u16(), unit), low, high });
  }
  return entries;
}
