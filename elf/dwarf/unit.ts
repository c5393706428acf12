import { FormatError } from '../errors.js';
import type { AbbrevTable } from './abbrev.js';
import { ByteReader, readUnitLength } from './byte-reader.js';
import { DW_AT, DW_UT } from './constants.js';
import { DieReader, NONE } from './die.js';
import type { Dwarf } from './dwarf.js';
import { Extent } from './extent.js';
import { type Encoding, formSize } from './form.js';
import { InlinedCalls } from './inlined.js';
import { LineTable } from './line.js';
import { type Distances, readRanges } from './ranges.js';
import type { DebugSection } from './sections.js';
import { NO_STRING, type StringHandle, stringHandle } from './strings.js';
import { SubprogramTable } from './subprogram-table.js';

/** What the first entry of a unit says of all of it. */
export interface UnitRoot {
  /** DW_TAG_*: compile_unit mostly. */
  readonly tag: number;
  readonly name: StringHandle;
  readonly compDir: StringHandle;
  readonly producer: StringHandle;
  /** DW_LANG_*: 0x1d for C11; 0x8001 for assembly; 0x1c for Rust. */
  readonly language: number;
  /** DW_AT_low_pc as a distance: the base of lists; that of address zero where the unit has none. */
  readonly low: number;
  /** The end by DW_AT_high_pc; NaN where the unit has none. */
  readonly high: number;
  /** Offset of its ranges, or -1. */
  readonly ranges: number;
  /** Offset in .debug_line, or -1. */
  readonly lines: number;
  readonly stringsBase: number;
  readonly addressBase: number;
  readonly rnglistsBase: number;
  readonly loclistsBase: number;
}

/** The bytes that are read for a unit's first entry; where it is longer, the whole unit is. */
const START = 1 << 12;
/** The longest header: 64-bit DWARF 5 of a type unit. */
const LONGEST_HEADER = 40;

/** A unit of .debug_info, §7.5.1. Its parts are read when they are asked for, and kept as long as it is. */
export class Unit implements Encoding {
  readonly dwarf: Dwarf;
  /** In .debug_info. */
  readonly offset: number;
  /** Bytes, with the header. */
  readonly length: number;
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  /** DW_UT_*; compile where the version has no types of units. */
  readonly type: number;
  /** Bytes in front of the first entry. */
  readonly headerSize: number;
  readonly abbrevOffset: number;
  readonly #sizes = new Int8Array(0x40).fill(-2);
  #root: UnitRoot | undefined;
  #bytes: Uint8Array | undefined;
  #abbrevs: AbbrevTable | undefined;
  #lines: { readonly table: LineTable | undefined } | undefined;
  #subprograms: SubprogramTable | undefined;
  #inlined: InlinedCalls | undefined;

  /** @throws FormatError where no unit of DWARF 2 to 5 begins at the offset */
  constructor(dwarf: Dwarf, offset: number) {
    const { info } = dwarf;
    const reader = new ByteReader(
      info.read(offset, Math.max(0, Math.min(LONGEST_HEADER, info.size - offset))),
      dwarf.littleEndian,
      info.label,
      offset,
    );
    const { length, offsetSize } = readUnitLength(reader);
    const behindLength = reader.pos;
    if (length > info.size - offset - behindLength) {
      reader.pos = 0;
      reader.fail('out-of-range', `a unit of ${length} bytes does not fit into the section`);
    }
    reader.end = Math.min(reader.end, behindLength + length);
    this.dwarf = dwarf;
    this.offset = offset;
    this.length = behindLength + length;
    this.offsetSize = offsetSize;
    this.version = reader.u16();
    if (this.version < 2 || this.version > 5) reader.fail('unsupported', `a unit of DWARF ${this.version}; 2 to 5 are read`);
    if (this.version >= 5) {
      this.type = reader.u8();
      this.addressSize = reader.u8();
      this.abbrevOffset = reader.unsigned(offsetSize);
      if (this.type === DW_UT.skeleton || this.type === DW_UT.split_compile) reader.skip(8);
      else if (this.type === DW_UT.type || this.type === DW_UT.split_type) reader.skip(8 + offsetSize);
    } else {
      this.type = DW_UT.compile;
      this.abbrevOffset = reader.unsigned(offsetSize);
      this.addressSize = reader.u8();
    }
    if (this.addressSize !== 4 && this.addressSize !== 8)
      reader.fail('unsupported', `addresses of ${this.addressSize} bytes; 4 and 8 are read`);
    this.headerSize = reader.pos;
  }

  get littleEndian(): boolean {
    return this.dwarf.littleEndian;
  }

  /** `vmlinux: .debug_info`, for messages. */
  get label(): string {
    return this.dwarf.info.label;
  }

  /** The offset behind the unit. */
  get end(): number {
    return this.offset + this.length;
  }

  /** The source file that was compiled, as the compiler was given it: `fs/open.c`. */
  get name(): string | undefined {
    return this.dwarf.strings.get(this.root.name);
  }

  /** The directory that relative paths start from. */
  get compDir(): string | undefined {
    return this.dwarf.strings.get(this.root.compDir);
  }

  /** The compiler, its version and its options: `GNU C11 12.2.0 -mno-sse …`. */
  get producer(): string | undefined {
    return this.dwarf.strings.get(this.root.producer);
  }

  /** DW_LANG_*; see {@link languageName}. */
  get language(): number {
    return this.root.language;
  }

  /** What the first entry says. */
  get root(): UnitRoot {
    this.#root ??= this.#readRoot();
    return this.#root;
  }

  /** Where the unit's code is, by its first entry. */
  get ranges(): Distances {
    const { low, high, ranges } = this.root;
    if (ranges >= 0) return readRanges(this, ranges);
    return low < high ? [low, high] : [];
  }

