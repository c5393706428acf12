import { bindingName, reservedIndexName, symbolTypeName, visibilityName } from '../../../elf/names.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import { ElfTables } from '../../../elf/tables.js';
import { openSource } from '../../source/node.js';
import { LONGEST_NAME, putBytes, putDecimal, putHex, putName } from '../bytes.js';
import { type Command, command, MissingError, UsageError } from '../command.js';
import { hex, JsonRows, noteDiagnostics, printable, sectionName } from '../elf.js';
import type { Output } from '../output.js';

const encoder = new TextEncoder();
const SPACE = 32;
const NEWLINE = 10;
/** The most that a row takes: three names, and the columns before them. */
const ROW = 3 * LONGEST_NAME + 256;
const ROOM = 1 << 16;
const STT_SECTION = 3;
const STT_FILE = 4;
/** Beyond this a longer section name moves its own row, not all of them. */
const SECTION_WIDTH = 24;

const OPTIONS = {
  sort: { type: 'string', value: 'KEY', help: 'address (the default), name, or none: the order of the table' },
  type: { type: 'string', value: 'TYPE', help: 'only symbols of that type: func, object, notype, tls, ifunc …' },
  dynamic: { type: 'boolean', help: '.dynsym instead of .symtab' },
  all: { type: 'boolean', help: 'with the symbols of sections and files' },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

export const symbols: Command<typeof OPTIONS> = command({
  usage: '[OPTION…] FILE [NAME]',
  arity: [1, 2],
  about:
    'Prints the symbol table, a symbol a line: address, size in bytes, type, binding, section, name, and the source file where the table\n' +
    'tells it (local symbols only). NAME is a pattern: * ? [a-z]. The symbols of sections and files are left out, as nm does.',
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const elf = ElfTables.open(openSource(args[0]!));
    const table = options.dynamic === true ? elf.dynamicSymbols : elf.symbols;
    if (table === undefined) throw new MissingError(`${elf.name}: has no ${options.dynamic === true ? '.dynsym' : '.symtab'}`);
    const matches = args[1] === undefined ? undefined : (await import('../glob.js')).glob(args[1]);
    const rows = select(table, matches, options);
    const damaged = options.json === true ? printJson(elf, table, rows, out) : printText(elf, table, rows, out);
    if (damaged > 0) note(`kelf: ${table.section.label}: names of ${damaged} symbols are outside of the table of names`);
    noteDiagnostics(elf, note);
  },
});

interface Selection {
  readonly sort?: string;
  readonly type?: string;
  readonly all?: boolean;
}

/** The indices of the rows to print, in their order. */
function select(
  table: SymbolTable,
  matches: ((name: string) => boolean) | undefined,
  { sort = 'address', type, all }: Selection,
): Uint32Array {
  if (!['address', 'name', 'none'].includes(sort)) throw new UsageError(`--sort is address, name or none, not '${sort}'`);
  const wanted = type?.toUpperCase();
  const takes = Uint8Array.from({ length: 16 }, (_, number) =>
    (wanted === undefined ? all === true || (number !== STT_SECTION && number !== STT_FILE) : symbolTypeName(number) === wanted) ? 1 : 0,
  );
  if (!takes.includes(1))
    throw new UsageError(`--type '${type}' is no type of symbol: func, object, notype, tls, ifunc, common, section, file`);
  const order = sort === 'address' ? table.value.order() : Uint32Array.from({ length: table.count }, (_, index) => index);
  let count = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    // Row 0 is no symbol: elf(5), "STN_UNDEF".
    if (row === 0 || takes[table.info[row]! & 15] === 0) continue;
    if (matches !== undefined && !matches(table.at(row).name)) continue;
    order[count++] = row;
  }
  const rows = order.subarray(0, count);
  return sort === 'name' ? byName(table, rows) : rows;
}

function byName(table: SymbolTable, rows: Uint32Array): Uint32Array {
  const names = Array.from(rows, row => ({ row, name: table.at(row).name }));
  names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : table.value.compare(a.row, b.row)));
  return Uint32Array.from(names, ({ row }) => row);
}

