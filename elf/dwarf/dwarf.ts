import { FormatError } from '../errors.js';
import type { ElfFile } from '../file.js';
import { readAranges } from './aranges.js';
import { DebugFile } from './debug-file.js';
import type { DebugStrings, StringHandle } from './debug-strings.js';
import { type Frame, framesAt } from './frames.js';
import { unitsNaming } from './name-search.js';
import { RangeIndex } from './range-index.js';
import { Subprogram } from './subprogram.js';
import { subprogramName } from './subprogram-chain.js';
import type { Unit } from './unit.js';
import { UnitList } from './unit-list.js';

/** Options of {@link openDwarf}. */
export interface DwarfOptions {
  /** Bytes of units that are kept for the next question; 8 MiB where not given. What was read from them takes about as much again. */
  readonly cacheBytes?: number;
}

/** The debug information of a file. Opening it reads nothing; a question about one function reads the unit of that function. */
export class Dwarf extends UnitList {
  #aranges: RangeIndex | undefined;
  #otherRanges: RangeIndex | undefined;

  get elf(): ElfFile {
    return this.file.elf;
  }

  get strings(): DebugStrings {
    return this.file.strings;
  }

  /** The distance of an address from the origin; exact for what is within 2^53 of it. */
  distance(address: bigint): number {
    return this.file.distance(address);
  }

  /** The address at a distance; zero where no address was given. */
  address(distance: number): bigint {
    return this.file.address(distance);
  }

  /** Where a section of a relocatable file is taken to be, since they all begin at zero there: an address in it is its offset and this. */
  sectionAddress(index: number): bigint {
    return BigInt(this.file.sections.places[index] ?? 0);
  }

  /** The unit whose code holds an address; undefined for none. */
  unitAt(address: bigint): Unit | undefined {
    const offset = this.unitOffsetAt(address);
    return offset < 0 ? undefined : this.unit(offset);
  }

  /** Where in .debug_info the unit stands whose code holds an address; -1 for none. The unit itself is not read. */
  unitOffsetAt(address: bigint): number {
    const distance = this.distance(address);
    const offset = this.#indexed.find(distance);
    return offset < 0 ? this.#others.find(distance) : offset;
  }

  /** The function whose code holds an address, inlined ones not counted. @throws FormatError for damage in its unit */
  subprogramAt(address: bigint): Subprogram | undefined {
    const unit = this.unitAt(address);
    if (unit === undefined) return undefined;
    const row = unit.subprograms.rowAtAddress(this.distance(address));
    return row < 0 ? undefined : new Subprogram(this, unit, row);
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
      const { count } = unit.subprograms;
      for (let row = 0; row < count; row++) {
        const handle = subprogramName(this, unit, row);
        let equal = known.get(handle);
        if (equal === undefined) {
          equal = this.strings.get(handle) === name;
          known.set(handle, equal);
        }
        if (equal) found.push(new Subprogram(this, unit, row));
      }
    }
    return found;
  }

  /** The subprogram whose entry is at an offset in .debug_info. */
  subprogram(offset: number): Subprogram | undefined {
    return Subprogram.at(this, offset);
  }

  /**
   * What is at an address: the innermost inlined function first, the function that has a symbol last. Empty where no unit has code there.
   */
  frames(address: bigint): Frame[] {
    const unit = this.unitAt(address);
    return unit === undefined ? [] : framesAt(this, unit, this.distance(address));
  }

  get #indexed(): RangeIndex {
    this.#aranges ??= new RangeIndex(readAranges(this.file, error => this.note(error)));
    return this.#aranges;
  }

  /** The ranges of units that .debug_aranges lacks, by their first entries. */
  get #others(): RangeIndex {
    if (this.#otherRanges === undefined) {
      const known = this.#indexed.owners();
      const ranges: number[] = [];
      for (const unit of this.units()) {
        if (known.has(unit.offset)) continue;
        try {
          const own = unit.ranges;
          for (let i = 0; i < own.length; i += 2) ranges.push(own[i]!, own[i + 1]!, unit.offset);
        } catch (error) {
          this.note(error);
          // What is left of the units costs too much as well.
          if (error instanceof FormatError && error.code === 'limit') break;
        }
      }
      this.#otherRanges = new RangeIndex(ranges);
    }
    return this.#otherRanges;
  }
}

/** The debug information of a file; undefined if it has none. Nothing is read. */
export function openDwarf(elf: ElfFile, options: DwarfOptions = {}): Dwarf | undefined {
  const file = DebugFile.open(elf);
  return file === undefined ? undefined : new Dwarf(file, options.cacheBytes);
}
