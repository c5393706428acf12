import { SHF } from '../constants.js';
import { type Diagnostic, FormatError } from '../errors.js';
import type { ElfFile } from '../file.js';
import { halves } from '../words.js';
import { AbbrevTable } from './abbrev.js';
import { readAranges } from './aranges.js';
import { ByteReader, readUnitLength } from './byte-reader.js';
import { lastNotAbove } from './columns.js';
import { unitsNaming } from './name-search.js';
import { RangeIndex } from './range-index.js';
import { type DebugSection, DebugSections } from './sections.js';
import { DebugStrings, type StringHandle } from './strings.js';
import { type CodeRange, Subprogram } from './subprogram.js';
import { type Frame, framesAt } from './symbolize.js';
import { Unit } from './unit.js';

/** Options of {@link openDwarf}. */
export interface DwarfOptions {
  /** Bytes of units that are kept for the next question; 64 MiB where not given. What was read from them takes about as much again. */
  readonly cacheBytes?: number;
}

/** The address that distances are counted from. */
export interface Origin {
  readonly big: bigint;
  /** The halves of the address. */
  readonly low: number;
  readonly high: number;
  /** The distance of address zero. */
  readonly zero: number;
}

/** The debug information of a file. Opening it reads nothing; a question about one function reads the unit of that function. */
export class Dwarf {
  readonly elf: ElfFile;
  readonly sections: DebugSections;
  readonly strings: DebugStrings;
  readonly info: DebugSection;
  readonly origin: Origin;
  /** Damage that was met and did not keep the rest from being read. */
  readonly diagnostics: Diagnostic[] = [];
  readonly #cacheBytes: number;
  /** The units that were asked for last, the latest at the end. */
  readonly #units = new Map<number, Unit>();
  #unitBytes = 0;
  readonly #abbrevs = new Map<string, AbbrevTable>();
  #aranges: RangeIndex | undefined;
  #otherRanges: RangeIndex | undefined;
  #offsets: Float64Array | undefined;

  constructor(elf: ElfFile, sections: DebugSections, info: DebugSection, options: DwarfOptions) {
    this.elf = elf;
    this.sections = sections;
    this.info = info;
    this.strings = new DebugStrings(sections);
    this.#cacheBytes = options.cacheBytes ?? 64 << 20;
    const text = elf.sections.filter(({ flags, allocated }) => allocated && (flags & SHF.EXECINSTR) !== 0);
    const big = text.reduce((least, { address }) => (address < least ? address : least), text[0]?.address ?? 0n);
    const { low, high } = halves(big);
    this.origin = { big, low, high, zero: -low - high * 0x1_0000_0000 };
  }

  get littleEndian(): boolean {
    return this.elf.littleEndian;
  }

  /** The distance of an address from the origin; exact for what is within 2^53 of it. */
  distance(address: bigint): number {
    return Number(address - this.origin.big);
  }

  /** The address at a distance; zero where no address was given. */
  address(distance: number): bigint {
    return Number.isFinite(distance) ? BigInt.asUintN(64, this.origin.big + BigInt(distance)) : 0n;
  }

  /** Where a section of a relocatable file is taken to be, since they all begin at zero there: an address in it is its offset and this. */
  sectionAddress(index: number): bigint {
    return BigInt(this.sections.places[index] ?? 0);
  }

  /** The unit at an offset in .debug_info. @throws FormatError where none begins there */
  unit(offset: number): Unit {
    let unit = this.#units.get(offset);
    if (unit !== undefined) this.#units.delete(offset);
    else {
      unit = new Unit(this, offset);
      this.#unitBytes += unit.length;
    }
    this.#units.set(offset, unit);
    while (this.#unitBytes > this.#cacheBytes && this.#units.size > 1) {
      const [oldest, { length }] = this.#units.entries().next().value!;
      this.#units.delete(oldest);
      this.#unitBytes -= length;
    }
    return unit;
  }

  /** The unit that an entry stands in; undefined for none. @param near tried first */
  unitContaining(offset: number, near?: Unit): Unit | undefined {
    if (near !== undefined && offset >= near.offset && offset < near.end) return near;
    const at = lastNotAbove(this.unitOffsets, offset);
    if (at < 0) return undefined;
    const unit = this.unit(this.unitOffsets[at]!);
    return offset < unit.end ? unit : undefined;
  }

  /** Where each unit begins, by the lengths in front of them. Damage ends the list and is a diagnostic. */
  get unitOffsets(): Float64Array {
    if (this.#offsets === undefined) {
      const offsets: number[] = [];
      const { size, label } = this.info;
      const head = new Uint8Array(12);
      for (let at = 0; at < size; ) {
        try {
          const reader = new ByteReader(this.info.glance(at, Math.min(head.length, size - at), head), this.littleEndian, label, at);
          const { length } = readUnitLength(reader);
          if (length > size - at - reader.pos) reader.fail('out-of-range', `a unit of ${length} bytes does not fit into the section`);
          // A length of zero is a gap that a linker left.
          if (length > 0) offsets.push(at);
          at += reader.pos + length;
        } catch (error) {
          this.#note(error);
          break;
        }
      }
      this.#offsets = Float64Array.from(offsets);
    }
    return this.#offsets;
  }

