import { FormatError } from '../elf/errors.js';
import type { Memory } from '../elf/memory.js';
import { halves, Words } from '../elf/words.js';
import { type AddressEncoding, ENCODINGS, encodingOf, readWords } from './encodings.js';
import { KernelSymbols, type SymbolColumns } from './symbols.js';
import { type Tokens, unpackNames } from './unpack.js';

/** Where the packed tables of a kernel are: the addresses of its `kallsyms_*` labels. */
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
  /** How the addresses are kept, where that is known; else their values tell. */
  readonly encoding?: AddressEncoding;
}

/** The labels of {@link KallsymsLocation}, looked up by name; undefined if the image has no packed tables. */
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

/**
 * Decodes the packed symbol table of a kernel image (scripts/kallsyms.c writes it, kernel/kallsyms.c reads it): a name is a run of tokens,
 * each a byte that stands for a string of `kallsyms_token_table`; the first character of the expanded name is the symbol's letter.
 * @param name of the table, for messages
 * @throws FormatError if the tables do not match
 */
export function decodeKallsyms(memory: Memory, at: KallsymsLocation, name: string): { symbols: KernelSymbols; encoding: AddressEncoding } {
  const { littleEndian } = memory;
  const u32 = (bytes: Uint8Array, index: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset + index * 4).getUint32(0, littleEndian);
  // Before 4.20 the count is a long (80ffbaa5b1bd), whose upper half is zero and, in a big-endian image, comes first. The labels do not
  // tell: both are followed by bytes up to the next multiple of 8.
  const first = u32(memory.stored(at.numSyms, 4), 0);
  const count = first === 0 && memory.wordSize === 8 && !littleEndian ? u32(memory.stored(at.numSyms, 8), 1) : first;
  const place = { name };
  const packed = memory.stored(at.names, Math.max(0, Number(at.markers - at.names)));
  if (count === 0 || count > packed.length) {
    throw new FormatError('bad-value', place, `${count} symbols do not fit in ${packed.length} bytes of packed names`);
  }
  const tokens = readTokens(memory, at, place);
  const markers = readMarkers(memory.stored(at.markers, Math.max(0, Number(at.tokenTable - at.markers))), count, littleEndian);
  const names = unpackNames({ count, bytes: packed, tokens, markers }, place);
  const { address, encoding } = readAddresses(memory, at, count, name);
  const columns: SymbolColumns = { address, ...names };
  return { symbols: new KernelSymbols(name, columns), encoding };
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

/** Where each 256th symbol begins in the packed names, as far as the table goes; -1 after it. */
function readMarkers(bytes: Uint8Array, count: number, littleEndian: boolean): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const marker = (index: number, width: number): number => {
    const at = index * width + (width === 8 && !littleEndian ? 4 : 0);
    return at + 4 <= bytes.length ? view.getUint32(at, littleEndian) : -1;
  };
  // Markers of 8 bytes: the second half of the first one is zero too.
  const width = count > 256 && marker(1, 4) === 0 ? 8 : 4;
  return Int32Array.from({ length: Math.ceil(count / 256) }, (_, index) => marker(index, width));
}

interface Addresses {
  readonly address: Words;
  readonly encoding: AddressEncoding;
}

function readAddresses(memory: Memory, at: KallsymsLocation, count: number, name: string): Addresses {
  if (at.offsets !== undefined) return readOffsets(memory, { ...at, offsets: at.offsets }, count, name);
  const size = memory.wordSize;
  const bytes = memory.read(at.addresses!, count * size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const address = new Words(count);
  for (let i = 0; i < count; i++) {
    address.big[i] = size === 8 ? view.getBigUint64(i * 8, memory.littleEndian) : BigInt(view.getUint32(i * 4, memory.littleEndian));
  }
  return { address, encoding: 'absolute' };
}

function readOffsets(memory: Memory, at: KallsymsLocation & { readonly offsets: bigint }, count: number, name: string): Addresses {
  const words = readWords(memory.stored(at.offsets, count * 4), memory.littleEndian);
  const encoding = at.encoding ?? encodingOf(words, at.relativeBase !== undefined, memory.wordSize);
  const { span, place } = ENCODINGS[encoding];
  const base = at.relativeBase === undefined ? 0n : memory.word(at.relativeBase);
  const { low, high } = halves(encoding === 'place-relative' ? at.offsets : base);
  const farthest = span?.(words) ?? 0;
  if (low + farthest >= 0x1_0000_0000 && (memory.wordSize === 4 || high === 0xffff_ffff)) {
    const message = `the last symbol is 0x${farthest.toString(16)} after 0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}, past the last address`;
    throw new FormatError('bad-value', { name }, message);
  }
  const address = new Words(count);
  place(words, { low, high: memory.wordSize === 8 ? high : 0 }, address);
  // Addresses of 32 bits wrap.
  if (memory.wordSize === 4) for (let i = 0; i < count; i++) address.set(i, address.low(i), 0);
  return { address, encoding };
}
