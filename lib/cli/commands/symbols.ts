import type { ElfFile } from '../../../elf/file.js';
import { bindingName, reservedIndexName, symbolTypeName, visibilityName } from '../../../elf/names.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import { type Command, command, MissingError, UsageError } from '../command.js';
import { hex, JsonRows, noteDiagnostics, openElf, sectionName } from '../elf.js';
import { glob } from '../glob.js';
import type { Output } from '../output.js';

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
  run({ args, options, out, note }) {
    const elf = openElf(args[0]!);
    const table = options.dynamic === true ? elf.dynamicSymbols : elf.symbols;
    if (table === undefined) throw new MissingError(`${elf.name}: has no ${options.dynamic === true ? '.dynsym' : '.symtab'}`);
    const rows = select(table, args[1], options);
    if (options.json === true) printJson(elf, table, rows, out);
    else printText(elf, table, rows, out);
    noteDiagnostics(elf, note);
  },
});

interface Selection {
  readonly sort?: string;
  readonly type?: string;
  readonly all?: boolean;
}

/** The indices of the rows to print, in their order. */
function select(table: SymbolTable, name: string | undefined, { sort = 'address', type, all }: Selection): Uint32Array {
  if (!['address', 'name', 'none'].includes(sort)) throw new UsageError(`--sort is address, name or none, not '${sort}'`);
  const wanted = type?.toUpperCase();
  const takes = Uint8Array.from({ length: 16 }, (_, number) =>
    (wanted === undefined ? all === true || (number !== STT_SECTION && number !== STT_FILE) : symbolTypeName(number) === wanted) ? 1 : 0,
  );
  if (!takes.includes(1))
    throw new UsageError(`--type '${type}' is no type of symbol: func, object, notype, tls, ifunc, common, section, file`);
  const order = sort === 'address' ? table.value.order() : Uint32Array.from({ length: table.count }, (_, index) => index);
  const matches = name === undefined ? undefined : glob(name);
  let count = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    // Row 0 is no symbol: elf(5), "STN_UNDEF".
    if (row === 0 || takes[table.info[row]! & 15] === 0) continue;
    if (matches !== undefined && !matches(table.name(row))) continue;
    order[count++] = row;
  }
  const rows = order.subarray(0, count);
  return sort === 'name' ? byName(table, rows) : rows;
}

function byName(table: SymbolTable, rows: Uint32Array): Uint32Array {
  const names = Array.from(rows, row => ({ row, name: table.name(row) }));
  names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : table.value.compare(a.row, b.row)));
  return Uint32Array.from(names, ({ row }) => row);
}

function printText(elf: ElfFile, table: SymbolTable, rows: Uint32Array, out: Output): void {
  const { value, size, info, sectionIndex, nameOffset, strings } = table;
  const encoder = new TextEncoder();
  const kinds = Array.from({ length: 256 }, (_, st_info) =>
    encoder.encode(` ${symbolTypeName(st_info & 15).padEnd(6)} ${bindingName(st_info >> 4).padEnd(6)} `),
  );
  const width = Math.min(SECTION_WIDTH, Math.max(3, ...elf.sections.filter(({ allocated }) => allocated).map(({ name }) => name.length)));
  const sections = new Map<number, Uint8Array>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (elf.is64) out.hex(value.high(row), 8);
    out
      .hex(value.low(row), 8)
      .byte(32)
      .decimal(size.high(row) * 0x1_0000_0000 + size.low(row), 8);
    let section = sections.get(sectionIndex[row]!);
    if (section === undefined) {
      section = encoder.encode(`${sectionLabel(elf, sectionIndex[row]!).padEnd(width)} `);
      sections.set(sectionIndex[row]!, section);
    }
    out.copy(kinds[info[row]!]!).copy(section).name(strings.bytes, nameOffset[row]!);
    const file = table.fileSymbol(row);
    if (file !== 0) out.byte(32).byte(32).name(strings.bytes, nameOffset[file]!);
    out.byte(10);
  }
}

function printJson(elf: ElfFile, table: SymbolTable, rows: Uint32Array, out: Output): void {
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
}

function sectionLabel(elf: ElfFile, index: number): string {
  const section = index === 0 ? undefined : elf.sections[index];
  return section === undefined ? (reservedIndexName(index) ?? hex(index)) : sectionName(section) || `[${index}]`;
}