  /** Every unit in the order of the file, one at a time: a unit is not kept behind its turn. One that is damaged is a diagnostic. */
  *units(): Generator<Unit> {
    for (const offset of this.unitOffsets) {
      let unit: Unit;
      try {
        unit = this.#units.get(offset) ?? new Unit(this, offset);
      } catch (error) {
        this.#note(error);
        continue;
      }
      yield unit;
    }
  }

  /** The unit whose code holds an address; undefined for none. */
  unitAt(address: bigint): Unit | undefined {
    const offset = this.unitOffsetAt(address);
    return offset < 0 ? undefined : this.unit(offset);
  }

  /** Where in .debug_info the unit stands whose code holds an address; -1 for none. The unit itself is not read. */
  unitOffsetAt(address: bigint): number {
    const distance = this.distance(address);
    this.#aranges ??= readAranges(this);
    const offset = this.#aranges.find(distance);
    return offset < 0 ? this.#others.find(distance) : offset;
  }

  /** The function whose code holds an address, inlined ones not counted. @throws FormatError for damage in its unit */
  subprogramAt(address: bigint): Subprogram | undefined {
    const unit = this.unitAt(address);
    if (unit === undefined) return undefined;
    const row = unit.subprograms.rowAtAddress(this.distance(address));
    return row < 0 ? undefined : new Subprogram(unit, row);
  }

  /**
   * Every subprogram of a name, in all units: definitions, abstract instances and declarations. There is no index of names in most files:
   * .debug_info is searched, in pieces, for the places that refer to the name's bytes, and only the units that do are read.
   */
  named(name: string): Subprogram[] {
    const found: Subprogram[] = [];
    // Equal names are equal handles mostly: each is decoded once.
    const known = new Map<StringHandle, boolean>();
    for (const unit of unitsNaming(this, name)) {
      const { subprograms } = unit;
      for (let row = 0; row < subprograms.count; row++) {
        const handle = subprograms.nameOf(row);
        let equal = known.get(handle);
        if (equal === undefined) {
          equal = this.strings.get(handle) === name;
          known.set(handle, equal);
        }
        if (equal) found.push(new Subprogram(unit, row));
      }
    }
    return found;
  }

  /** The subprogram whose entry stands at an offset in .debug_info. */
  subprogram(offset: number): Subprogram | undefined {
    const unit = this.unitContaining(offset);
    const row = unit?.subprograms.rowAt(offset) ?? -1;
    return row < 0 ? undefined : new Subprogram(unit!, row);
  }

  /** What stands at an address: the innermost inlined function first, the function that has a symbol last. Empty where no unit has code there. */
  frames(address: bigint): Frame[] {
    return framesAt(this, address);
  }

  /** Ranges as addresses. */
  codeRanges(distances: readonly number[]): CodeRange[] {
    const ranges: CodeRange[] = [];
    for (let i = 0; i < distances.length; i += 2) ranges.push({ low: this.address(distances[i]!), high: this.address(distances[i + 1]!) });
    return ranges;
  }

  /** The abbreviations of a unit, or the first `most` of them. */
  abbrevs(unit: Unit, most?: number): AbbrevTable {
    const section = this.sections.get('abbrev') ?? unit.fail('the file has no .debug_abbrev');
    const parse = (reader: ByteReader) => new AbbrevTable(reader, unit, most);
    if (most !== undefined) return section.scan(unit.abbrevOffset, this.littleEndian, parse);
    // Linked clang kernels share one table between units, gcc's have a table for each.
    const key = `${unit.abbrevOffset} ${unit.version} ${unit.addressSize} ${unit.offsetSize}`;
    let table = this.#abbrevs.get(key);
    if (table === undefined) {
      table = section.scan(unit.abbrevOffset, this.littleEndian, parse);
      if (this.#abbrevs.size >= KEPT_ABBREVS) this.#abbrevs.delete(this.#abbrevs.keys().next().value!);
      this.#abbrevs.set(key, table);
    }
    return table;
  }

  /** The ranges of units that .debug_aranges lacks, by their first entries. */
  get #others(): RangeIndex {
    if (this.#otherRanges === undefined) {
      const known = this.#aranges!.owners();
      const ranges: number[] = [];
      for (const unit of this.units()) {
        if (known.has(unit.offset)) continue;
        try {
          const own = unit.ranges;
          for (let i = 0; i < own.length; i += 2) ranges.push(own[i]!, own[i + 1]!, unit.offset);
        } catch (error) {
          this.#note(error);
        }
      }
      this.#otherRanges = new RangeIndex(ranges);
    }
    return this.#otherRanges;
  }

  #note(error: unknown): void {
    if (!(error instanceof FormatError)) throw error;
    this.diagnostics.push({ place: error.place, message: error.message });
  }
}

const KEPT_ABBREVS = 16;

/** The debug information of a file; undefined where it has none. Nothing is read. */
export function openDwarf(elf: ElfFile, options: DwarfOptions = {}): Dwarf | undefined {
  const sections = new DebugSections(elf);
  const info = sections.get('info');
  return info === undefined ? undefined : new Dwarf(elf, sections, info, options);
}
