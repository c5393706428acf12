import { lastNotAbove } from './columns.js';
import type { Dwarf } from './dwarf.js';
import type { DebugSection } from './sections.js';
import type { Unit } from './unit.js';

/** Bytes of .debug_info that are looked through at a time. */
const PIECE = 1 << 22;

/**
 * The units that may name something so: those that hold the bytes of a reference to the name, or the name itself. A unit that holds them by chance is
 * among them; none is missing.
 */
export function unitsNaming(dwarf: Dwarf, name: string): Unit[] {
  const text = new TextEncoder().encode(`${name}\0`);
  const needles: Uint8Array[] = [text];
  const offsets = new Set<number>();
  const { unitOffsets } = dwarf;
  const strings = dwarf.sections.get('str');
  for (const offset of strings === undefined ? [] : occurrences(strings.bytes(), text)) {
    needles.push(word(offset, dwarf.littleEndian));
    for (const unit of unitsByIndex(dwarf, offset)) offsets.add(unit);
  }
  search(dwarf.info, needles, at => {
    const unit = lastNotAbove(unitOffsets, at);
    if (unit >= 0) offsets.add(unitOffsets[unit]!);
  });
  return [...offsets].sort((a, b) => a - b).map(offset => dwarf.unit(offset));
}

/** Where `needle` occurs in `bytes`. Each name of a merged table is there once, and as the end of longer ones. */
function occurrences(bytes: Uint8Array, needle: Uint8Array): number[] {
  const found: number[] = [];
  find(bytes, needle, at => found.push(at));
  return found;
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
  const bases: { readonly base: number; readonly unit: number }[] = [];
  for (const unit of dwarf.units()) bases.push({ base: unit.root.stringsBase, unit: unit.offset });
  bases.sort((a, b) => a.base - b.base);
  const starts = Float64Array.from(bases, ({ base }) => base);
  return occurrences(section.bytes(), word(offset, dwarf.littleEndian)).flatMap(at => {
    const last = lastNotAbove(starts, at);
    // Units may share a table.
    return last < 0 ? [] : bases.filter(({ base }) => base === starts[last]).map(({ unit }) => unit);
  });
}

/** Looks through a section in pieces for several runs of bytes. */
function search(section: DebugSection, needles: readonly Uint8Array[], hit: (at: number) => void): void {
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  for (let start = 0; start < section.size; start += PIECE) {
    const bytes = section.read(start, Math.min(PIECE + overlap, section.size - start));
    for (const needle of needles) find(bytes, needle, at => hit(start + at));
  }
}

/** Calls `hit` with each place of a run of bytes: looked for by the one of its bytes that is rarest here. */
function find(bytes: Uint8Array, needle: Uint8Array, hit: (at: number) => void): void {
  const key = rarest(bytes, needle);
  const byte = needle[key]!;
  const last = bytes.length - needle.length;
  for (let at = bytes.indexOf(byte, key); at >= 0 && at - key <= last; at = bytes.indexOf(byte, at + 1)) {
    const start = at - key;
    let i = 0;
    while (i < needle.length && bytes[start + i] === needle[i]) i++;
    if (i === needle.length) hit(start);
  }
}

function rarest(bytes: Uint8Array, needle: Uint8Array): number {
  const counts = new Uint32Array(256);
  const sample = Math.min(bytes.length, 1 << 16);
  for (let i = 0; i < sample; i++) counts[bytes[i]!]!++;
  let best = 0;
  for (let i = 1; i < needle.length; i++) if (counts[needle[i]!]! < counts[needle[best]!]!) best = i;
  return best;
}
