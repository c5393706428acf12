import { bindingName, reservedIndexName, symbolTypeName } from '../../elf/names.js';
import type { SymbolTable } from '../../elf/symbol.js';
import type { ElfTables } from '../../elf/tables.js';
import { hex } from '../report/json.js';
import { sectionName, widest } from './elf-text.js';
import type { Output } from './output.js';

/** Names of sections and files are cut there, those of symbols go on in another piece. */
const LONGEST_NAME = 512;
/** Beyond this a longer section name moves its own row, not all of them. */
const SECTION_WIDTH = 24;
/** Bytes that are gathered before they are written, and what a row may take beyond them, without its name. */
const OUTPUT = 1 << 17;
const ROW = 1 << 13;
/** The first of it is written early: what writes is then part of the code by the time that is compiled. */
const FIRST = 1 << 13;
/** Texts that are kept at a time: a power of two. */
const SLOTS = 1 << 12;
const NO_TEXT = new Uint8Array(0);

const SPACE = 32;
const DELETE = 127;
const ZERO = 48;
const NEWLINE = 10;

/**
 * Writes symbols as text, a symbol a line.
 * @returns how many rows have a name outside of the table of names
 */
export function printSymbols(elf: ElfTables, table: SymbolTable, rows: Uint32Array, out: Output): number {
  const text = new SymbolText(elf, table, out);
  for (let i = 0; i < rows.length; i++) text.row(rows[i]!);
  text.flush();
  return text.damaged;
}

/**
 * Puts rows together of bytes: a kernel's table prints to ten megabytes. What rows have in common, type, binding and section in one, is encoded
 * once.
 */
class SymbolText {
  damaged = 0;
  private readonly elf: ElfTables;
  private readonly table: SymbolTable;
  private readonly out: Output;
  /** Halves, the low one first. As signed words they are all small integers, which V8 makes no objects of. */
  private readonly values: Int32Array;
  private readonly sizes: Int32Array;
  private readonly files: Uint32Array;
  private readonly sectionWidth: number;
  private readonly kindTexts = new Kept();
  private readonly bytes = new Uint8Array(OUTPUT + ROW);
  private at = 0;
  private end = FIRST;

  constructor(elf: ElfTables, table: SymbolTable, out: Output) {
    this.elf = elf;
    this.table = table;
    this.out = out;
    this.values = signed(table.value.halves());
    this.sizes = signed(table.size.halves());
    this.files = table.fileSymbols;
    const allocated = elf.sections.filter(({ allocated }) => allocated);
    this.sectionWidth = Math.min(SECTION_WIDTH, Math.max(3, widest(allocated, sectionName)));
  }

  row(row: number): void {
    const { bytes, values, sizes } = this;
    if (this.at > this.end) this.flush();
    let at = this.at;
    if (this.elf.is64) at = putHex(bytes, at, values[row * 2 + 1]!);
    at = putHex(bytes, at, values[row * 2]!);
    bytes[at++] = SPACE;
    const size = sizes[row * 2]!;
    at =
      sizes[row * 2 + 1] === 0 ? putDecimal(bytes, at, size >>> 0) : putText(bytes, at, encoder.encode(String(this.table.size.big[row])));
    this.at = putText(bytes, at, this.kind(row));
    this.name(this.table.nameOffset[row]!);
    const file = this.files[row]!;
    if (file !== 0) this.file(this.table.nameOffset[file]!);
    bytes[this.at++] = NEWLINE;
  }

  flush(): void {
    this.out.copy(this.bytes, 0, this.at);
    this.at = 0;
    this.end = OUTPUT;
  }

  /** A name of any length. What is longer than any name of a kernel is written in pieces. */
  private name(offset: number): void {
    const { length } = this.table.strings.bytes;
    if (offset >= length) this.damaged++;
    let next = this.piece(offset, length);
    while (next !== 0) {
      this.flush();
      next = this.piece(next, length);
    }
  }

