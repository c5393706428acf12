import { FormatError } from '../errors.js';
import type { AbbrevTable } from './abbrev.js';
import type { DebugFile } from './debug-file.js';
import { DieReader } from './die.js';
import { rangesOfRow } from './extent.js';
import type { Encoding } from './form.js';
import { InlinedCalls } from './inlined.js';
import { LineTable } from './line.js';
import { type Distances, rangesAllowance } from './ranges.js';
import { SubprogramTable } from './subprogram-table.js';
import { readUnitHeader, type UnitHeader } from './unit-header.js';
import { type OpenedUnit, readRoot, type UnitRoot } from './unit-root.js';

/** The bytes that are read for a unit's first entry; where it is longer, the whole unit is. */
const START = 1 << 12;

/**
 * A unit of .debug_info, §7.5.1, and what is read of it alone. Its parts are read on first use, and kept as long as it is. What an entry
 * takes over from another unit is not its business: see `subprogramChain`.
 */
export class Unit implements Encoding {
  readonly file: DebugFile;
  readonly header: UnitHeader;
  /** In .debug_info. */
  readonly offset: number;
  /** Bytes, with the header. */
  readonly length: number;
  #opened: OpenedUnit | undefined;
  #bytes: Uint8Array | undefined;
  #abbrevs: AbbrevTable | undefined;
  #lines: { readonly table: LineTable | undefined } | undefined;
  #subprograms: SubprogramTable | undefined;
  #inlined: InlinedCalls | undefined;
  #inlinedLast: { readonly row: number; readonly calls: InlinedCalls } | undefined;

  /** @throws FormatError where no unit of DWARF 2 to 5 begins at the offset */
  constructor(file: DebugFile, offset: number) {
    this.file = file;
    this.header = readUnitHeader(file.info, file.littleEndian, offset);
    this.offset = offset;
    this.length = this.header.length;
  }

  get version(): number {
    return this.header.version;
  }

  get addressSize(): number {
    return this.header.addressSize;
  }

  get offsetSize(): 4 | 8 {
    return this.header.offsetSize;
  }

  /** The offset after the unit. */
  get end(): number {
    return this.offset + this.length;
  }

  /** The source file that was compiled, as the compiler was given it: `fs/open.c`. */
  get name(): string | undefined {
    return this.file.strings.get(this.root.name);
  }

  /** The directory that relative paths start from. */
  get compDir(): string | undefined {
    return this.file.strings.get(this.root.compDir);
  }

  /** The compiler, its version and its options: `GNU C11 12.2.0 -mno-sse …`. */
  get producer(): string | undefined {
    return this.file.strings.get(this.root.producer);
  }

  /** DW_LANG_*; see {@link languageName}. */
  get language(): number {
    return this.root.language;
  }

  /** What the first entry says. */
  get root(): UnitRoot {
    this.#opened ??= this.#open();
    return this.#opened.root;
  }

  /** Where the unit's code is, by its first entry. @throws FormatError */
  get ranges(): Distances {
    const { root, context } = (this.#opened ??= this.#open());
    return rangesOfRow(context, root.low, root.low, root.high, root.ranges, rangesAllowance(context).account(`unit ${this.offset}`));
  }

  /** All bytes of the unit. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.file.info.read(this.offset, this.length);
    return this.#bytes;
  }

  get abbrevs(): AbbrevTable {
    this.#abbrevs ??= this.file.abbrevs(this.header);
    return this.#abbrevs;
  }

  /** A walk over its entries, before the first one. */
  reader(): DieReader {
    const { bytes, abbrevs } = this;
    this.#opened ??= this.#open();
    return new DieReader(this.#opened.context, bytes, abbrevs);
  }

  /** The line number table; undefined if the unit has none. @throws FormatError for a damaged one */
  get lines(): LineTable | undefined {
    if (this.#lines === undefined) {
      const { root, context } = (this.#opened ??= this.#open());
      this.#lines = { table: root.lines < 0 ? undefined : new LineTable(context, root.lines, root.compDir) };
    }
    return this.#lines.table;
  }

  /** Its subprograms: definitions, declarations and abstract instances. */
  get subprograms(): SubprogramTable {
    this.#subprograms ??= new SubprogramTable(this.reader(), this.root);
    return this.#subprograms;
  }

  /** Its inlined calls. */
  get inlined(): InlinedCalls {
    this.#inlined ??= new InlinedCalls(this.reader(), this.root, this.subprograms);
    return this.#inlined;
  }

  /** The inlined calls of one subprogram, by its row: the others are not looked at. Those of the last one are kept. */
  inlinedIn(subprogram: number): InlinedCalls {
    if (this.#inlinedLast?.row !== subprogram)
      this.#inlinedLast = { row: subprogram, calls: new InlinedCalls(this.reader(), this.root, this.subprograms, subprogram) };
    return this.#inlinedLast.calls;
  }

  /** Reads the first entry from the beginning of the unit, and its one abbreviation: an index of all units looks at no more of each. */
  #open(): OpenedUnit {
    const { file, header } = this;
    if (this.#bytes === undefined && this.length > START) {
      try {
        return readRoot(file, header, file.info.read(this.offset, START), file.abbrevs(header, 1));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    return readRoot(file, header, this.bytes, this.abbrevs);
  }
}
