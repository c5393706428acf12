import { type AddressLayout, addressLayouts, type NameTables } from './layouts.js';
import type { KallsymsLocation } from './tables.js';

/** Where the packed tables lie in a run of bytes. */
export type KallsymsTables = NameTables & AddressLayout;

/** `0` to `9` as tokens: digits are real tokens in every kernel, each its own string, one after another. */
const DIGITS = Uint8Array.from('0123456789', digit => digit.charCodeAt(0)).reduce((pattern, digit, i) => {
  pattern[i * 2] = digit;
  return pattern;
}, new Uint8Array(20));
/** How many symbols one marker stands for. */
const STEP = 256;
/** Bytes of packed names from one marker to the next: 256 symbols of two tokens at least, of some hundred at most. */
const NARROWEST = 0x200;
const WIDEST = 0x40000;
/** More symbols than any kernel has; bounds the search. */
const MOST_SYMBOLS = 4_000_000;
/** Real images have some five runs of digits; bounds the search in others. */
const MOST_TRIES = 1000;
/** An image has one table of tokens, which its index confirms; bounds what is searched for in one that is made of such tables. */
const MOST_TOKEN_TABLES = 16;
/**
 * Words and symbols that are looked at in all: more than twice what both widths take for {@link MOST_SYMBOLS}; bounds the search in other
 * bytes.
 */
const MOST_STEPS = 1 << 24;

/** What is left of {@link MOST_STEPS}. */
interface Budget {
  steps: number;
}

/** What the tables begin at multiples of: `ALGN` of scripts/kallsyms.c. */
const ALIGNMENTS: Record<number, readonly number[]> = {
  // .align 8, which is 2^8 bytes where the assembler takes it for an exponent (ARM, MIPS, PowerPC, RISC-V); .balign 8 later; .balign 4 since 7.0
  8: [8, 4, 256],
  // .align 4, which is 2^4 bytes there; .balign 4 later
  4: [4, 16],
};
/** The widest padding. */
const WIDEST_PADDING = 256;

/**
 * Finds the packed kallsyms tables in the bytes of a kernel, without any symbol: by the tokens for the digits, then by what the tables say
 * about each other. Which layout it is (the order of the tables, widths, alignment, byte order, how addresses are kept) comes from the bytes,
 * never from a version: distributions carry layouts back to older releases (scripts/kallsyms.c writes them). Each layout that fits by itself
 * is given, the likelier ones first: which of them is right, the image around them tells (provenKallsyms()).
 * @param bytes the image, or the part of it that has the kernel's read-only data
 * @param wordSize 8 or 4
 */
export function* locateKallsyms(bytes: Uint8Array, wordSize: number): Generator<KallsymsTables> {
  const budget: Budget = { steps: MOST_STEPS };
  let tries = 0;
  let confirmed = 0;
  for (let at = findDigits(bytes, 0); at >= 0 && tries < MOST_TRIES; at = findDigits(bytes, at + 1), tries++) {
    // Plain tables of characters have ":" next, which kernel names do not use: there it is a token of some other string.
    if (bytes[at + 20] === 0x3a && bytes[at + 21] === 0) continue;
    const tokens = findTokens(bytes, at);
    if (tokens === undefined) continue;
    yield* findTables(bytes, tokens, wordSize, budget);
    if (++confirmed === MOST_TOKEN_TABLES || budget.steps <= 0) break;
  }
}

/** The addresses of tables that were found in bytes that are at an address. */
export function kallsymsAt(tables: KallsymsTables, base: bigint): KallsymsLocation {
  const at = (offset: number): bigint => base + BigInt(offset);
  const { numSyms, names, markers, tokenTable, tokenIndex, addresses, relativeBase, encoding } = tables;
  return {
    numSyms: at(numSyms),
    names: at(names),
    markers: at(markers),
    tokenTable: at(tokenTable),
    tokenIndex: at(tokenIndex),
    ...(encoding === 'absolute' ? { addresses: at(addresses) } : { offsets: at(addresses) }),
    ...(relativeBase === undefined ? {} : { relativeBase: at(relativeBase) }),
    encoding,
  };
}

/** A search by the pattern's last byte and its distance from what is there (Horspool). */
function findDigits(bytes: Uint8Array, from: number): number {
  const last = DIGITS.length - 1;
  for (let at = from; at + last < bytes.length; ) {
    // The pattern ends in "9", NUL: other bytes than its own let the search skip all of it.
    const end = bytes[at + last]!;
    if (end === 0) {
      let i = last - 1;
      while (i >= 0 && bytes[at + i] === DIGITS[i]) i--;
      if (i < 0) return at;
      at += 2;
    } else at += end >= 0x30 && end <= 0x39 ? last - (end - 0x30) * 2 : DIGITS.length;
  }
  return -1;
}

interface TokenTables {
  readonly table: number;
  readonly index: number;
  readonly littleEndian: boolean;
}