/** @returns how many rows have a name outside of the table of names */
function printText(elf: ElfTables, table: SymbolTable, rows: Uint32Array, out: Output): number {
  const labels = new Labels(elf, table);
  const row64 = elf.is64;
  let bytes = out.room(ROOM);
  let end = bytes.length - ROW;
  let at = out.position;
  for (let i = 0; i < rows.length; i++) {
    if (at > end) {
      out.position = at;
      bytes = out.room(ROOM);
      end = bytes.length - ROW;
      at = out.position;
    }
    at = putRow(out, bytes, at, table, rows[i]!, row64, labels);
  }
  out.position = at;
  return labels.damaged;
}

/**
 * A function that is called for each row is compiled long before a loop over all of them would be, and the less state it goes through the
 * better: with nm's speed as the measure, printing is most of what the command does.
 */
function putRow(out: Output, bytes: Uint8Array, start: number, table: SymbolTable, row: number, is64: boolean, labels: Labels): number {
  let at = start;
  if (is64) at = putHex(bytes, at, table.value.high(row));
  at = putHex(bytes, at, table.value.low(row));
  bytes[at++] = SPACE;
  if (table.size.high(row) === 0) at = putDecimal(bytes, at, table.size.low(row), 8);
  else at = putBytes(bytes, at, encoder.encode(String(table.size.big[row])));
  const kind = labels.kinds.get(table.info[row]! + 256 * table.sectionIndex[row]!) ?? labels.kind(row);
  bytes.set(kind, at);
  const names = table.strings.bytes;
  const name = table.nameOffset[row]!;
  if (name < names.length) at = putName(out, bytes, at + kind.length, names, name);
  else {
    at += kind.length;
    labels.damaged++;
  }
  const fileSymbol = table.fileSymbol(row);
  if (fileSymbol !== 0) {
    const file = labels.files.get(fileSymbol) ?? labels.file(fileSymbol);
    bytes.set(file, at);
    at += file.length;
  }
  bytes[at] = NEWLINE;
  return at + 1;
}

/** What rows have in common, made once and copied: type, binding and section in one, and the file. */
class Labels {
  damaged = 0;
  /** By st_info and section index. */
  readonly kinds: Map<number, Uint8Array> = new Map();
  /** By the index of the STT_FILE symbol. */
  readonly files: Map<number, Uint8Array> = new Map();
  readonly #elf: ElfTables;
  readonly #table: SymbolTable;
  readonly #sectionWidth: number;

  constructor(elf: ElfTables, table: SymbolTable) {
    this.#elf = elf;
    this.#table = table;
    const names = elf.sections.filter(({ allocated }) => allocated).map(section => sectionName(section).length);
    this.#sectionWidth = Math.min(SECTION_WIDTH, Math.max(3, ...names));
  }

  kind(row: number): Uint8Array {
    const { info, sectionIndex } = this.#table;
    const section = sectionLabel(this.#elf, sectionIndex[row]!).padEnd(this.#sectionWidth);
    const type = symbolTypeName(info[row]! & 15).padEnd(6);
    const kind = encoder.encode(` ${type} ${bindingName(info[row]! >> 4).padEnd(6)} ${section.slice(0, LONGEST_NAME)} `);
    this.kinds.set(info[row]! + 256 * sectionIndex[row]!, kind);
    return kind;
  }

  file(symbol: number): Uint8Array {
    const file = encoder.encode(`  ${printable(this.#table.name(symbol))}`).subarray(0, LONGEST_NAME);
    this.files.set(symbol, file);
    return file;
  }
}

function printJson(elf: ElfTables, table: SymbolTable, rows: Uint32Array, out: Output): number {
  const json = new JsonRows(out, elf.name, 'symbols');
  for (const row of rows) {
    const { index, name, value, size, type, binding, visibility, sectionIndex, file } = table.at(row);
    json.row({
      index,
      name,
      address: hex(value),
      size: Number(size),
      type: symbolTypeName(type),
      binding: bindingName(binding),
      visibility: visibilityName(visibility),
      section: sectionLabel(elf, sectionIndex),
      sectionIndex,
      ...(file === undefined ? {} : { file }),
    });
  }
  json.end();
  return table.diagnostics.length;
}

function sectionLabel(elf: ElfTables, index: number): string {
  const section = index === 0 ? undefined : elf.sections[index];
  return section === undefined ? (reservedIndexName(index) ?? hex(index)) : sectionName(section) || `[${index}]`;
}