  /** All bytes of the unit. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.dwarf.info.read(this.offset, this.length);
    return this.#bytes;
  }

  get abbrevs(): AbbrevTable {
    this.#abbrevs ??= this.dwarf.abbrevs(this);
    return this.#abbrevs;
  }

  /** A walk over its entries, in front of the first one. */
  reader(): DieReader {
    return new DieReader(this, this.bytes, this.abbrevs);
  }

  /** The line number table; undefined where the unit has none. @throws FormatError for a damaged one */
  get lines(): LineTable | undefined {
    if (this.#lines === undefined) {
      const { lines } = this.root;
      this.#lines = { table: lines < 0 ? undefined : new LineTable(this, lines) };
    }
    return this.#lines.table;
  }

  /** Its subprograms: definitions, declarations and abstract instances. */
  get subprograms(): SubprogramTable {
    this.#subprograms ??= new SubprogramTable(this);
    return this.#subprograms;
  }

  /** Its inlined calls. */
  get inlined(): InlinedCalls {
    this.#inlined ??= new InlinedCalls(this);
    return this.#inlined;
  }

  /** Bytes of a value of a form; negative where the value tells. @throws FormatError for forms that are not known */
  sizeOf(form: number): number {
    const known = this.#sizes[form];
    if (known !== undefined && known !== -2) return known;
    const size = formSize(form, this);
    if (size === undefined)
      throw new FormatError('unsupported', { name: this.label, offset: this.offset }, `form 0x${form.toString(16)} is not known`);
    if (form < this.#sizes.length) this.#sizes[form] = size;
    return size;
  }

  /** The address at an index of .debug_addr, as a distance. */
  addressAt(index: number): number {
    const { low, high } = this.dwarf.origin;
    return this.word('addr', this.root.addressBase, index, this.addressSize).distance(this.addressSize, low, high);
  }

  /** The string at an index of .debug_str_offsets. */
  stringAt(index: number): StringHandle {
    return stringHandle('str', this.word('str_offsets', this.root.stringsBase, index, this.offsetSize).unsigned(this.offsetSize));
  }

  /** @throws FormatError that names the unit */
  fail(message: string): never {
    throw new FormatError('out-of-range', { name: this.label, offset: this.offset }, message);
  }

  /** A section that the unit refers to, by its name without `.debug_`. @throws FormatError where the file has none */
  section(name: string): DebugSection {
    return this.dwarf.sections.get(name) ?? this.fail(`the unit names .debug_${name}, and the file has no such section`);
  }

  /** The word at an index of a table of a section. */
  word(name: string, base: number, index: number, size: number): ByteReader {
    const section = this.section(name);
    const at = base + index * size;
    return new ByteReader(section.read(at, size), this.littleEndian, section.label, at);
  }

  /** Reads the first entry from the beginning of the unit, and its one abbreviation: an index of all units looks at no more of each. */
  #readRoot(): UnitRoot {
    if (this.#bytes === undefined && this.length > START) {
      try {
        const start = this.dwarf.info.read(this.offset, START);
        return this.#rootFrom(new DieReader(this, start, this.dwarf.abbrevs(this, 1)));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    return this.#rootFrom(this.reader());
  }

  #rootFrom(die: DieReader): UnitRoot {
    if (!die.next()) this.fail('the unit has no entry');
    const header = this.offsetSize === 4 ? 8 : 16;
    const { zero } = this.dwarf.origin;
    // Strings and addresses by index need the bases, which may come behind them: these are read first.
    const bases = { stringsBase: header, addressBase: header, rnglistsBase: header + 4, loclistsBase: header + 4 };
    this.#root = {
      tag: die.tag,
      name: -1,
      compDir: -1,
      producer: -1,
      language: 0,
      low: zero,
      high: Number.NaN,
      ranges: NONE,
      lines: NONE,
      ...bases,
    };
    try {
      const start = die.pos;
      for (let spec = die.firstSpec; spec < die.lastSpec; spec++) {
        const form = die.form(spec);
        const attribute = die.attribute(spec);
        if (attribute === DW_AT.str_offsets_base) bases.stringsBase = die.sectionOffset(form);
        else if (attribute === DW_AT.addr_base) bases.addressBase = die.sectionOffset(form);
        else if (attribute === DW_AT.rnglists_base) bases.rnglistsBase = die.sectionOffset(form);
        else if (attribute === DW_AT.loclists_base) bases.loclistsBase = die.sectionOffset(form);
        else die.skipForm(form);
      }
      this.#root = { ...this.#root, ...bases };
      die.pos = start;
      return this.#readAttributes(die, this.#root);
    } finally {
      this.#root = undefined;
    }
  }

  #readAttributes(die: DieReader, root: UnitRoot): UnitRoot {
    let { name, compDir, producer, language, lines } = { ...root, name: NO_STRING };
    const code = new Extent();
    code.reset(root.low);
    for (let spec = die.firstSpec; spec < die.lastSpec; spec++) {
      const form = die.form(spec);
      const attribute = die.attribute(spec);
      switch (attribute) {
        case DW_AT.name:
          name = die.string(form);
          break;
        case DW_AT.comp_dir:
          compDir = die.string(form);
          break;
        case DW_AT.producer:
          producer = die.string(form);
          break;
        case DW_AT.language:
          language = die.constant(form);
          break;
        case DW_AT.stmt_list:
          lines = die.sectionOffset(form);
          break;
        default:
          code.read(die, attribute, form);
      }
    }
    const { low, high, ranges } = code;
    return { ...root, name, compDir, producer, language, low, high, ranges, lines };
  }
}
