import { FormatError } from '../errors.js';
import { ByteReader, readUnitLength } from './byte-reader.js';
import type { DebugFile } from './debug-file.js';

/**
 * The index of addresses, .debug_aranges, §6.1.2: which unit's code stands where. gcc and gas write a set for each unit, clang none. Damage
 * ends the reading and is noted: units that are not in the index are found by their entries.
 * @returns low, high, offset of the unit; low, high, offset …
 */
export function readAranges(file: DebugFile, note: (error: FormatError) => void): number[] {
  const section = file.sections.get('aranges');
  const ranges: number[] = [];
  if (section === undefined) return ranges;
  try {
    const reader = new ByteReader(section.bytes(), file.littleEndian, section.label);
    while (reader.pos < reader.bytes.length) readSet(reader, file, ranges);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    note(error);
  }
  return ranges;
}

function readSet(reader: ByteReader, file: DebugFile, ranges: number[]): void {
  const start = reader.pos;
  reader.end = reader.bytes.length;
  const { length, offsetSize } = readUnitLength(reader);
  reader.need(length);
  const end = reader.pos + length;
  reader.end = end;
  const version = reader.u16();
  const unit = reader.unsigned(offsetSize);
  const addressSize = reader.u8();
  const segmentSize = reader.u8();
  if (version === 2 && segmentSize === 0 && (addressSize === 4 || addressSize === 8)) {
    const { low: originLow, high: originHigh, zero } = file.origin;
    // Pairs are aligned to their size, from the beginning of the set.
    const pair = 2 * addressSize;
    reader.pos = start + Math.ceil((reader.pos - start) / pair) * pair;
    while (reader.pos + pair <= end) {
      const low = reader.distance(addressSize, originLow, originHigh);
      const size = reader.unsigned(addressSize);
      if (low === zero && size === 0) break;
      if (size > 0) ranges.push(low, low + size, unit);
    }
  }
  reader.pos = end;
  reader.end = reader.bytes.length;
}
