import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { relativeType } from '../../elf/relocation-rules.js';
import { distanceBetween } from '../../elf/words.js';
import { type KallsymsTables, kallsymsAt } from '../../kallsyms/locate.js';
import { objectionTo } from '../../kallsyms/proof.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { decodeKallsyms } from '../../kallsyms/tables.js';
import type { RawImageKind } from '../arch/architecture.js';
import { MissingError } from '../errors.js';
import { baseByExports, baseByStrings, basesByKnownPlaces, PAGE } from './base-votes.js';
import { elfAround } from './elf-around.js';
import { ENTRY_SIZE, type ImageRelocations } from './image-relocations.js';

/** A relocatable image is linked at a multiple of this: 64 KiB is the least of all architectures that relocate. */
const ALIGN = 0x1_0000n;
/** How many relocations are tried against the symbols; a wrong base hits nearly none. */
const SAMPLE = 2000;
/** So many of them have to point at symbols. */
const FEWEST_HITS = 8;
/** The address that offset 0 of a raw image is linked at, and whether what was taken for its relocations fits that. */
export interface LinkBase {
  readonly base: bigint;
  readonly relocated: boolean;
}

/**
 * Works out where a raw image is linked. Its header fixes it; or the relocations tell it, whose places all lie in the image and whose
 * values are addresses of symbols; or, where the words are final, what stands at known places, the exports, or the pointers at strings.
 * @param layouts those that the packed symbols may have
 * @throws FormatError where nothing tells
 */
export function linkBase(
  bytes: Uint8Array,
  kind: RawImageKind,
  layouts: readonly KallsymsTables[],
  relocations: ImageRelocations,
  name: string,
): LinkBase {
  const words = relocatedWords(bytes, kind, relocations, layouts[0]?.relativeBase);
  const { start } = kind;
  if (typeof start === 'bigint')
    return { base: start, relocated: words !== undefined && words.lowest >= start && words.highest < start + BigInt(bytes.length) };
  if (layouts.length === 0) throw new MissingError(`${name} has no packed kallsyms, so the addresses of the image are unknown`);
  for (const tables of layouts) {
    const base = words === undefined ? undefined : relocatedBase(bytes, kind, tables, words);
    if (base !== undefined) return { base, relocated: true };
  }
  for (const tables of layouts) {
    const base = finalBase(bytes, kind, tables, name);
    if (base !== undefined) return { base, relocated: false };
  }
  const message = 'neither relocations nor symbols show the address at which the image is linked: the debug vmlinux does';
  throw new FormatError('unsupported', { name }, message);
}

/** A relocated word: its place, and what it holds if the image is linked at `base`. */
interface Sample {
  readonly place: bigint;
  value(base: bigint): bigint;
}

/** The words that an image is relocated by: not all of them, for there are some hundred thousand. */
interface RelocatedWords {
  readonly samples: readonly Sample[];
  readonly lowest: bigint;
  readonly highest: bigint;
  /** Values by place, of RELA, where the place and that of kallsyms_relative_base are a possible base apart. */
  readonly aligned: ReadonlyMap<bigint, bigint>;
}

function relocatedWords(
  bytes: Uint8Array,
  kind: RawImageKind,
  { rela, relr }: ImageRelocations,
  relativeBase = 0,
): RelocatedWords | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { littleEndian } = kind;
  const [lowAt, highAt] = littleEndian ? [0, 4] : [4, 0];
  const total = (rela?.count ?? 0) + (relr?.count ?? 0);
  const step = Math.max(1, Math.floor(total / SAMPLE));
  const samples: Sample[] = [];
  const aligned = new Map<bigint, bigint>();
  // Places as distances from the first one: bigints of them all would take longer than the rest.
  let [first, firstLow, firstHigh, least, most, seen] = [-1, 0, 0, 0, 0, 0];
  const meet = (at: number): boolean => {
    const [low, high] = [view.getUint32(at + lowAt, littleEndian), view.getUint32(at + highAt, littleEndian)];
    if (first < 0) [first, firstLow, firstHigh] = [at, low, high];
    const distance = distanceBetween(low, high, firstLow, firstHigh);
    // No place of this image: chance.
    if (distance === undefined) return false;
    least = Math.min(least, distance);
    most = Math.max(most, distance);
    return seen++ % step === 0;
  };
  const relative = relativeType(kind.machine);
  for (let i = 0; rela !== undefined && i < rela.count; i++) {
    const at = rela.offset + i * ENTRY_SIZE;
    if (view.getUint32(at + 8 + lowAt, littleEndian) !== relative || view.getUint32(at + 8 + highAt, littleEndian) !== 0) continue;
    const isSample = meet(at);
    const isAligned = ((view.getUint32(at + lowAt, littleEndian) - relativeBase) & Number(ALIGN - 1n)) === 0;
    if (!isSample && !isAligned) continue;
    const place = view.getBigUint64(at, littleEndian);
    const addend = view.getBigUint64(at + 16, littleEndian);
    if (isAligned) aligned.set(place, addend);
    if (isSample) samples.push({ place, value: () => addend });
  }
  for (let i = 0; relr !== undefined && i < relr.count; i++) {
    const at = relr.offset + i * 8;
    // The words that RELR relocates hold their values in the file. Its bitmaps tell of more places near these.
    if ((view.getUint32(at + lowAt, littleEndian) & 1) !== 0 || !meet(at)) continue;
    const place = view.getBigUint64(at, littleEndian);
    if (place !== 0n) samples.push({ place, value: base => wordAt(view, place - base, littleEndian) });
  }
  if (first < 0) return undefined;
  const origin = view.getBigUint64(first, littleEndian);
  return { samples, lowest: origin + BigInt(least), highest: origin + BigInt(most), aligned };
}

