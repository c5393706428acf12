import { ElfFile } from '../../../elf/file.js';
import type { RelocationTable } from '../../../elf/relocation.js';
import { relocationName } from '../../../elf/relocation-names.js';
import type { RelocationRows } from '../../../elf/relocation-rows.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import { type ListedRelocation, relocationsReport } from '../../report/elf.js';
import { hex } from '../../report/json.js';
import { type Command, command, JSON_OPTION, MissingError, NDJSON_OPTION } from '../command.js';
import { openElfSource } from '../elf-input.js';
import { noteDiagnostics, sectionName, widest } from '../elf-text.js';
import type { Output } from '../output.js';

/** Rows that are in memory at a time: a debug kernel has 13 million. */
const CHUNK = 1 << 15;
const TYPE_WIDTH = 22;
const STT_SECTION = 3;

export const relocs: Command = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about: `Prints the relocations, one per line: relocation section, offset (an address in a linked file), type, and symbol+addend. RELR bitmaps are shown as
the relative relocations that they encode. REL and RELR store the addends in the relocated words.`,
  examples: ['xfs.ko', 'program.bpf.o --json'],
  options: {
    section: { type: 'string', value: 'NAME', help: 'only the relocation section named NAME, or those that apply to the section NAME' },
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run({ args, options, out, note, write }) {
    const elf = ElfFile.open(openElfSource(args[0]!));
    const all = elf.relocationTables();
    const tables = options.section === undefined ? all : all.filter(table => belongsTo(elf, table, options.section!));
    if (tables.length === 0 && options.section !== undefined) {
      throw new MissingError(`${elf.name}: no relocation section is named '${options.section}' or applies to it`);
    }
    const width = widest(tables, ({ section }) => sectionName(section));
    const readers = tables.map(table => new RowReader(elf, table));
    if (options.json === true || options.ndjson === true) write(relocationsReport, { file: elf.name, relocations: rowsOf(readers) });
    else for (const reader of readers) for (const rows of reader.chunks()) reader.print(rows, out, width);
    for (const { table, lost } of readers)
      if (lost > 0) note(`kelf: ${table.section.label}: ${lost} relocations refer to a symbol outside the symbol table`);
    noteDiagnostics(elf, note);
  },
});

function belongsTo(elf: ElfFile, { section }: RelocationTable, name: string): boolean {
  return section.name === name || (section.info !== 0 && elf.sections[section.info]?.name === name);
}

function* rowsOf(readers: readonly RowReader[]): Generator<ListedRelocation> {
  for (const reader of readers)
    for (const rows of reader.chunks()) for (let row = 0; row < rows.count; row++) yield reader.describe(rows, row);
}

/** Reads the rows of one relocation section. */
class RowReader {
  /** Rows with a symbol index that is out of range. */
  lost = 0;
  readonly #elf: ElfFile;
  readonly table: RelocationTable;
  readonly #symbols: SymbolTable | undefined;
  readonly #typeNames = new Map<number, Uint8Array>();
  readonly #encoder = new TextEncoder();

  constructor(elf: ElfFile, table: RelocationTable) {
    this.#elf = elf;
    this.table = table;
    this.#symbols = elf.symbolTable(table.section.link);
  }

  *chunks(): Generator<RelocationRows> {
    for (let start = 0; start < this.table.count; start += CHUNK) yield this.table.rows(start, CHUNK);
  }

  print({ count, offset, type, symbol, addend }: RelocationRows, out: Output, width: number): void {
    const section = this.#encoder.encode(`${sectionName(this.table.section).padEnd(width)} `);
    for (let row = 0; row < count; row++) {
      out.copy(section);
      if (this.#elf.is64) out.hex(offset.high(row), 8);
      out.hex(offset.low(row), 8).copy(this.#typeName(type[row]!));
      const named = symbol[row]!;
      if (named !== 0) this.#symbol(named, out);
      if (addend !== undefined) {
        let low = addend.low(row);
        let high = addend.high(row);
        if (named !== 0) {
          if (high > 0x7fff_ffff) {
            out.byte(MINUS);
            high = ~high + (low === 0 ? 1 : 0);
            low = -low;
          } else out.byte(PLUS);
        }
        out.address(low, high);
      } else if (named === 0) out.byte(MINUS);
      out.byte(10);
    }
  }

  describe({ offset, type, symbol, addend }: RelocationRows, row: number): ListedRelocation {
    const named = symbol[row]!;
    const value = addend === undefined ? undefined : BigInt.asIntN(64, addend.big[row]!);
    return {
      section: this.table.section.name,
      offset: hex(offset.big[row]!),
      type: relocationName(this.#elf.header.machine, type[row]!),
      ...(named === 0 ? {} : { symbol: this.#symbolName(named) ?? null, symbolIndex: named }),
      ...(value === undefined ? {} : { addend: named !== 0 && value < 0n ? `-${hex(-value)}` : hex(BigInt.asUintN(64, value)) }),
    };
  }

  #typeName(type: number): Uint8Array {
    let name = this.#typeNames.get(type);
    if (name === undefined) {
      name = this.#encoder.encode(` ${relocationName(this.#elf.header.machine, type).padEnd(TYPE_WIDTH)} `);
      this.#typeNames.set(type, name);
    }
    return name;
  }

  #symbol(index: number, out: Output): void {
    const symbols = this.#symbols;
    if (symbols !== undefined && index < symbols.count) {
      const name = symbols.nameOffset[index]!;
      if (name !== 0 && (symbols.info[index]! & 15) !== STT_SECTION) {
        out.name(symbols.strings.bytes, name);
        return;
      }
    }
    out.text(this.#symbolName(index) ?? `symbol ${index}`);
  }

  /** A section's own symbol has no name: it is called by the section's. */
  #symbolName(index: number): string | undefined {
    const symbols = this.#symbols;
    if (symbols === undefined || index >= symbols.count) {
      this.lost++;
      return undefined;
    }
    if (symbols.type(index) !== STT_SECTION) return symbols.name(index);
    const section = this.#elf.sections[symbols.sectionIndex[index]!];
    return section === undefined ? undefined : sectionName(section);
  }
}

const PLUS = 43;
const MINUS = 45;
