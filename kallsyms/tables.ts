import { FormatError } from '../elf/errors.js';
import type { Memory } from '../elf/memory.js';
import { halves, Words } from '../elf/words.js';
import { KernelSymbols, type SymbolColumns } from './symbols.js';

/** Where the packed tables of a kernel stand: the addresses of its `kallsyms_*` labels. */
export interface KallsymsLocation {
  readonly numSyms: bigint;
  readonly names: bigint;
  readonly markers: bigint;
  readonly tokenTable: bigint;
  readonly tokenIndex: bigint;
  /** `kallsyms_addresses`, where the kernel has whole addresses. */
  readonly addresses?: bigint;
  /** `kallsyms_offsets`, otherwise. */
  readonly offsets?: bigint;
  /** `kallsyms_relative_base`; absent in 7.0 and later, whose offsets are relative to their own place, or addresses of 32 bits. */
  readonly relativeBase?: bigint;
}

/** How the addresses are kept; the names are those of scripts/kallsyms.c's options. */
export type AddressEncoding = 'absolute' | 'base-relative' | 'absolute-percpu' | 'place-relative';

/** The labels of {@link KallsymsLocation}, looked up by name; undefined where the image has no packed tables. */
export function kallsymsLocation(addressOf: (name: string) => bigint | undefined): KallsymsLocation | undefined {
  const numSyms = addressOf('kallsyms_num_syms');
  const names = addressOf('kallsyms_names');
  const markers = addressOf('kallsyms_markers');
  const tokenTable = addressOf('kallsyms_token_table');
  const tokenIndex = addressOf('kallsyms_token_index');
  const addresses = addressOf('kallsyms_addresses');
  const offsets = addressOf('kallsyms_offsets');
  const relativeBase = addressOf('kallsyms_relative_base');
  if (numSyms === undefined || names === undefined || markers === undefined || tokenTable === undefined || tokenIndex === undefined)
    return undefined;
  if (addresses === undefined && offsets === undefined) return undefined;
  return {
    numSyms,
    names,
    markers,
    tokenTable,
    tokenIndex,
    ...(addresses === undefined ? {} : { addresses }),
    ...(offsets === undefined ? {} : { offsets }),
    ...(relativeBase === undefined ? {} : { relativeBase }),
  };
}

/** The longest expansion of a symbol that is accepted; KSYM_NAME_LEN is 512 since 6.1, with the letter and the NUL. */
const LONGEST = 1024;
/** Names take two to three times the space of their tokens; what takes more than this many times is damage, or made to exhaust the memory. */
const MOST_EXPANSION = 32;

/**
 * Decodes the packed symbol table of a kernel image (scripts/kallsyms.c writes it, kernel/kallsyms.c reads it): a name is a run of tokens, each a
 * byte that stands for a string of `kallsyms_token_table`; the first character of the expanded name is the symbol's letter.
 * @param name what the table is called in messages
 * @throws FormatError where the tables do not fit each other
 */
export function decodeKallsyms(memory: Memory, at: KallsymsLocation, name: string): { symbols: KernelSymbols; encoding: AddressEncoding } {
  const { littleEndian } = memory;
  const u32 = (bytes: Uint8Array, index: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset + index * 4).getUint32(0, littleEndian);
  // Before 4.20 the count is a long (80ffbaa5b1bd), whose upper half is zero and, in a big-endian image, comes first. The labels do not tell: both are
  // followed by bytes up to the next multiple of 8.
  const first = u32(memory.stored(at.numSyms, 4), 0);
  const count = first === 0 && memory.wordSize === 8 && !littleEndian ? u32(memory.stored(at.numSyms, 8), 1) : first;
  const place = { name };
  const packed = memory.stored(at.names, Math.max(0, Number(at.markers - at.names)));
  if (count === 0 || count > packed.length) {
    throw new FormatError('bad-value', place, `${count} symbols do not fit in ${packed.length} bytes of packed names`);
  }
  const tokens = readTokens(memory, at, place);
  const markers = memory.stored(at.markers, Math.max(0, Number(at.tokenTable - at.markers)));
  const longLengths = lengthsAreLong(packed, markers, count, littleEndian);
  const { type, nameOffset, strings } = expandNames(packed, tokens, count, longLengths, place);
  const { address, encoding } = readAddresses(memory, at, count);
  const columns: SymbolColumns = { address, type, nameOffset, strings };
  return { symbols: new KernelSymbols(name, columns), encoding };
}

interface Tokens {
  readonly bytes: Uint8Array;
  /** Where each of the 256 begins, and where it ends. */
  readonly start: Uint16Array;
  readonly end: Uint32Array;
}

function readTokens(memory: Memory, at: KallsymsLocation, place: { name: string }): Tokens {
  const bytes = memory.stored(at.tokenTable, Math.max(0, Number(at.tokenIndex - at.tokenTable)));
  const index = memory.stored(at.tokenIndex, 512);
  const view = new DataView(index.buffer, index.byteOffset, 512);
  const start = new Uint16Array(256);
  const end = new Uint32Array(256);
  for (let token = 0; token < 256; token++) {
    start[token] = view.getUint16(token * 2, memory.littleEndian);
    const stop = bytes.indexOf(0, start[token]);
    if (start[token]! >= bytes.length || stop < 0) {
      throw new FormatError('out-of-range', place, `token ${token} begins at ${start[token]}, the token table has ${bytes.length} bytes`);
    }
    end[token] = stop;
  }
  return { bytes, start, end };
}

/**
 * Whether a length byte above 127 means that a second byte follows (6.1 and later, 73bbb94466fd). The markers tell, each where the next 256 symbols
 * begin, and where the names end: only the right reading arrives there.
 */
