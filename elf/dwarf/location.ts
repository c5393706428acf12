import type { ByteReader } from './byte-reader.js';
import type { DieReader } from './die.js';
import { DW_FORM } from './dw-constants.js';
import { type Location, readLocation } from './expression.js';
import { address, readPair } from './ranges.js';
import type { UnitContext } from './unit-context.js';

/** A location, and the code for which it holds. */
export interface LocationEntry extends Location {
  /** Begin and end as distances from the origin; absent if it holds everywhere. Equal where gcc notes a place between two instructions. */
  readonly low?: number;
  readonly high?: number;
}

/** DW_LLE_*, §7.29, and the pairs of view numbers that gcc puts before entries. */
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

/**
 * An entry of DW_AT_location: the reader is at its value. The list's entries in their order; one for an expression.
 * @param base that a list counts from, as a distance: where the unit begins
 */
export function readLocations(die: DieReader, form: number, base: number): LocationEntry[] {
  const { context } = die;
  const length = die.block(form);
  if (length >= 0) return [readLocation(die, length, context)];
  const offset = form === DW_FORM.loclistx ? context.listOffset('loclists', die.uleb()) : die.sectionOffset(form);
  return offset < 0 ? [] : readLocationList(context, offset, base, die.offset);
}

/** The entries of a list. @param of the entry that has it: a thousand may share a list of thousands @throws FormatError */
function readLocationList(context: UnitContext, offset: number, base: number, of: number): LocationEntry[] {
  const read = context.version >= 5 ? readList : readOldList;
  const name = context.version >= 5 ? 'loclists' : 'loc';
  // Each entry of a list takes two bytes at least.
  const pay = context.file.allowance(name, 'the lists of locations', 1 / 2).account(of);
  return context.section(name).scan(offset, context.littleEndian, reader => read(reader, context, base, pay));
}

/** DWARF 5, §2.6.2. */
function readList(reader: ByteReader, context: UnitContext, start: number, pay: (entries: number) => void): LocationEntry[] {
  const entries: LocationEntry[] = [];
  let base = start;
  for (; ; pay(1)) {
    const kind = reader.u8();
    let low = Number.NaN;
    let high = Number.NaN;
    switch (kind) {
      case LLE.end_of_list:
        return entries;
      case LLE.base_addressx:
        base = context.addressAt(reader.uleb());
        continue;
      case LLE.base_address:
        base = address(reader, context);
        continue;
      case LLE.view_pair:
        reader.skipLeb();
        reader.skipLeb();
        continue;
      case LLE.startx_endx:
        low = context.addressAt(reader.uleb());
        high = context.addressAt(reader.uleb());
        break;
      case LLE.startx_length:
        low = context.addressAt(reader.uleb());
        high = low + reader.uleb();
        break;
      case LLE.offset_pair:
        low = base + reader.uleb();
        high = base + reader.uleb();
        break;
      case LLE.start_end:
        low = address(reader, context);
        high = address(reader, context);
        break;
      case LLE.start_length:
        low = address(reader, context);
        high = low + reader.uleb();
        break;
      case LLE.default_location:
        break;
      default:
        reader.fail('bad-value', `${kind} is not a kind of entry in a location list`);
    }
    const location = readLocation(reader, reader.uleb(), context);
    entries.push(kind === LLE.default_location ? location : { ...location, low, high });
  }
}

/** DWARF 4, §2.6.2. */
function readOldList(reader: ByteReader, context: UnitContext, start: number, pay: (entries: number) => void): LocationEntry[] {
  const entries: LocationEntry[] = [];
  let base = start;
  for (; ; pay(1)) {
    const pair = readPair(reader, context, base);
    if (pair === 'end') return entries;
    if (typeof pair === 'number') {
      base = pair;
      continue;
    }
    const [low, high] = pair;
    entries.push({ ...readLocation(reader, reader.u16(), context), low, high });
  }
}
