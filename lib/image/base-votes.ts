import { indexOfBytes } from '../../elf/needle.js';
import { distanceBetween, halves } from '../../elf/words.js';
import type { KallsymsTables } from '../../kallsyms/locate.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import type { RawImageKind } from '../arch/architecture.js';
import { BANNER } from './bytes.js';

// What in an image of final words speaks for the address at which it is linked.

/** Images are linked at a multiple of this. */
export const PAGE = 0x1000n;
/** So many exports, or strings, have to agree on the base, and more than all others together. */
const FEWEST_VOTES = 16;
/** Places of a text that are tried. */
const MOST_PLACES = 16;

/** Labels of texts, and what stands there. */
const TEXTS: readonly (readonly [label: string, text: Uint8Array])[] = [
  ['linux_banner', BANNER],
  ['linux_proc_banner', new TextEncoder().encode('%s version %s')],
];
/** The labels of the tables that were found. */
const TABLES: readonly (readonly [label: string, table: 'numSyms' | 'names' | 'markers' | 'tokenTable' | 'tokenIndex' | 'relativeBase'])[] =
  [
    ['kallsyms_num_syms', 'numSyms'],
    ['kallsyms_names', 'names'],
    ['kallsyms_markers', 'markers'],
    ['kallsyms_token_table', 'tokenTable'],
    ['kallsyms_token_index', 'tokenIndex'],
    ['kallsyms_relative_base', 'relativeBase'],
  ];

/** The bases by symbols that are known to stand at some offset of the image. */
export function basesByKnownPlaces(bytes: Uint8Array, tables: KallsymsTables, symbols: KernelSymbols): bigint[] {
  const bases = new Set<bigint>();
  const meet = (address: bigint, offset: number): void => {
    const base = address - BigInt(offset);
    if (base >= 0n && base % PAGE === 0n) bases.add(base);
  };
  for (const [label, table] of TABLES) {
    const [address, offset] = [symbols.addressOf(label), tables[table]];
    if (address !== undefined && offset !== undefined) meet(address, offset);
  }
  for (const [label, text] of TEXTS) {
    const address = symbols.addressOf(label);
    if (address === undefined) continue;
    let places = 0;
    for (let at = indexOfBytes(bytes, text); at >= 0 && places < MOST_PLACES; at = indexOfBytes(bytes, text, at + 1), places++)
      meet(address, at);
  }
  return [...bases];
}

/** Where the halves of a word are in it: the low one and the high one, which is the same where words are of 32 bits. */
function halvesOf({ is64, littleEndian }: RawImageKind): { readonly width: number; readonly lowAt: number; readonly highAt: number } {
  return is64 ? { width: 8, lowAt: littleEndian ? 0 : 4, highAt: littleEndian ? 4 : 0 } : { width: 4, lowAt: 0, highAt: -1 };
}

/**
 * `struct kernel_symbol` begins with the address of a symbol and that of its name. Both are known of many: what kallsyms says about the
 * symbol, and where in the image the name stands as a string. A word pair that fits votes for the difference between the name's address and
 * its offset.
 * @param offsets whether the addresses of `symbols` are offsets in the image
 */
