import { Needle, SAMPLE } from '../needle.js';
import { lastNotAbove } from './columns.js';
import type { DebugFile } from './debug-file.js';
import { DW_FORM } from './dw-constants.js';
import { NamePlaces } from './name-place.js';
import type { DebugSection } from './sections.js';
import type { Unit } from './unit.js';
import { readUnitHeader } from './unit-header.js';
import type { UnitList } from './unit-list.js';
import { MOST_WORDS, WordSearch } from './word-search.js';

/** Bytes of .debug_info that are looked through at a time: as many as a processor's cache holds, for each is gone through several times. */
const PIECE = 1 << 18;

/** Where a name's bytes may be referred to at more places than these, looking for each takes longer than looking for all at once. */
const MOST_NEEDLES = 4;

/** After so many places of a piece that do not count, the unit is read: an offset of zero is everywhere. */
const MOST_MISSED = 64;

/**
 * The units that may name something so: those that hold the bytes of a reference to the name, or the name itself. A unit that holds them by
 * chance is among them; none is missing.
 */
export function* unitsNaming(units: UnitList, name: string): Generator<Unit> {
  const text = new TextEncoder().encode(`${name}\0`);
  const places = stringPlaces(units.file, text);
  if (places.length > MOST_WORDS) {
    yield* units.units();
    return;
  }
  const { file, unitOffsets } = units;
  const offsets = new Set(unitsByIndex(units, places));
  const namePlaces = new Map<string, NamePlaces>();
  const keys = new Map<number, string>();
  const isName: IsHit = (unit, bytes, at, form) => {
    let key = keys.get(unit);
    if (key === undefined) {
      const header = readUnitHeader(file.info, file.littleEndian, unitOffsets[unit]!);
      key = `${header.abbrevOffset} ${header.version} ${header.addressSize} ${header.offsetSize}`;
      keys.set(unit, key);
      if (!namePlaces.has(key)) namePlaces.set(key, new NamePlaces(file, header));
    }
    return namePlaces.get(key)!.canHold(bytes, at, form);
  };
  for (const index of partsHolding(file.info, unitOffsets, [text], places, file.littleEndian, isName)) offsets.add(unitOffsets[index]!);
  for (const offset of [...offsets].sort((a, b) => a - b)) yield units.unit(offset);
}

/**
 * Where .debug_str holds a name, and something may refer to it. A linker that merges strings lets a name share the end of a longer one, and
 * then keeps no copy of its own.
 */
function stringPlaces(file: DebugFile, text: Uint8Array): number[] {
  const bytes = file.sections.get('str')?.bytes();
  if (bytes === undefined) return [];
  const all: number[] = [];
  const needle = new Needle(text, bytes);
  for (let at = needle.find(bytes, 0); at >= 0; at = needle.find(bytes, at + 1)) all.push(at);
  const whole = all.filter(at => at === 0 || bytes[at - 1] === 0);
  return whole.length > 0 ? whole : all;
}

/** Offsets of the units that have a string, which is at one of several places, among those they name by index. */
function unitsByIndex(units: UnitList, places: readonly number[]): number[] {
  const section = units.file.sections.get('str_offsets');
  if (section === undefined || places.length === 0) return [];
  // Units may share a table.
  const unitsOf = new Map<number, number[]>();
  for (const unit of units.units()) {
    const { stringsBase } = unit.root;
    const known = unitsOf.get(stringsBase);
    if (known === undefined) unitsOf.set(stringsBase, [unit.offset]);
    else known.push(unit.offset);
  }
  const starts = Float64Array.from(unitsOf.keys()).sort();
  return [...partsHolding(section, starts, [], places, units.file.littleEndian)].flatMap(index => unitsOf.get(starts[index]!)!);
}

/** Whether what was found at an index of `bytes` counts: a name in place (DW_FORM_string), or the offset of one (DW_FORM_strp). */
type IsHit = (part: number, bytes: Uint8Array, at: number, form: number) => boolean;

/**
 * Which parts of a section hold one of several texts, or one of several offsets of strings: indices of `starts`, where the parts begin. The
 * section is gone through in pieces.
 */
function partsHolding(
  section: DebugSection,
  starts: Float64Array,
  texts: readonly Uint8Array[],
  offsets: readonly number[],
  littleEndian: boolean,
  isHit: IsHit = () => true,
): Set<number> {
  const together = offsets.length > MOST_NEEDLES;
  const searched = together ? texts : [...texts, ...offsets.map(offset => wordBytes(offset, littleEndian))];
  const overlap = Math.max(4, ...searched.map(({ length }) => length)) - 1;
  const most = Math.min(PIECE + overlap, section.size);
  const words = together ? new WordSearch(offsets, littleEndian) : undefined;
  const room = new Uint8Array(most);
  const sample = section.read(Math.max(0, Math.floor((section.size - SAMPLE) / 2)), Math.min(SAMPLE, section.size));
  const needles = searched.map(text => new Needle(text, sample));
  const found = new Set<number>();
  for (let start = 0; start < section.size; start += PIECE) {
    const bytes = section.glance(start, Math.min(PIECE + overlap, section.size - start), room);
    const collect = (form: number, find: (from: number) => number): void => {
      let last = -1;
      let missed = 0;
      for (let at = find(0); at >= 0; ) {
        const part = lastNotAbove(starts, start + at);
        if (part !== last) missed = 0;
        last = part;
        if (part < 0 || !(found.has(part) || missed === MOST_MISSED || isHit(part, bytes, at, form))) {
          missed++;
          at = find(at + 1);
          continue;
        }
        found.add(part);
        // What else the part holds does not matter: on from the next one, where that begins in this piece.
        const next = (starts[part + 1] ?? Number.POSITIVE_INFINITY) - start;
        at = next < bytes.length ? find(next) : -1;
      }
    };
    for (const [i, needle] of needles.entries()) {
      collect(i < texts.length ? DW_FORM.string : DW_FORM.strp, from => needle.find(bytes, from));
    }
    if (words === undefined) continue;
    collect(DW_FORM.strp, from => words.find(bytes, from));
  }
  return found;
}

function wordBytes(value: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value % 0x1_0000_0000, littleEndian);
  return bytes;
}
