import { Cursor } from '../elf/cursor.js';
import { FormatError } from '../elf/errors.js';
import type { Btf } from './btf.js';
import { BTF_MAGIC } from './wire.js';

/** The rows of one ELF section in a table of .BTF.ext: from `start` up to `end`, not included. */
export interface ExtSection {
  /** The ELF section's name: the only thing that joins the rows to their code. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What the tables have in common. Offsets are in bytes, from the start of the ELF section. */
export interface ExtRows {
  readonly sections: readonly ExtSection[];
  readonly length: number;
  readonly offsets: Uint32Array;
}

/** `bpf_func_info`: where each function starts, and its FUNC. */
export interface FuncInfoColumns extends ExtRows {
  readonly typeIds: Uint32Array;
}

/** `bpf_line_info`: the source line of each run of instructions. File names and lines are string offsets of the BTF. */
export interface LineInfoColumns extends ExtRows {
  readonly files: Uint32Array;
  readonly texts: Uint32Array;
  /** Line and column, 22 and 10 bits. */
  readonly positions: Uint32Array;
}

/** `bpf_core_relo`: instructions whose value depends on the types of the kernel they will run on. */
export interface CoreRelocationColumns extends ExtRows {
  /** The local type that the access starts from. */
  readonly typeIds: Uint32Array;
  /** `0:1:2`, as string offsets of the BTF. */
  readonly accesses: Uint32Array;
  /** `enum bpf_core_relo_kind`. */
  readonly kinds: Uint32Array;
}

/** A line of source, as {@link BtfExt.line} gives it. */
export interface SourceLine {
  readonly file: string;
  /** From 1; 0 if the compiler knew none. */
  readonly line: number;
  readonly column: number;
  /** The text of the line, with its indentation; '' where it is not there. */
  readonly text: string;
}

/** Bytes of the header up to line_info_len, and with core_relo. */
const HEADER_BYTES = 24;
const HEADER_WITH_RELOCATIONS = 32;

/** A damaged section may name a string of megabytes for each row. */
const LONGEST_NAME = 4096;

/** Words of the rows that are read; a record may be longer. */
const FUNC_WORDS = 2;
const LINE_WORDS = 4;
const CORE_WORDS = 4;

/**
 * A `.BTF.ext` section (btf.rst, ".BTF.ext section"): what BTF says about the instructions of a BPF object. Sections, strings and type ids
 * were checked when it was read; whether an offset is that of an instruction, only the owner of the code can check.
 */
export class BtfExt {
  readonly name: string;
  readonly btf: Btf;
  readonly littleEndian: boolean;
  readonly functions: FuncInfoColumns;
  readonly lines: LineInfoColumns;
  readonly relocations: CoreRelocationColumns;

  /**
   * Reads the section by the rules of libbpf (btf_ext__new).
   * @param btf the `.BTF` of the same file, whose strings and types it refers to
   * @throws FormatError
   */
  static parse(bytes: Uint8Array, btf: Btf, name = '.BTF.ext'): BtfExt {
    return new BtfExt(bytes, btf, name);
  }

  private constructor(bytes: Uint8Array, btf: Btf, name: string) {
    this.name = name;
    this.btf = btf;
    const reader = new Reader(bytes, btf, name);
    this.littleEndian = reader.littleEndian;
    const functions = reader.table('func_info', 8, FUNC_WORDS);
    this.functions = { ...functions.rows, typeIds: functions.column(1) };
    const lines = reader.table('line_info', 16, LINE_WORDS);
    this.lines = { ...lines.rows, files: lines.column(1), texts: lines.column(2), positions: lines.column(3) };
    const relocations = reader.table('core_relo', 24, CORE_WORDS);
    this.relocations = {
      ...relocations.rows,
      typeIds: relocations.column(1),
      accesses: relocations.column(2),
      kinds: relocations.column(3),
    };
    reader.checkTypes('func_info', this.functions.typeIds);
    reader.checkStrings('line_info', this.lines.files);
    reader.checkStrings('line_info', this.lines.texts);
    reader.checkTypes('core_relo', this.relocations.typeIds);
    reader.checkStrings('core_relo', this.relocations.accesses);
  }

  /** Row `row` of {@link lines}. */
  line(row: number): SourceLine {
    const { files, texts, positions } = this.lines;
    const { strings } = this.btf;
    const position = positions[row]!;
    return { file: strings.text(files[row]!), line: position >>> 10, column: position & 0x3ff, text: strings.text(texts[row]!) };
  }

  /** `0:1:2`, the access of row `row` of {@link relocations}. */
  access(row: number): string {
    return this.btf.strings.text(this.relocations.accesses[row]!);
  }
}

/** The rows of a table for one ELF section, by its name; a section may be in it more than once. */
export function* rowsOf(table: ExtRows, section: string): Generator<number, void, undefined> {
  for (const { name, start, end } of table.sections) if (name === section) for (let row = start; row < end; row++) yield row;
}

class Reader {
  readonly littleEndian: boolean;
  readonly #bytes: Uint8Array;
  readonly #btf: Btf;
  readonly #name: string;
  readonly #header: Cursor;
  readonly #headerLength: number;
  readonly #names = new Map<number, string>();

