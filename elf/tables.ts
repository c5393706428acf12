import { expectSource } from './arguments.js';
import { SHT } from './constants.js';
import { type Diagnostic, FormatError } from './errors.js';
import { type ElfHeader, readHeader } from './header.js';
import { readSections, type Section } from './section.js';
import { readSegments, type Segment } from './segment.js';
import type { ByteSource } from './source.js';
import { SymbolTable } from './symbol.js';

const MOST_SYMBOL_TABLES = 16;

/**
 * The headers of an ELF file and its symbol tables. What {@link ElfFile} adds, relocations, memory and notes, is in a module of its own, so
 * that a program that prints symbols does not load it.
 */
export class ElfTables {
  readonly source: ByteSource;
  readonly header: ElfHeader;
  readonly sections: readonly Section[];
  readonly segments: readonly Segment[];
  /** Damage that did not keep the rest from being read. */
  readonly diagnostics: Diagnostic[] = [];
  readonly #symbolTables = new Map<number, SymbolTable>();
  #symbolSections: readonly Section[] | undefined;
  #byName: ReadonlyMap<string, Section> | undefined;

  protected constructor(source: ByteSource, header: ElfHeader) {
    this.source = source;
    this.header = header;
    this.sections = readSections(source, header);
    this.segments = readSegments(source, header);
  }

  /** @throws FormatError when the source is not an ELF file, or its headers are damaged */
  static open(source: ByteSource): ElfTables {
    expectSource(source, 'source');
    return new ElfTables(source, readHeader(source));
  }

  get name(): string {
    return this.source.name;
  }

  get is64(): boolean {
    return this.header.is64;
  }

  get littleEndian(): boolean {
    return this.header.littleEndian;
  }

  /** @throws FormatError `limit` where sections of one kind are many times the file together, since they lie over each other */
  protected expectApart(sections: readonly Section[], what: string): void {
    const size = sections.reduce((sum, { size }) => sum + Math.min(size, this.source.size), 0);
    if (size > 2 * this.source.size)
      throw new FormatError('limit', { name: this.name }, `${what} lie over each other: together they are larger than the file`);
  }

  /** The first section of that name. */
  section(name: string): Section | undefined {
    // Of several of a name, the last that is put in is the first of the file.
    this.#byName ??= new Map(this.sections.toReversed().map(section => [section.name, section]));
    return this.#byName.get(name);
  }

  /** `.symtab`. */
  get symbols(): SymbolTable | undefined {
    return this.#symbolTableOfType(SHT.SYMTAB);
  }

  /** `.dynsym`. */
  get dynamicSymbols(): SymbolTable | undefined {
    return this.#symbolTableOfType(SHT.DYNSYM);
  }

  /** The symbol table in a section; undefined if the section is not one. */
  symbolTable(index: number): SymbolTable | undefined {
    const section = this.sections[index];
    if (section === undefined || (section.type !== SHT.SYMTAB && section.type !== SHT.DYNSYM)) return undefined;
    let table = this.#symbolTables.get(index);
    if (table === undefined) {
      this.#expectFewSymbolTables();
      const strings = this.sections[section.link];
      if (strings === undefined || strings.type === SHT.NOBITS) {
        throw new FormatError('out-of-range', { name: section.label }, `sh_link ${section.link} is not a string table`);
      }
      const extended = this.sections.find(({ type, link }) => type === SHT.SYMTAB_SHNDX && link === index);
      table = new SymbolTable(section, strings, this.header, extended);
      this.#symbolTables.set(index, table);
    }
    return table;
  }

  /** "Currently, an object file may have only one section of each type" (gABI, "Sections"); each refers to names, and may be named by thousands. */
  #expectFewSymbolTables(): void {
    if (this.#symbolSections !== undefined) return;
    const sections = this.sections.filter(({ type }) => type === SHT.SYMTAB || type === SHT.DYNSYM);
    this.expectApart(sections, 'the symbol tables');
    if (sections.length > MOST_SYMBOL_TABLES)
      throw new FormatError('limit', { name: this.name }, `${sections.length} symbol tables are more than ${MOST_SYMBOL_TABLES}`);
    this.#symbolSections = sections;
  }

  #symbolTableOfType(type: number): SymbolTable | undefined {
    const section = this.sections.find(section => section.type === type);
    return section === undefined ? undefined : this.symbolTable(section.index);
  }
}
