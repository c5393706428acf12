import type { Allowance } from '../allowance.js';
import { FormatError } from '../errors.js';
import type { ByteReader } from './byte-reader.js';
import type { DieReader } from './die.js';
import { DW_FORM } from './dw-constants.js';
import type { UnitContext } from './unit-context.js';

/** Ranges of code as distances from the origin: begin and end of the first, begin and end of the second … */
export type Distances = readonly number[];

/** DW_RLE_*, §7.25. */
const RLE = {
  end_of_list: 0,
  base_addressx: 1,
  startx_endx: 2,
  startx_length: 3,
  offset_pair: 4,
  base_address: 5,
  start_end: 6,
  start_length: 7,
} as const;

/** The value of DW_AT_ranges, as an offset in .debug_ranges or .debug_rnglists; -1 for any other form. */
export function rangesOffset(die: DieReader, form: number): number {
  return form === DW_FORM.rnglistx ? die.context.listOffset('rnglists', die.uleb()) : die.sectionOffset(form);
}

/** Is called for each entry of a list that is read, and throws FormatError `limit` once there are too many. */
export type Pay = (entries: number) => void;

/** Entries in the list of a function or of an inlined call: a compiler splits one into a few parts. Those of a unit are as many as its functions. */
const MOST_PARTS = 1024;

function fewParts(context: UnitContext, offset: number): Pay {
  let left = MOST_PARTS;
  return entries => {
    left -= entries;
    if (left >= 0) return;
    const place = { name: context.file.info.label, offset: context.header.offset };
    throw new FormatError('limit', place, `the list of ranges at 0x${offset.toString(16)} has more than ${MOST_PARTS} entries`);
  };
}

/**
 * The ranges of a list; those that are empty are left out.
 * @param base that its entries count from, as a distance: where the unit begins
 * @param pay for what is read, where the list may be long
 * @throws FormatError
 */
export function readRanges(context: UnitContext, base: number, offset: number, pay: Pay = fewParts(context, offset)): Distances {
  if (offset < 0) return [];
  const read = context.version >= 5 ? readRangeList : readOldRanges;
  const section = context.section(context.version >= 5 ? 'rnglists' : 'ranges');
  return section.scan(offset, context.littleEndian, reader => read(context, base, reader, pay));
}

/** What the tables of ranges that code is searched by may take, in ranges: each of them stands in the file in two bytes at least. */
export function rangesAllowance({ file, version }: UnitContext): Allowance {
  return file.allowance(version >= 5 ? 'rnglists' : 'ranges', 'the ranges of code', 1 / 2);
}

/** DWARF 5, §2.17.3. */
function readRangeList(context: UnitContext, start: number, reader: ByteReader, pay: Pay): Distances {
  const { addressSize } = context;
  const ranges: number[] = [];
  let base = start;
  for (; ; pay(1)) {
    const kind = reader.u8();
    let low: number;
    let high: number;
    switch (kind) {
      case RLE.end_of_list:
        return ranges;
      case RLE.base_addressx:
        base = context.addressAt(reader.uleb());
        continue;
      case RLE.base_address:
        base = address(reader, context);
        continue;
      case RLE.startx_endx:
        low = context.addressAt(reader.uleb());
        high = context.addressAt(reader.uleb());
        break;
      case RLE.startx_length:
        low = context.addressAt(reader.uleb());
        high = low + reader.uleb();
        break;
      case RLE.offset_pair:
        low = base + reader.uleb();
        high = base + reader.uleb();
        break;
      case RLE.start_end:
        low = address(reader, context);
        high = address(reader, context);
        break;
      case RLE.start_length:
        low = reader.distance(addressSize, context.origin.low, context.origin.high);
        high = low + reader.uleb();
        break;
      default:
        reader.fail('bad-value', `${kind} is not a kind of entry in a range list`);
    }
    if (low < high) ranges.push(low, high);
  }
}

/** DWARF 4, §2.17.3. */
function readOldRanges(context: UnitContext, start: number, reader: ByteReader, pay: Pay): Distances {
  const ranges: number[] = [];
  let base = start;
  for (; ; pay(1)) {
    const pair = readPair(reader, context, base);
    if (pair === 'end') return ranges;
    if (typeof pair === 'number') base = pair;
    else if (pair[0] < pair[1]) ranges.push(pair[0], pair[1]);
  }
}

/** An entry of .debug_ranges or .debug_loc: two addresses relative to a base, the end of the list, or another base. */
export function readPair(reader: ByteReader, context: UnitContext, base: number): 'end' | number | readonly [low: number, high: number] {
  const { addressSize } = context;
  const start = reader.pos;
  reader.need(2 * addressSize);
  const bytes = reader.bytes.subarray(start, start + 2 * addressSize);
  if (bytes.every(byte => byte === 0)) {
    reader.pos += 2 * addressSize;
    return 'end';
  }
  if (bytes.subarray(0, addressSize).every(byte => byte === 0xff)) {
    reader.pos += addressSize;
    return address(reader, context);
  }
  return [relative(reader, context, base), relative(reader, context, base)];
}

/** A word that is added to a base. Where the base is address zero, the word is an address, too large for a number of its own. */
function relative(reader: ByteReader, context: UnitContext, base: number): number {
  return base === context.origin.zero || Number.isNaN(base) ? address(reader, context) : base + reader.unsigned(context.addressSize);
}

/** An address in a list, as a distance. */
export function address(reader: ByteReader, context: UnitContext): number {
  const { low, high } = context.origin;
  return reader.distance(context.addressSize, low, high);
}