  constructor(bytes: Uint8Array, btf: Btf, name: string) {
    if (bytes.length < 8) throw new FormatError('truncated', { name }, `a header takes ${HEADER_BYTES} bytes, there are ${bytes.length}`);
    this.#bytes = bytes;
    this.#btf = btf;
    this.#name = name;
    this.littleEndian = bytes[0] === (BTF_MAGIC & 0xff);
    const cursor = new Cursor(bytes, this.littleEndian, name);
    if (cursor.u16() !== BTF_MAGIC) cursor.fail('bad-magic', 'these are not the first bytes of .BTF.ext, 9f eb or eb 9f');
    if (this.littleEndian !== btf.header.littleEndian) cursor.fail('bad-value', 'has a different byte order than .BTF');
    const version = cursor.u8();
    if (version !== 1) cursor.fail('unsupported', `version ${version}; kelf knows only version 1`);
    const flags = cursor.u8();
    if (flags !== 0) cursor.fail('unsupported', `flags 0x${flags.toString(16)}; kelf knows none`);
    this.#headerLength = cursor.u32();
    if (this.#headerLength < HEADER_BYTES) cursor.fail('bad-value', `hdr_len ${this.#headerLength} is less than ${HEADER_BYTES}`);
    if (this.#headerLength > bytes.length) cursor.fail('truncated', `hdr_len ${this.#headerLength}, the section has ${bytes.length} bytes`);
    this.#header = cursor;
  }

  /**
   * One table.
   * @param at of its offset and length in the header
   * @param words that a record has at least; the first is the instruction's offset
   */
  table(what: string, at: number, words: number): Table {
    // Headers from before CO-RE end where line_info's length does.
    if (at >= HEADER_BYTES && this.#headerLength < HEADER_WITH_RELOCATIONS) return new Table(0, words);
    this.#header.pos = at;
    const offset = this.#header.u32();
    if (offset % 4 !== 0) this.#header.fail('bad-value', `${what}_off ${offset} is not a multiple of 4`);
    const length = this.#header.u32();
    if (length === 0) return new Table(0, words);
    const start = this.#headerLength + offset;
    if (start + length > this.#bytes.length) {
      this.#header.fail('truncated', `${what} ends at ${start + length}, the section at ${this.#bytes.length}`);
    }
    return this.#rows(what, new Cursor(this.#bytes.subarray(start, start + length), this.littleEndian, this.#name, start), words);
  }

  #rows(what: string, cursor: Cursor, words: number): Table {
    const recordSize = cursor.u32();
    if (recordSize < words * 4 || recordSize % 4 !== 0) {
      cursor.fail('bad-value', `${what} has records of ${recordSize} bytes; expected a multiple of 4, at least ${words * 4}`);
    }
    if (cursor.remaining === 0) cursor.fail('bad-value', `${what} has no records`);
    const table = new Table(Math.floor(cursor.remaining / recordSize), words);
    while (cursor.remaining > 0) {
      const name = this.#sectionName(cursor);
      const count = cursor.u32();
      if (count === 0) cursor.fail('bad-value', `${what} has a section without records`);
      if (count * recordSize > cursor.remaining) {
        cursor.fail('truncated', `${count} records of ${recordSize} bytes are declared, but only ${cursor.remaining} bytes are left`);
      }
      table.begin(name, count);
      for (let i = 0; i < count; i++) {
        table.add(cursor);
        cursor.skip(recordSize - words * 4);
      }
    }
    return table;
  }

  #sectionName(cursor: Cursor): string {
    const { strings } = this.#btf;
    const offset = cursor.u32();
    let name = this.#names.get(offset);
    if (name === undefined) {
      if (offset >= strings.end) cursor.fail('out-of-range', `section name ${offset}; the strings of .BTF end at ${strings.end}`);
      const { length } = strings.slice(offset);
      if (length > LONGEST_NAME) cursor.fail('limit', `a section name of ${length} bytes; ${LONGEST_NAME} are read`);
      this.#names.set(offset, (name = strings.text(offset)));
    }
    return name;
  }

  checkTypes(what: string, ids: Uint32Array): void {
    const { count } = this.#btf;
    for (const id of ids) if (id >= count) this.#fail(`${what} refers to type ${id}; the last type is ${count - 1}`);
  }

  checkStrings(what: string, offsets: Uint32Array): void {
    const { end } = this.#btf.strings;
    for (const offset of offsets) if (offset >= end) this.#fail(`${what} refers to string ${offset}; the strings of .BTF end at ${end}`);
  }

  #fail(message: string): never {
    throw new FormatError('out-of-range', { name: this.#name }, message);
  }
}

/** Rows of one table while they are read. */
class Table {
  readonly #sections: ExtSection[] = [];
  readonly #columns: Uint32Array[];
  #length = 0;

  /** @param most rows that the bytes have room for */
  constructor(most: number, words: number) {
    this.#columns = Array.from({ length: words }, () => new Uint32Array(most));
  }

  begin(name: string, count: number): void {
    this.#sections.push({ name, start: this.#length, end: this.#length + count });
  }

  add(cursor: Cursor): void {
    for (const column of this.#columns) column[this.#length] = cursor.u32();
    this.#length++;
  }

  column(index: number): Uint32Array {
    return this.#columns[index]!.subarray(0, this.#length);
  }

  get rows(): ExtRows {
    return { sections: this.#sections, length: this.#length, offsets: this.column(0) };
  }
}
