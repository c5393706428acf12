import { Allowance } from '../allowance.js';
import { SHF } from '../constants.js';
import { FormatError } from '../errors.js';
import type { ElfFile } from '../file.js';
import { halves } from '../words.js';
import { AbbrevTable } from './abbrev.js';
import { DebugStrings } from './debug-strings.js';
import { type DebugSection, DebugSections } from './sections.js';
import type { UnitHeader } from './unit-header.js';

/** The address that distances are counted from. */
export interface Origin {
  readonly big: bigint;
  /** The halves of the address. */
  readonly low: number;
  readonly high: number;
  /** The distance of address zero. */
  readonly zero: number;
}

/** A run of code: from `low` to the byte in front of `high`. */
export interface CodeRange {
  readonly low: bigint;
  readonly high: bigint;
}

const KEPT_ABBREVS = 16;
/** What small files may cost besides. */
const SPARE = 1 << 16;

/**
 * What all units of a file share: its sections and strings, the address that distances are counted from, and tables of abbreviations. It
 * knows of no unit.
 */
export class DebugFile {
  readonly elf: ElfFile;
  readonly sections: DebugSections;
  readonly strings: DebugStrings;
  /** .debug_info */
  readonly info: DebugSection;
  readonly origin: Origin;
  readonly #abbrevs = new Map<string, AbbrevTable>();
  readonly #allowances = new Map<string, Allowance>();

  constructor(elf: ElfFile, sections: DebugSections, info: DebugSection) {
    this.elf = elf;
    this.sections = sections;
    this.info = info;
    this.strings = new DebugStrings(sections);
    const text = elf.sections.filter(({ flags, allocated }) => allocated && (flags & SHF.EXECINSTR) !== 0);
    const big = text.reduce((least, { address }) => (address < least ? address : least), text[0]?.address ?? 0n);
    const { low, high } = halves(big);
    this.origin = { big, low, high, zero: -low - high * 0x1_0000_0000 };
  }

  /** The debug information of a file; undefined if it has none. Nothing is read. */
  static open(elf: ElfFile): DebugFile | undefined {
    const sections = new DebugSections(elf);
    const info = sections.get('info');
    return info === undefined ? undefined : new DebugFile(elf, sections, info);
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

  /** Ranges as addresses. */
  codeRanges(distances: readonly number[]): CodeRange[] {
    const ranges: CodeRange[] = [];
    for (let i = 0; i < distances.length; i += 2) ranges.push({ low: this.address(distances[i]!), high: this.address(distances[i + 1]!) });
    return ranges;
  }

  /** The abbreviations of a unit, or the first `most` of them. */
  abbrevs(unit: UnitHeader, most?: number): AbbrevTable {
    const section = this.sections.get('abbrev');
    if (section === undefined)
      throw new FormatError('out-of-range', { name: this.info.label, offset: unit.offset }, 'the file has no .debug_abbrev');
    if (most !== undefined) return section.scan(unit.abbrevOffset, this.littleEndian, reader => new AbbrevTable(reader, unit, most));
    // Linked clang kernels share one table between units, gcc's have a table for each.
    const key = `${unit.abbrevOffset} ${unit.version} ${unit.addressSize} ${unit.offsetSize}`;
    let table = this.#abbrevs.get(key);
    if (table === undefined) {
      const pay = this.allowance('abbrev', 'the tables of abbreviations').account(unit.abbrevOffset);
      table = section.scan(unit.abbrevOffset, this.littleEndian, reader => new AbbrevTable(reader, unit, undefined, pay));
      if (this.#abbrevs.size >= KEPT_ABBREVS) this.#abbrevs.delete(this.#abbrevs.keys().next().value!);
      this.#abbrevs.set(key, table);
    }
    return table;
  }

  /** What is read of a section may cost so much in all, by its size. @param name of the section @param what is read, for messages */
  allowance(name: string, what: string, perByte = 4): Allowance {
    let allowance = this.#allowances.get(name);
    if (allowance === undefined) {
      const size = this.sections.get(name)?.size ?? 0;
      this.#allowances.set(name, (allowance = new Allowance(this.elf.name, what, perByte * size + SPARE)));
    }
    return allowance;
  }
}
