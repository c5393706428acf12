import { lastNotAbove } from './columns.js';
import type { Dwarf } from './dwarf.js';
import type { DebugSection } from './sections.js';
import type { Unit } from './unit.js';
import { MOST_WORDS, WordSearch } from './word-kernel.js';

/** Bytes of .debug_info that are looked through at a time: as many as a processor's cache holds, for each is gone through several times. */
const PIECE = 1 << 18;

/** Where a name's bytes may be referred to at more places than these, looking for each takes longer than looking for all at once. */
const MOST_NEEDLES = 4;

/**
 * The units that may name something so: those that hold the bytes of a reference to the name, or the name itself. A unit that holds them by chance is
 * among them; none is missing.
 */
export function* unitsNaming(dwarf: Dwarf, name: string): Generator<Unit> {
  const text = new TextEncoder().encode(`${name}\0`);
  const places = stringPlaces(dwarf, text);
  if (places.length > MOST_WORDS) {
    yield* dwarf.units();
    return;
  }
  const { unitOffsets } = dwarf;
  const offsets = new Set(unitsByIndex(dwarf, places));
  for (const index of partsHolding(dwarf.info, unitOffsets, [text], places, dwarf)) offsets.add(unitOffsets[index]!);
  for (const offset of [...offsets].sort((a, b) => a - b)) yield dwarf.unit(offset);
}

/**
 * Where .debug_str holds a name, and something may refer to it. A linker that merges strings lets a name share the end of a longer one, and then
 * keeps no copy of its own.
 */
function stringPlaces(dwarf: Dwarf, text: Uint8Array): number[] {
  const bytes = dwarf.sections.get('str')?.bytes();
  if (bytes === undefined) return [];
  const all: number[] = [];
  const needle = new Needle(text, bytes);
  for (let at = needle.find(bytes, 0); at >= 0; at = needle.find(bytes, at + 1)) all.push(at);
  const whole = all.filter(at => at === 0 || bytes[at - 1] === 0);
  return whole.length > 0 ? whole : all;
}

/** Offsets of the units that have a string, which stands at one of several places, among those they name by index. */
function unitsByIndex(dwarf: Dwarf, places: readonly number[]): number[] {
  const section = dwarf.sections.get('str_offsets');
  if (section === undefined || places.length === 0) return [];
  // Units may share a table.
  const unitsOf = new Map<number, number[]>();
  for (const unit of dwarf.units()) {
    const { stringsBase } = unit.root;
    const known = unitsOf.get(stringsBase);
    if (known === undefined) unitsOf.set(stringsBase, [unit.offset]);
    else known.push(unit.offset);
  }
  const starts = Float64Array.from(unitsOf.keys()).sort();
  return [...partsHolding(section, starts, [], places, dwarf)].flatMap(index => unitsOf.get(starts[index]!)!);
}

/**
 * Which parts of a section hold one of several texts, or one of several offsets of strings: indices of `starts`, where the parts begin. The section is
 * gone through in pieces.
 */
function partsHolding(
  section: DebugSection,
  starts: Float64Array,
  texts: readonly Uint8Array[],
  offsets: readonly number[],
  { littleEndian }: Dwarf,
): Set<number> {
  const together = offsets.length > MOST_NEEDLES;
  const searched = together ? texts : [...texts, ...offsets.map(offset => wordBytes(offset, littleEndian))];
  const overlap = Math.max(4, ...searched.map(({ length }) => length)) - 1;
  const most = Math.min(PIECE + overlap, section.size);
  const words = together ? new WordSearch(offsets, littleEndian, most) : undefined;
  const room = words?.room ?? new Uint8Array(most);
  const sample = section.read(Math.max(0, Math.floor((section.size - SAMPLE) / 2)), Math.min(SAMPLE, section.size));
  const needles = searched.map(text => new Needle(text, sample));
  const found = new Set<number>();
  for (let start = 0; start < section.size; start += PIECE) {
    const bytes = section.glance(start, Math.min(PIECE + overlap, section.size - start), room);
    const collect = (find: (from: number) => number): void => {
      for (let at = find(0); at >= 0; ) {
        const part = lastNotAbove(starts, start + at);
        if (part >= 0) found.add(part);
        // What else the part holds does not matter: on from the next one, where that begins in this piece.
        const next = (starts[part + 1] ?? Number.POSITIVE_INFINITY) - start;
        at = next < bytes.length ? find(next) : -1;
      }
    };
    for (const needle of needles) collect(from => needle.find(bytes, from));
    if (words === undefined) continue;
    // Bytes that were in memory already are not in its room.
    if (bytes.buffer !== room.buffer) room.set(bytes);
    collect(from => words.find(from, bytes.length));
  }
  return found;
}

function wordBytes(value: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value % 0x1_0000_0000, littleEndian);
  return bytes;
}

/** Bytes whose frequencies are counted, before one is looked for. */
const SAMPLE = 1 << 14;

/**
 * From seven bytes on, Node searches by a table of how far it may skip (V8's string-search.h). With a name in front of us that is slower than its
 * search for shorter ones, which goes from one place of the first byte to the next.
 */
const MOST_SEARCHED = 6;

/** A run of bytes to look for. What is searched for is a part of it that begins with its rarest byte: words begin with zeros, or with `e`. */
class Needle {
  readonly #bytes: Uint8Array;
  /** Where the part begins. */
  readonly #skip: number;
  readonly #part: Uint8Array;

  /** @param sample of what it is looked for in */
  constructor(bytes: Uint8Array, sample: Uint8Array) {
    const counts = new Uint32Array(256);
    for (let i = 0; i < sample.length && i < SAMPLE; i++) counts[sample[i]!]!++;
    let skip = 0;
    // A part of one byte would be found all over.
    for (let i = 1; i < bytes.length - 1; i++) if (counts[bytes[i]!]! < counts[bytes[skip]!]!) skip = i;
    this.#bytes = bytes;
    this.#skip = skip;
    this.#part = bytes.subarray(skip, skip + MOST_SEARCHED);
  }

  /** Its first place in `bytes` from `from` on; -1 for none. */
  find(bytes: Uint8Array, from: number): number {
    const needle = this.#bytes;
    const last = bytes.length - needle.length;
    const search = searchIn(bytes);
    for (let at = search(this.#part, from + this.#skip); at >= 0; at = search(this.#part, at + 1)) {
      const start = at - this.#skip;
      if (start > last) return -1;
      let i = 0;
      while (i < needle.length && bytes[start + i] === needle[i]) i++;
      if (i === needle.length) return start;
    }
    return -1;
  }
}

type Search = (needle: Uint8Array, from: number) => number;

/** Node's Buffer searches by the processor's wide instructions, ten times as fast as a loop. */
function searchIn(bytes: Uint8Array): Search {
  // Reached without an import, so that this floor loads in a browser.
  const host = globalThis as { Buffer?: { from(buffer: ArrayBufferLike, start: number, length: number): { indexOf: Search } } };
  const view = host.Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return view === undefined ? (needle, from) => indexOf(bytes, needle, from) : (needle, from) => view.indexOf(needle, from);
}

function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  const last = bytes.length - needle.length;
  for (let at = bytes.indexOf(needle[0]!, from); at >= 0 && at <= last; at = bytes.indexOf(needle[0]!, at + 1)) {
    let i = 1;
    while (i < needle.length && bytes[at + i] === needle[i]) i++;
    if (i === needle.length) return at;
  }
  return -1;
}
