import { ByteReader, readUnitLength } from './byte-reader.js';
import { DW_UT } from './dw-constants.js';
import type { Encoding } from './form.js';
import type { DebugSection } from './sections.js';

/** What is before the entries of a unit of .debug_info, §7.5.1. */
export interface UnitHeader extends Encoding {
  /** In .debug_info. */
  readonly offset: number;
  /** Bytes, with the header. */
  readonly length: number;
  /** DW_UT_*; compile where the version has no types of units. */
  readonly type: number;
  /** Bytes before the first entry. */
  readonly headerSize: number;
  /** Where in .debug_abbrev its abbreviations begin. */
  readonly abbrevOffset: number;
}

/** The longest header: 64-bit DWARF 5 of a type unit. */
const LONGEST_HEADER = 40;

/** @throws FormatError where no unit of DWARF 2 to 5 begins at the offset */
export function readUnitHeader(info: DebugSection, littleEndian: boolean, offset: number): UnitHeader {
  const start = info.read(offset, Math.max(0, Math.min(LONGEST_HEADER, info.size - offset)));
  const reader = new ByteReader(start, littleEndian, info.label, offset);
  const { length, offsetSize } = readUnitLength(reader);
  const behindLength = reader.pos;
  if (length > info.size - offset - behindLength) {
    reader.pos = 0;
    reader.fail('out-of-range', `a unit of ${length} bytes does not fit into the section`);
  }
  reader.end = Math.min(reader.end, behindLength + length);
  const version = reader.u16();
  if (version < 2 || version > 5) reader.fail('unsupported', `a unit of DWARF ${version}; kelf reads 2 to 5`);
  let type: number = DW_UT.compile;
  let addressSize: number;
  let abbrevOffset: number;
  if (version >= 5) {
    type = reader.u8();
    addressSize = reader.u8();
    abbrevOffset = reader.unsigned(offsetSize);
    if (type === DW_UT.skeleton || type === DW_UT.split_compile) reader.skip(8);
    else if (type === DW_UT.type || type === DW_UT.split_type) reader.skip(8 + offsetSize);
  } else {
    abbrevOffset = reader.unsigned(offsetSize);
    addressSize = reader.u8();
  }
  if (addressSize !== 4 && addressSize !== 8) reader.fail('unsupported', `addresses of ${addressSize} bytes; kelf reads 4 and 8`);
  return { offset, length: behindLength + length, version, addressSize, offsetSize, type, headerSize: reader.pos, abbrevOffset };
}