/** The 256 tokens around those for the digits, and the table of where each begins, which confirms them and tells the byte order. */
function findTokens(bytes: Uint8Array, digits: number): TokenTables | undefined {
  const starts = new Int32Array(256);
  let at = digits;
  // Back to token 1: the one before it has no NUL before it.
  for (let token = 0x30; token >= 1; token--) {
    starts[token] = at;
    let before = at - 1;
    if (before < 0 || bytes[before] !== 0) return undefined;
    while (before > 0 && bytes[before - 1] !== 0 && at - before < 1024) before--;
    at = before;
  }
  at = digits;
  for (let token = 0x30; token < 256; token++) {
    starts[token] = at;
    const end = bytes.indexOf(0, at);
    if (end < 0 || end - at > 1024) return undefined;
    at = end + 1;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // Padding is before the index, whose own first word is zero.
  for (let index = at; index < at + WIDEST_PADDING && index + 512 <= bytes.length; index++) {
    if (index > at && bytes[index - 1] !== 0) break;
    for (const littleEndian of [true, false]) {
      const second = view.getUint16(index + 2, littleEndian);
      if (view.getUint16(index, littleEndian) !== 0) continue;
      let token = 2;
      while (token < 256 && view.getUint16(index + token * 2, littleEndian) - second === starts[token]! - starts[1]!) token++;
      if (token === 256) return { table: starts[1]! - second, index, littleEndian };
    }
  }
  return undefined;
}

function* findTables(bytes: Uint8Array, tokens: TokenTables, wordSize: number, budget: Budget): Generator<KallsymsTables> {
  const { littleEndian } = tokens;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // Markers and the count are words of 32 bits since 4.20, longs before.
  for (const width of wordSize === 8 ? [4, 8] : [4]) {
    for (const markers of findMarkers(view, tokens, width, budget)) {
      const names = findNames(bytes, view, markers, tokens, wordSize, budget);
      if (names === undefined) continue;
      const { at, count, numSyms, align } = names;
      const tables = { littleEndian, count, numSyms, names: at, markers: markers.at, tokenTable: tokens.table, tokenIndex: tokens.index };
      const layouts = addressLayouts(view, tables, align, wordSize);
      for (const layout of layouts) yield { ...tables, ...layout };
      if (layouts.length > 0) return;
    }
  }
}

interface Markers {
  readonly at: number;
  readonly values: readonly number[];
}

function readWord(view: DataView, at: number, width: number, littleEndian: boolean): number {
  if (width === 4) return view.getUint32(at, littleEndian);
  const high = view.getUint32(littleEndian ? at + 4 : at, littleEndian);
  return high === 0 ? view.getUint32(littleEndian ? at : at + 4, littleEndian) : Number.NaN;
}

/**
 * The markers: a zero, then ascending offsets. They end at the token table, or, in 6.2 and 6.3 and where that was carried back, three bytes
 * a symbol before it (kallsyms_seqs_of_names), for the number of symbols that they themselves stand for. Those bytes may look like short
 * markers.
 */
function* findMarkers(view: DataView, { table, littleEndian }: TokenTables, width: number, budget: Budget): Generator<Markers> {
  const farthest = Math.max(0, table - MOST_SYMBOLS * 3);
  // Runs are met from their ends: the last word of a run is followed by one that does not go on.
  for (let at = (table & ~3) - width; at >= farthest && budget.steps-- > 0; at -= 4) {
    if (readWord(view, at, width, littleEndian) !== 0) continue;
    const values = [0];
    for (let next = at + width; next + width <= table; next += width) {
      const step = readWord(view, next, width, littleEndian) - values.at(-1)!;
      if (!(step >= NARROWEST && step <= WIDEST)) break;
      values.push(readWord(view, next, width, littleEndian));
    }
    if (values.length < 2) continue;
    budget.steps -= values.length;
    const gap = table - (at + values.length * width);
    const [least, most] = [(values.length - 1) * STEP * 3, values.length * STEP * 3];
    if (gap < WIDEST_PADDING || (gap > least && gap < most + WIDEST_PADDING)) yield { at, values };
  }
}

/** The names: they begin where walking 256 symbols arrives at the second marker, after a count that the markers can stand for. */
function findNames(
  bytes: Uint8Array,
  view: DataView,
  { at: markers, values }: Markers,
  { table, index, littleEndian }: TokenTables,
  wordSize: number,
  budget: Budget,
): { at: number; count: number; numSyms: number; align: number } | undefined {
  const end = markers - values.at(-1)!;
  // All tables begin at multiples of one alignment.
  const alignments = ALIGNMENTS[wordSize]!.filter(align => (markers - table) % align === 0 && (index - table) % align === 0);
  const first = end - ((end - markers) & 3);
  for (let at = first; at >= 8 && at > end - WIDEST && budget.steps-- > 0; at -= 4) {
    for (const align of alignments) {
      if ((markers - at) % align !== 0) continue;
      const numSyms = at - align;
      const count = countAt(view, numSyms, align, littleEndian);
      if (Math.ceil(count / STEP) !== values.length) continue;
      if ([true, false].some(long => walks(bytes, at, values, long, budget))) return { at, count, numSyms, align };
    }
  }
  return undefined;
}

/** `kallsyms_num_syms`, filled up with zeros to the next table; 0 where something else is there. */
function countAt(view: DataView, numSyms: number, align: number, littleEndian: boolean): number {
  if (numSyms < 0) return 0;
  // A long of a big-endian kernel before 4.20 has its count in the second half.
  const half = view.getUint32(numSyms, littleEndian) === 0 && !littleEndian && align >= 8 ? 4 : 0;
  for (let at = numSyms + half + 4; at < numSyms + align; at += 4) if (view.getUint32(at) !== 0) return 0;
  return view.getUint32(numSyms + half, littleEndian);
}

/** Whether names that begin at an offset pass through the first few markers; `long` as in lengthsAreLong() of unpack.ts. */
function walks(bytes: Uint8Array, names: number, values: readonly number[], long: boolean, budget: Budget): boolean {
  let at = names;
  for (let marker = 1; marker < Math.min(values.length, 5); marker++) {
    for (let i = 0; i < STEP; i++) {
      budget.steps--;
      const first = bytes[at] ?? 0;
      if (first === 0) return false;
      at += long && first >= 0x80 ? 2 + ((first & 0x7f) | ((bytes[at + 1] ?? 0) << 7)) : 1 + first;
      if (at - names > values[marker]!) return false;
    }
    if (at - names !== values[marker]) return false;
  }
  return true;
}
