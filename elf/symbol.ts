import { SHN, STB, STT } from './constants.js';
import { type Diagnostic, FormatError } from './errors.js';
import type { ElfHeader } from './header.js';
import type { Section } from './section.js';
import { expectShortNames, StringTable } from './strings.js';
import { hostWords, Words } from './words.js';

/** Of so many symbols the file is searched for one by one. */
const FEW = 16;
const LOCAL_FILE = (STB.LOCAL << 4) | STT.FILE;

/** One row of a symbol table, elf(5) `Elf64_Sym`. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly value: bigint;
  readonly size: bigint;
  /** One of STT_*. */
  readonly type: number;
  /** One of STB_*. */
  readonly binding: number;
  /** 0 default, 1 internal, 2 hidden, 3 protected. */
  readonly visibility: number;
  /** The section's index, SHN_XINDEX resolved; SHN_ABS (0xfff1) and its like as they are. */
  readonly sectionIndex: number;
  /** The source file, by the STT_FILE symbol before the local symbols; none for global ones. */
  readonly file?: string;
}

/** A `.symtab` or `.dynsym` as columns; a row becomes an object when it is looked at. */
export class SymbolTable {
  readonly section: Section;
  readonly strings: StringTable;
  readonly count: number;
  readonly nameOffset: Uint32Array;
  readonly value: Words;
  readonly size: Words;
  /** st_info: binding in the upper four bits, type in the lower. */
  readonly info: Uint8Array;
  /** st_other: visibility in the lower two bits. */
  readonly other: Uint8Array;
  /** As in {@link ElfSymbol.sectionIndex}. */
  readonly sectionIndex: Uint32Array;
  /** Damaged names of rows that were looked at. */
  readonly diagnostics: Diagnostic[] = [];
  readonly #damaged = new Set<number>();
  #files: Uint32Array | undefined;
  #askedFiles = 0;

  /** @param extended the SHT_SYMTAB_SHNDX section that belongs to the table, where the file has more than 65,279 sections */
  constructor(section: Section, strings: Section, header: ElfHeader, extended?: Section) {
    const { is64, littleEndian } = header;
    const count = section.entryCount(is64 ? 24 : 16);
    const bytes = section.stored();
    this.section = section;
    this.strings = new StringTable(strings.stored(), strings.label);
    this.count = count;
    this.nameOffset = new Uint32Array(count);
    this.value = new Words(count);
    this.size = new Words(count);
    this.info = new Uint8Array(count);
    this.other = new Uint8Array(count);
    this.sectionIndex = new Uint32Array(count);
    const words = is64 && section.entsize === 24 ? hostWords(bytes, littleEndian) : undefined;
    if (words !== undefined) this.#readWords(words);
    else this.#readRows(bytes, header);
    if (extended !== undefined) this.#resolveExtended(extended, littleEndian);
    expectShortNames(this.strings.bytes, this.nameOffset, strings.label);
  }

  /** @throws FormatError `out-of-range` */
  name(index: number): string {
    return this.strings.get(this.nameOffset[index]!);
  }

  type(index: number): number {
    return this.info[index]! & 15;
  }

  binding(index: number): number {
    return this.info[index]! >> 4;
  }

  isFunction(index: number): boolean {
    return this.type(index) === STT.FUNC || this.type(index) === STT.GNU_IFUNC;
  }

  /**
   * One row. A damaged name, or name of its file, is the empty one and a diagnostic.
   * @throws FormatError `out-of-range` for a row that is not there
   */
  at(index: number): ElfSymbol {
    if (!(index >= 0 && index < this.count)) {
      throw new FormatError('out-of-range', { name: this.section.label }, `no symbol ${index}: the table has ${this.count}`);
    }
    const fileSymbol = this.fileSymbol(index);
    const file = fileSymbol === 0 ? '' : this.#nameOrEmpty(fileSymbol);
    return {
      index,
      name: this.#nameOrEmpty(index),
      value: this.value.big[index]!,
      size: this.size.big[index]!,
      type: this.type(index),
      binding: this.binding(index),
      visibility: this.other[index]! & 3,
      sectionIndex: this.sectionIndex[index]!,
      ...(file === '' ? {} : { file }),
    };
  }

