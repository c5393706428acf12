import type { ElfFile } from '../../../elf/file.js';
import { relocationRule } from '../../../elf/relocation-rules.js';
import type { Section } from '../../../elf/section.js';
import { Words } from '../../../elf/words.js';

/**
 * The words of a section of a relocatable file that hold addresses, in the order of their places. An address is a section and an offset in
 * it, until a module is loaded; it is kept as a 64-bit word whose high half is the section's index: {@link placeOf}.
 */
export interface Pointers {
  readonly count: number;
  /** Offset of each word in its section. */
  readonly at: Float64Array;
  /** What each word points to. */
  readonly target: Words;
  /** The row in the symbol table that its relocation names. */
  readonly symbol: Uint32Array;
  /** Relocations whose targets do not lie in a section: against undefined or absolute symbols, or damaged. */
  readonly elsewhere: number;
}

/** A place in a relocatable file as one word: sections stand 4 GiB apart, by their index. */
export function placeOf(section: number, offset: number): bigint {
  return (BigInt(section) << 32n) | BigInt(offset);
}

/** The index of the section of a place that `placeOf()` made. */
export function sectionOfPlace(place: bigint): number {
  return Number(place >> 32n);
}

/** The offset in its section of a place that `placeOf()` made. */
export function offsetOfPlace(place: bigint): number {
  return Number(place & 0xffff_ffffn);
}

/** Reads the pointers of a section, by its relocations: the words themselves are zero in RELA files. @throws FormatError */
export function readPointers(file: ElfFile, section: Section): Pointers {
  const memory = file.sectionMemory(section);
  const size = section.data().length;
  const bytes = memory.read(0n, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { machine, littleEndian } = file.header;
  const found: { at: number; section: number; offset: number; symbol: number }[] = [];
  let elsewhere = 0;
  for (const { table, rows, row } of memory.sites(0n, size)) {
    const rule = relocationRule(machine, rows.type[row]!);
    if (rule === undefined || rule.form === 'none') continue;
    const at = Number(rows.offset.big[row]!);
    const symbol = rows.symbol[row]!;
    const index = file.symbolTable(table.section.link)?.sectionIndex[symbol] ?? 0;
    const target = file.sections[index];
    if (at + rule.width > size || target === undefined || index === 0) {
      elsewhere++;
      continue;
    }
    const value = rule.width === 8 ? Number(view.getBigInt64(at, littleEndian)) : view.getInt32(at, littleEndian);
    const offset = rule.form === 'pc-relative' ? value + at : value;
    // A pointer after the last byte of a section is one to its end.
    if (offset >= 0 && offset <= target.size && offset <= 0xffff_ffff) found.push({ at, section: index, offset, symbol });
    else elsewhere++;
  }
  found.sort((a, b) => a.at - b.at);
  const at = Float64Array.from(found, pointer => pointer.at);
  const target = new Words(found.length);
  for (const [i, { section: index, offset }] of found.entries()) target.set(i, offset, index);
  return { count: found.length, at, target, symbol: Uint32Array.from(found, pointer => pointer.symbol), elsewhere };
}
