import { lastNotAbove } from './columns.js';
import type { Dwarf } from './dwarf.js';
import type { DebugSection } from './sections.js';
import type { Unit } from './unit.js';

/** Bytes of .debug_info that are looked through at a time: as many as a processor's cache holds, for each is gone through several times. */
const PIECE = 1 << 18;

/** More places than these, where a name's bytes may be referred to, and looking for each takes longer than reading every unit. */
const MOST_NEEDLES = 16;

/**
 * The units that may name something so: those that hold the bytes of a reference to the name, or the name itself. A unit that holds them by chance is
 * among them; none is missing.
 */
export function unitsNaming(dwarf: Dwarf, name: string): Iterable<Unit> {
  const text = new TextEncoder().encode(`${name}\0`);
  const places = stringPlaces(dwarf, text);
  if (places.length > MOST_NEEDLES) return dwarf.units();
  const offsets = new Set<number>();
  const { unitOffsets } = dwarf;
  for (const offset of places) for (const unit of unitsByIndex(dwarf, offset)) offsets.add(unit);
  search(dwarf.info, [text, ...places.map(offset => word(offset, dwarf.littleEndian))], at => {
    const unit = lastNotAbove(unitOffsets, at);
    if (unit >= 0) offsets.add(unitOffsets[unit]!);
  });
  return [...offsets].sort((a, b) => a - b).map(offset => dwarf.unit(offset));
}

/**
 * Where .debug_str holds a name, and something may refer to it. A linker that merges strings lets a name share the end of a longer one, and then
 * keeps no copy of its own.
 */
function stringPlaces(dwarf: Dwarf, text: Uint8Array): number[] {
  const bytes = dwarf.sections.get('str')?.bytes();
  if (bytes === undefined) return [];
  const all: number[] = [];
  find(bytes, text, at => all.push(at));
  const whole = all.filter(at => at === 0 || bytes[at - 1] === 0);
  return whole.length > 0 ? whole : all;
}

function word(value: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value % 0x1_0000_0000, littleEndian);
  return bytes;
}

/** Units that have a string among those they name by index. */
function unitsByIndex(dwarf: Dwarf, offset: number): number[] {
  const section = dwarf.sections.get('str_offsets');
  if (section === undefined) return [];
  // Units may share a table.
  const unitsOf = new Map<number, number[]>();
  for (const unit of dwarf.units()) {
    const { stringsBase } = unit.root;
    const known = unitsOf.get(stringsBase);
    if (known === undefined) unitsOf.set(stringsBase, [unit.offset]);
    else known.push(unit.offset);
  }
  const starts = Float64Array.from(unitsOf.keys()).sort();
  const hit = new Set<number>();
  find(section.bytes(), word(offset, dwarf.littleEndian), at => {
    const last = lastNotAbove(starts, at);
    if (last >= 0) hit.add(starts[last]!);
  });
  return [...hit].flatMap(base => unitsOf.get(base) ?? []);
}

/** Looks through a section in pieces for several runs of bytes. */
function search(section: DebugSection, needles: readonly Uint8Array[], hit: (at: number) => void): void {
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  for (let start = 0; start < section.size; start += PIECE) {
    const bytes = section.read(start, Math.min(PIECE + overlap, section.size - start));
    for (const needle of needles) find(bytes, needle, at => hit(start + at));
  }
}

/** What Node's Buffer adds to Uint8Array: a search by the processor's wide instructions, ten times as fast as a loop. */
interface Searchable {
  indexOf(needle: Uint8Array, from: number): number;
}

/** Calls `hit` with each place of a run of bytes. */
function find(bytes: Uint8Array, needle: Uint8Array, hit: (at: number) => void): void {
  // Reached without an import, so that this floor loads in a browser.
  const host = globalThis as { Buffer?: { from(buffer: ArrayBufferLike, start: number, length: number): Searchable } };
  const view = host.Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.length) ?? {
    indexOf: (_: Uint8Array, from: number) => indexOf(bytes, needle, from),
  };
  for (let at = view.indexOf(needle, 0); at >= 0; at = view.indexOf(needle, at + 1)) hit(at);
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