  /** Every row, the empty first one too. */
  *[Symbol.iterator](): Generator<ElfSymbol> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }

  #nameOrEmpty(index: number): string {
    try {
      return this.name(index);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (!this.#damaged.has(index)) this.diagnostics.push({ place: error.place, message: error.message });
      this.#damaged.add(index);
      return '';
    }
  }

  /**
   * The source file of a local symbol: the name of the last STT_FILE symbol before it (elf(5): it precedes the other local symbols of its
   * file). An empty name ends a file's symbols: GNU ld puts one before the locals that belong to no file.
   */
  file(index: number): string | undefined {
    const file = this.fileSymbol(index);
    return file === 0 ? undefined : this.name(file) || undefined;
  }

  /** The index of the STT_FILE symbol that {@link file} names; 0 for none. For a few symbols the rows before it are searched. */
  fileSymbol(index: number): number {
    if (this.#files !== undefined || this.#askedFiles++ >= FEW) return this.fileSymbols[index]!;
    const { info, nameOffset } = this;
    if (info[index]! >> 4 !== STB.LOCAL || this.type(index) === STT.FILE) return 0;
    let row = index - 1;
    while (row > 0 && info[row] !== LOCAL_FILE) row--;
    return row > 0 && nameOffset[row] !== 0 ? row : 0;
  }

  /** {@link fileSymbol} of every row. */
  get fileSymbols(): Uint32Array {
    this.#files ??= this.#carryFiles();
    return this.#files;
  }

  #carryFiles(): Uint32Array {
    const files = new Uint32Array(this.count);
    let file = 0;
    const { info, nameOffset } = this;
    // Row 0 is not a symbol.
    for (let i = 1; i < info.length; i++) {
      const kind = info[i]!;
      if (kind >> 4 !== STB.LOCAL) continue;
      if ((kind & 15) === STT.FILE) file = nameOffset[i] === 0 ? 0 : i;
      else files[i] = file;
    }
    return files;
  }

  /** Rows of Elf64_Sym as 32-bit words of the host: what nearly every kernel has. */
  #readWords(words: Uint32Array): void {
    const { nameOffset, info, other, sectionIndex } = this;
    // The columns' own memory: a host whose words these are keeps the low half first.
    const value = this.value.halves();
    const size = this.size.halves();
    for (let i = 0, at = 0; i < nameOffset.length; i++, at += 6) {
      nameOffset[i] = words[at]!;
      const second = words[at + 1]!;
      info[i] = second;
      other[i] = second >>> 8;
      sectionIndex[i] = second >>> 16;
      value[i * 2] = words[at + 2]!;
      value[i * 2 + 1] = words[at + 3]!;
      size[i * 2] = words[at + 4]!;
      size[i * 2 + 1] = words[at + 5]!;
    }
  }

  #readRows(bytes: Uint8Array, { is64, littleEndian }: ElfHeader): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const low = littleEndian ? 0 : 4;
    for (let i = 0, at = 0; i < this.count; i++, at += this.section.entsize) {
      this.nameOffset[i] = view.getUint32(at, littleEndian);
      if (is64) {
        this.info[i] = view.getUint8(at + 4);
        this.other[i] = view.getUint8(at + 5);
        this.sectionIndex[i] = view.getUint16(at + 6, littleEndian);
        this.value.set(i, view.getUint32(at + 8 + low, littleEndian), view.getUint32(at + 12 - low, littleEndian));
        this.size.set(i, view.getUint32(at + 16 + low, littleEndian), view.getUint32(at + 20 - low, littleEndian));
      } else {
        this.value.set(i, view.getUint32(at + 4, littleEndian), 0);
        this.size.set(i, view.getUint32(at + 8, littleEndian), 0);
        this.info[i] = view.getUint8(at + 12);
        this.other[i] = view.getUint8(at + 13);
        this.sectionIndex[i] = view.getUint16(at + 14, littleEndian);
      }
    }
  }

  #resolveExtended(extended: Section, littleEndian: boolean): void {
    const bytes = extended.stored();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < this.count; i++) {
      if (this.sectionIndex[i] !== SHN.XINDEX) continue;
      if (i * 4 + 4 > bytes.length) {
        throw new FormatError('truncated', { name: extended.label, offset: i * 4 }, `no section index for symbol ${i}`);
      }
      this.sectionIndex[i] = view.getUint32(i * 4, littleEndian);
    }
  }
}