export function baseByExports(bytes: Uint8Array, kind: RawImageKind, symbols: KernelSymbols, offsets: boolean): bigint[] {
  const named = namesInImage(bytes, symbols);
  const [first] = named;
  if (first === undefined) return [];
  // Distances from one address, as numbers: bigints of some million words would take seconds.
  const { low, high } = halves(symbols.address.big[first.row]!);
  const candidates = new Map<number, number[]>();
  for (const { row, at } of named) {
    const key = offsets
      ? at - Number(symbols.address.big[row]!)
      : distanceBetween(symbols.address.low(row), symbols.address.high(row), low, high);
    if (key === undefined) continue;
    const known = candidates.get(key);
    if (known === undefined) candidates.set(key, [at]);
    else if (known.length < MOST_ALIASES) known.push(at);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { littleEndian } = kind;
  const { width, lowAt, highAt } = halvesOf(kind);
  const votes = new Map<bigint, number>();
  for (let at = 0; at + 2 * width <= bytes.length; at += width) {
    const firstLow = view.getUint32(at + lowAt, littleEndian);
    if (firstLow === 0) continue;
    const firstHigh = highAt < 0 ? 0 : view.getUint32(at + highAt, littleEndian);
    const secondLow = view.getUint32(at + width + lowAt, littleEndian);
    const secondHigh = highAt < 0 ? 0 : view.getUint32(at + width + highAt, littleEndian);
    const key = offsets ? distanceBetween(secondLow, secondHigh, firstLow, firstHigh) : distanceBetween(firstLow, firstHigh, low, high);
    if (key === undefined) continue;
    for (const stringAt of candidates.get(key) ?? []) {
      const base = ((BigInt(secondHigh) << 32n) | BigInt(secondLow)) - BigInt(stringAt);
      if (base >= 0n && base % PAGE === 0n) votes.set(base, (votes.get(base) ?? 0) + 1);
    }
  }
  const ranked = [...votes].sort((a, b) => b[1] - a[1]);
  const [best] = ranked;
  const others = ranked.slice(1).reduce((sum, [, count]) => sum + count, 0);
  return best !== undefined && best[1] >= FEWEST_VOTES && best[1] > others ? [best[0]] : [];
}

/** Most strings of the image that are names: exports and their like are some ten thousand. */
const MOST_NAMES = 1 << 18;
/** Names of one address that are tried. */
const MOST_ALIASES = 8;

/** Where names of symbols, of one symbol each, are in the image as strings, as they are in `__ksymtab_strings`. */
function namesInImage(bytes: Uint8Array, symbols: KernelSymbols): { readonly row: number; readonly at: number }[] {
  const found: { row: number; at: number }[] = [];
  for (let end = bytes.indexOf(0); end >= 0 && found.length < MOST_NAMES; end = bytes.indexOf(0, end + 1)) {
    const first = bytes[end + 1] ?? 0;
    // Names begin with a letter or an underscore, and one of a single letter tells little.
    if (first < 0x41 || first > 0x7a || (bytes[end + 2] ?? 0) < 0x30) continue;
    const row = symbols.index.firstOf(bytes, end + 1);
    if (row >= 0 && symbols.index.isOnly(row)) found.push({ row, at: end + 1 });
  }
  return found;
}

/** Pointers that are tried against the strings. */
const MOST_POINTERS = 8192;
/** A pointer at a string hits its start; of those under a wrong base, one in twenty does. */
const TIMES_OTHERS = 2;

/**
 * Words that point behind the functions point at data, and many of these at strings (drivers' and files' names, messages): under the right
 * base, at the first character of one. What a kernel without modules, which exports nothing, is found by.
 */
export function baseByStrings(bytes: Uint8Array, kind: RawImageKind, symbols: KernelSymbols): bigint[] {
  const text = textSpan(symbols, bytes.length);
  if (text === undefined) return [];
  const pointers = pointersBehind(bytes, kind, text);
  const strings = stringStarts(bytes);
  const votes: (readonly [base: bigint, count: number])[] = [];
  // Where the first function may stand: the base is a multiple of a page.
  for (let at = Number(text.first % PAGE); at + text.span < bytes.length; at += Number(PAGE)) {
    let count = 0;
    for (const distance of pointers) count += strings[at + distance] ?? 0;
    if (count >= FEWEST_VOTES && text.first >= BigInt(at)) votes.push([text.first - BigInt(at), count]);
  }
  votes.sort((a, b) => b[1] - a[1]);
  const [best, second] = votes;
  return best !== undefined && best[1] > (second?.[1] ?? 0) * TIMES_OTHERS ? [best[0]] : [];
}

/** The address of the first function, and how far the last one is from it that may be in the same image. */
interface TextSpan {
  readonly first: bigint;
  readonly span: number;
}

function textSpan(symbols: KernelSymbols, size: number): TextSpan | undefined {
  let [first, span, low, high] = [-1, 0, 0, 0];
  for (const row of symbols.order) {
    if (!symbols.isText(row)) continue;
    if (first < 0) [first, low, high] = [row, symbols.address.low(row), symbols.address.high(row)];
    const distance = distanceBetween(symbols.address.low(row), symbols.address.high(row), low, high);
    // The vectors page of ARM runs elsewhere.
    if (distance !== undefined && distance < size) span = distance;
  }
  return first < 0 ? undefined : { first: symbols.address.big[first]!, span };
}

/** Where words point that may be pointers behind the last function, as distances from the first one; a sample of them, each once. */
function pointersBehind(bytes: Uint8Array, kind: RawImageKind, { first, span }: TextSpan): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { width, lowAt, highAt } = halvesOf(kind);
  const { low, high } = halves(first);
  const found = new Set<number>();
  for (let at = 0; at + width <= bytes.length; at += width) {
    const wordHigh = highAt < 0 ? 0 : view.getUint32(at + highAt, kind.littleEndian);
    const distance = distanceBetween(view.getUint32(at + lowAt, kind.littleEndian), wordHigh, low, high);
    if (distance !== undefined && distance > span && distance < bytes.length) found.add(distance);
  }
  const step = Math.ceil(found.size / MOST_POINTERS);
  return [...found].filter((_, i) => i % step === 0);
}

/** 1 where a string of at least four characters begins. */
function stringStarts(bytes: Uint8Array): Uint8Array {
  const starts = new Uint8Array(bytes.length);
  let from = -1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === 0) {
      if (from >= 0 && at - from >= 4) starts[from] = 1;
      from = at + 1;
    } else if (byte > 0x7e || (byte < 0x20 && byte !== 0x0a && byte !== 0x09 && byte !== 0x01)) from = -1; // 1: KERN_SOH
  }
  return starts;
}