function lengthsAreLong(packed: Uint8Array, markers: Uint8Array, count: number, littleEndian: boolean): boolean {
  const view = new DataView(markers.buffer, markers.byteOffset, markers.length);
  const marker = (index: number, width: number): number => {
    const at = index * width + (width === 8 && !littleEndian ? 4 : 0);
    return at + 4 <= markers.length ? view.getUint32(at, littleEndian) : -1;
  };
  // Markers of 8 bytes: the second half of the first one is zero too.
  const width = count > 256 && marker(1, 4) === 0 ? 8 : 4;
  const arrives = (long: boolean): boolean => {
    let at = 0;
    for (let row = 0; row < count; row++) {
      if (row % 256 === 0 && at !== marker(row / 256, width)) return false;
      const first = packed[at]!;
      at += !long || first < 0x80 ? first + 1 : ((first & 0x7f) | (packed[at + 1]! << 7)) + 2;
      if (!(at <= packed.length)) return false;
    }
    return packed.length - at < 8;
  };
  return arrives(true) || !arrives(false);
}

function lengthAt(packed: Uint8Array, at: number, long: boolean): { tokens: number; total: number } {
  const first = packed[at] ?? 0;
  if (!long || first < 0x80) return { tokens: first, total: first + 1 };
  const tokens = (first & 0x7f) | ((packed[at + 1] ?? 0) << 7);
  return { tokens, total: tokens + 2 };
}

function expandNames(
  packed: Uint8Array,
  tokens: Tokens,
  count: number,
  long: boolean,
  place: { name: string },
): { type: Uint8Array; nameOffset: Uint32Array; strings: Uint8Array } {
  const type = new Uint8Array(count);
  const nameOffset = new Uint32Array(count);
  let strings = new Uint8Array(packed.length * 3 + LONGEST);
  let length = 0;
  let at = 0;
  for (let row = 0; row < count; row++) {
    const { tokens: number, total } = lengthAt(packed, at, long);
    if (number === 0 || at + total > packed.length) {
      throw new FormatError(
        'bad-value',
        { ...place, offset: at },
        `symbol ${row} has ${number} tokens, ${packed.length - at} bytes are left`,
      );
    }
    if (length > packed.length * MOST_EXPANSION + LONGEST) {
      throw new FormatError('limit', { ...place, offset: at }, `the names unpack to more than ${MOST_EXPANSION} times their size`);
    }
    if (length + LONGEST > strings.length) {
      const larger = new Uint8Array(strings.length * 2 + LONGEST);
      larger.set(strings);
      strings = larger;
    }
    const begin = length;
    for (let i = at + total - number; i < at + total; i++) {
      const token = packed[i]!;
      const end = tokens.end[token]!;
      if (length + (end - tokens.start[token]!) - begin >= LONGEST) {
        throw new FormatError('limit', { ...place, offset: at }, `symbol ${row} expands to more than ${LONGEST} bytes`);
      }
      for (let from = tokens.start[token]!; from < end; from++) strings[length++] = tokens.bytes[from]!;
    }
    // The letter stays where it is: the name begins behind it.
    type[row] = strings[begin] ?? 0;
    nameOffset[row] = begin + 1;
    if (length === begin) length++;
    strings[length++] = 0;
    at += total;
  }
  return { type, nameOffset, strings: strings.subarray(0, length) };
}

function readAddresses(memory: Memory, at: KallsymsLocation, count: number): { address: Words; encoding: AddressEncoding } {
  const address = new Words(count);
  if (at.offsets === undefined) {
    const size = memory.wordSize;
    const bytes = memory.read(at.addresses!, count * size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) {
      address.big[i] = size === 8 ? view.getBigUint64(i * 8, memory.littleEndian) : BigInt(view.getUint32(i * 4, memory.littleEndian));
    }
    return { address, encoding: 'absolute' };
  }
  const bytes = memory.stored(at.offsets, count * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const encoding = offsetEncoding(view, at, count, memory);
  const base = halves(at.relativeBase === undefined ? 0n : memory.word(at.relativeBase));
  const place = halves(at.offsets);
  const wide = memory.wordSize === 8;
  // In halves: a distance of 33 bits is added to the lower one, and what does not fit is carried.
  const set = (i: number, from: { low: number; high: number }, distance: number): void => {
    const low = from.low + distance;
    address.set(i, low, wide ? from.high + Math.floor(low / 0x1_0000_0000) : 0);
  };
  for (let i = 0; i < count; i++) {
    const raw = view.getInt32(i * 4, memory.littleEndian);
    if (encoding === 'place-relative') set(i, place, i * 4 + raw);
    else if (encoding === 'absolute' || (encoding === 'absolute-percpu' && raw >= 0)) address.set(i, raw, 0);
    else if (encoding === 'absolute-percpu') set(i, base, -1 - raw);
    else set(i, base, raw >>> 0);
  }
  return { address, encoding };
}

/** No image is larger: its first symbol is nearer to the table than this. */
const FARTHEST = 1 << 28;

/**
 * Told from the data: only x86-64's percpu encoding has mostly negative offsets. Without a base they are relative to their own place, or, in 32-bit
 * kernels without CONFIG_RELOCATABLE, they are the addresses (a081b5789255): the first symbol, which stands in front of the table, tells.
 */
function offsetEncoding(view: DataView, at: KallsymsLocation, count: number, { littleEndian, wordSize }: Memory): AddressEncoding {
  if (at.relativeBase === undefined) {
    const first = view.getInt32(0, littleEndian);
    return wordSize === 8 || (first < 0 && first > -FARTHEST) ? 'place-relative' : 'absolute';
  }
  let negative = 0;
  for (let i = 0; i < count; i++) if (view.getInt32(i * 4, littleEndian) < 0) negative++;
  return negative * 2 > count ? 'absolute-percpu' : 'base-relative';
}