/**
 * Of the addresses that put every relocated place inside the image, the one under which the most relocated words point at symbols. A
 * base-relative table needs its base for that, which may itself be a relocated word.
 */
function relocatedBase(
  bytes: Uint8Array,
  kind: RawImageKind,
  tables: KallsymsTables,
  { samples, lowest, highest, aligned }: RelocatedWords,
): bigint | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const from = highest + 8n - BigInt(bytes.length);
  let best: { base: bigint; hits: number } | undefined;
  for (let base = (from / ALIGN + (from % ALIGN > 0n ? 1n : 0n)) * ALIGN; base <= lowest; base += ALIGN) {
    const symbols = symbolsUnder(view, kind, tables, base, aligned);
    if (symbols === undefined) continue;
    const hits = samples.reduce((count, sample) => count + (symbols.has(sample.value(base)) ? 1 : 0), 0);
    if (best === undefined || hits > best.hits) best = { base, hits };
  }
  return best !== undefined && best.hits * 20 > samples.length && best.hits >= FEWEST_HITS ? best.base : undefined;
}

function wordAt(view: DataView, offset: bigint, littleEndian: boolean): bigint {
  return offset >= 0n && offset + 8n <= BigInt(view.byteLength) ? view.getBigUint64(Number(offset), littleEndian) : 0n;
}

/** The addresses of the symbols if the image is linked at `base`. */
function symbolsUnder(
  view: DataView,
  { littleEndian }: RawImageKind,
  tables: KallsymsTables,
  base: bigint,
  places: ReadonlyMap<bigint, bigint>,
): { has(address: bigint): boolean } | undefined {
  const { count, addresses, encoding, relativeBase } = tables;
  if (encoding === 'place-relative') {
    const first = base + BigInt(addresses);
    return { has: address => includes(i => i * 4 + view.getInt32(addresses + i * 4, littleEndian), count, Number(address - first)) };
  }
  if (encoding !== 'base-relative' || relativeBase === undefined) return undefined;
  const symbolBase = places.get(base + BigInt(relativeBase)) ?? wordAt(view, BigInt(relativeBase), littleEndian);
  if (symbolBase === 0n) return undefined;
  return { has: address => includes(i => view.getUint32(addresses + i * 4, littleEndian), count, Number(address - symbolBase)) };
}

/** Whether an ascending column has a value. */
function includes(value: (i: number) => number, count: number, wanted: number): boolean {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (value(middle) < wanted) from = middle + 1;
    else to = middle;
  }
  return from < count && value(from) === wanted;
}

/**
 * The base of an image whose words are final, that of kallsyms_relative_base among them: the first of those that something in the image
 * speaks for under which the symbols prove themselves.
 */
function finalBase(bytes: Uint8Array, kind: RawImageKind, tables: KallsymsTables, name: string): bigint | undefined {
  const { start, machine, is64, littleEndian } = kind;
  const under = (base: bigint): { readonly symbols: KernelSymbols; readonly objection: string | undefined } => {
    const file = ElfFile.open(elfAround({ bytes, machine, is64, littleEndian, base, memorySize: bytes.length, parts: [] }, name));
    const location = kallsymsAt(tables, base);
    const { symbols } = decodeKallsyms(file.memory, location, name);
    return { symbols, objection: objectionTo(file.memory, location, symbols) };
  };
  const isOffsets = tables.encoding === 'place-relative';
  let symbols: KernelSymbols;
  try {
    symbols = under(0n).symbols;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return undefined;
  }
  const labels = isOffsets || typeof start !== 'object' ? [] : start.flatMap(label => symbols.addressOf(label) ?? []);
  const ways = [
    () => (isOffsets ? [] : basesByKnownPlaces(bytes, tables, symbols)),
    () => baseByExports(bytes, kind, symbols, isOffsets),
    // MIPS: _stext is a kilobyte behind the first word, where kallsyms lists no _text.
    () => labels.filter(label => label % PAGE === 0n),
    () => (isOffsets ? [] : baseByStrings(bytes, kind, symbols)),
  ];
  for (const way of ways) for (const base of way()) if (under(base).objection === undefined) return base;
  return undefined;
}