  /** A name up to `most`, as far as there is room. @returns where it goes on; 0 where it has ended */
  private piece(offset: number, most: number): number {
    const { bytes } = this;
    const names = this.table.strings.bytes;
    // The last name may lack its NUL.
    const end = Math.min(offset + LONGEST_NAME, names.length);
    let at = this.at;
    let from = offset;
    for (; from < end; from++) {
      const byte = names[from]!;
      if (byte === 0) break;
      if (byte < SPACE || byte >= DELETE) {
        this.at = at;
        this.flush();
        this.out.name(names.subarray(0, most), from);
        return 0;
      }
      bytes[at++] = byte;
    }
    this.at = at;
    return from === offset + LONGEST_NAME ? from : 0;
  }

  private kind(row: number): Uint8Array {
    const info = this.table.info[row]!;
    const section = this.table.sectionIndex[row]!;
    const key = section * 256 + info;
    return this.kindTexts.get(key) ?? this.kindTexts.keep(key, this.kindLabel(info, section));
  }

  private kindLabel(info: number, section: number): string {
    const label = sectionLabel(this.elf, section).padEnd(this.sectionWidth).slice(0, LONGEST_NAME);
    return ` ${symbolTypeName(info & 15).padEnd(6)} ${bindingName(info >> 4).padEnd(6)} ${label} `;
  }

  /** Two spaces and the start of a name: any number of rows may have one file. */
  private file(offset: number): void {
    const { bytes } = this;
    bytes[this.at++] = SPACE;
    bytes[this.at++] = SPACE;
    this.piece(offset, offset + LONGEST_NAME);
  }
}

/** Texts that many rows share, encoded: the last one of each slot. A damaged table may have another one in each row. */
class Kept {
  private readonly keys = new Float64Array(SLOTS).fill(-1);
  private readonly texts: Uint8Array[] = Array.from({ length: SLOTS }, () => NO_TEXT);

  /** The text of a key; undefined where it is not kept. */
  get(key: number): Uint8Array | undefined {
    const slot = key & (SLOTS - 1);
    return this.keys[slot] === key ? this.texts[slot] : undefined;
  }

  keep(key: number, text: string): Uint8Array {
    const slot = key & (SLOTS - 1);
    this.keys[slot] = key;
    this.texts[slot] = encoder.encode(text);
    return this.texts[slot];
  }
}

/** What a symbol's section is called: its name, `UND`, `ABS`, or its number. */
export function sectionLabel(elf: ElfTables, index: number): string {
  const section = index === 0 ? undefined : elf.sections[index];
  return section === undefined ? (reservedIndexName(index) ?? hex(index)) : sectionName(section) || `[${index}]`;
}

const encoder = new TextEncoder();

function putText(bytes: Uint8Array, at: number, text: Uint8Array): number {
  bytes.set(text, at);
  return at + text.length;
}

function signed(halves: Uint32Array): Int32Array {
  return new Int32Array(halves.buffer, halves.byteOffset, halves.length);
}

/** The two digits of each byte. */
const HEX: Uint8Array = encoder.encode(Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''));

/** All eight digits of 32 bits. */
function putHex(bytes: Uint8Array, at: number, word: number): number {
  for (let shift = 24; shift >= 0; shift -= 8) {
    const pair = ((word >>> shift) & 255) * 2;
    bytes[at++] = HEX[pair]!;
    bytes[at++] = HEX[pair + 1]!;
  }
  return at;
}

/** In decimal, eight characters wide at least. */
function putDecimal(bytes: Uint8Array, at: number, value: number): number {
  const end = at + (value < 1e8 ? 8 : value < 1e9 ? 9 : 10);
  let place = end;
  let rest = value;
  do {
    // Right for all 32 bits. A division of nothing but zeros, the first sizes of a kernel, V8 would compile as one of integers.
    const next = (rest * 0.1) >>> 0;
    bytes[--place] = ZERO + (rest - next * 10);
    rest = next;
  } while (rest !== 0);
  while (place > at) bytes[--place] = SPACE;
  return end;
}
