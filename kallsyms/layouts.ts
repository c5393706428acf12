import { type AddressEncoding, ENCODINGS, isTable, readWords, widthOf } from './encodings.js';

/** Where the packed names lie in a run of bytes, as offsets. */
export interface NameTables {
  readonly littleEndian: boolean;
  readonly count: number;
  /** Offset of `kallsyms_num_syms`. */
  readonly numSyms: number;
  readonly names: number;
  readonly markers: number;
  readonly tokenTable: number;
  readonly tokenIndex: number;
}

/** Where the addresses stand, and how they are kept. */
export interface AddressLayout {
  /** Offset of `kallsyms_offsets`, or of `kallsyms_addresses` where `encoding` is `absolute`. */
  readonly addresses: number;
  readonly encoding: AddressEncoding;
  /** Offset of `kallsyms_relative_base`. */
  readonly relativeBase?: number;
}

/**
 * The places where the addresses of symbols may stand, and how they may be kept there: those in which they ascend, as the table is sorted by
 * address. A release has one place for them, that all its tables' alignment fixes (write_src() in scripts/kallsyms.c).
 * @param align what the tables begin at multiples of
 */
export function addressLayouts(view: DataView, tables: NameTables, align: number, wordSize: number): AddressLayout[] {
  const layouts = [...behindTokens(tables, wordSize), ...beforeCount(tables, align, wordSize)];
  return layouts.filter(layout => fits(layout, tables.count, wordSize, view.byteLength) && ascends(view, layout, tables, wordSize));
}

/** 6.4 and later (404bad70fcf7). The index of the tokens takes 512 bytes: what is behind it is aligned as it is. */
function behindTokens({ tokenIndex, count }: NameTables, wordSize: number): AddressLayout[] {
  const addresses = tokenIndex + 512;
  const end = addresses + count * 4;
  const relativeBase = end + ((tokenIndex - end) & (wordSize - 1));
  return [
    // 7.0 (a081b5789255); without CONFIG_RELOCATABLE, its 32-bit kernels have whole addresses there
    { addresses, encoding: 'place-relative' },
    { addresses, encoding: 'base-relative', relativeBase },
    { addresses, encoding: 'absolute-percpu', relativeBase },
    { addresses, encoding: 'absolute' },
  ];
}

/** Before 6.4: in front of the count, whole addresses, or offsets and their base (4.6, 2213e9a66bb8), each table filled up to the next. */
function beforeCount({ numSyms, count }: NameTables, align: number, wordSize: number): AddressLayout[] {
  const begin = (end: number, size: number): number => end - size - ((end - size - numSyms) & (align - 1));
  const relativeBase = begin(numSyms, wordSize);
  const offsets = begin(relativeBase, count * 4);
  return [
    { addresses: offsets, encoding: 'base-relative', relativeBase },
    { addresses: offsets, encoding: 'absolute-percpu', relativeBase },
    { addresses: begin(numSyms, count * wordSize), encoding: 'absolute' },
  ];
}

function fits({ addresses, encoding, relativeBase = 0 }: AddressLayout, count: number, wordSize: number, size: number): boolean {
  const end = addresses + count * widthOf(encoding, wordSize);
  return addresses >= 0 && end <= size && relativeBase >= 0 && relativeBase + wordSize <= size;
}

function ascends(view: DataView, { addresses, encoding }: AddressLayout, { count, littleEndian }: NameTables, wordSize: number): boolean {
  if (widthOf(encoding, wordSize) === 8) return wordsInOrder(view, addresses, count, littleEndian);
  return ENCODINGS[encoding].ascends(readWords(new Uint8Array(view.buffer, view.byteOffset + addresses, count * 4), littleEndian));
}

/** Words of 64 bits, by their halves: as a number, one would be rounded to 2 KiB. */
function wordsInOrder(view: DataView, at: number, count: number, littleEndian: boolean): boolean {
  const [lowAt, highAt] = littleEndian ? [at, at + 4] : [at + 4, at];
  let [low, high, distinct] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const nextLow = view.getUint32(lowAt + i * 8, littleEndian);
    const nextHigh = view.getUint32(highAt + i * 8, littleEndian);
    if (nextHigh < high || (nextHigh === high && nextLow < low)) return false;
    if (nextHigh > high || nextLow > low) distinct++;
    [low, high] = [nextLow, nextHigh];
  }
  return isTable(distinct, count);
}
