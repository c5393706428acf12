import { asmHeap } from '../../../elf/asm-heap.js';
import { FormatError } from '../../../elf/errors.js';
import { bindingName, reservedIndexName, symbolTypeName, visibilityName } from '../../../elf/names.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import { ElfTables } from '../../../elf/tables.js';
import { type Command, command, MissingError, UsageError } from '../command.js';
import { hex, JsonRows, noteDiagnostics, printable, sectionName, widest } from '../elf.js';
import { openElfSource } from '../elf-input.js';
import type { Output } from '../output.js';
import { linkSymbolKernel } from '../symbol-kernel.js';

const encoder = new TextEncoder();
/** Names of sections and files are cut there. */
const LONGEST_NAME = 512;
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
    const elf = ElfTables.open(await openElfSource(args[0]!));
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

/** Bytes of output that are gathered before they are written, and what a row may take beyond them, without its name. */
const OUTPUT = 1 << 17;
const ROW = 1 << 12;
/** For the texts that rows share. So many fit that the kernel's table of 2^16 slots can't be full. */
const ARENA = 1 << 20;
const MOST = 1 << 30;

/** @returns how many rows have a name outside of the table of names */
function printText(elf: ElfTables, table: SymbolTable, rows: Uint32Array, out: Output): number {
  const { count, strings, section } = table;
  let top = 16;
  const take = (bytes: number): number => {
    const start = top;
    top += (bytes + 7) & ~7;
    return start;
  };
  const layout = {
    digits: take(16),
    info: take(count),
    value: take(count * 8),
    size: take(count * 8),
    nameOffset: take(count * 4),
    sectionIndex: take(count * 4),
    fileSymbol: take(count * 4),
    files: take(count * 8),
    stringsLength: strings.bytes.length,
    // With a NUL behind them, whatever the file has there.
    strings: take(strings.bytes.length + 1),
    kinds: take(16 << 16),
  };
  const order = take(rows.length * 4);
  const arena = take(ARENA);
  const output = take(OUTPUT + ROW);
  if (top > MOST) throw new FormatError('limit', { name: section.label }, `a table of more than ${MOST} bytes, with its names`);
  const heap = asmHeap(top);
  const bytes = new Uint8Array(heap);
  const words = new Int32Array(heap);
  const labels = new Labels(elf, table);
  let free = arena;
  let damaged = 0;
  /** Keeps a text: its address and length go to `place`. */
  const keep = (text: string, place: number): void => {
    const encoded = encoder.encode(text);
    if (free + encoded.length > arena + ARENA) {
      bytes.fill(0, layout.kinds, layout.kinds + (16 << 16));
      bytes.fill(0, layout.files, layout.files + count * 8);
      free = arena;
    }
    bytes.set(encoded, free);
    words[place >> 2] = free;
    words[(place >> 2) + 1] = encoded.length;
    free += encoded.length;
  };
  const write = (at: number, text: string): number => at + encoder.encodeInto(text, bytes.subarray(at)).written;
  const flush = (at: number): number => {
    out.copy(bytes, output, at);
    return output;
  };
  const kernel = linkSymbolKernel(
    heap,
    { ...layout, end: output + OUTPUT },
    {
      flush,
      kind(row, slot) {
        keep(labels.kind(row), slot + 8);
        words[slot >> 2] = table.info[row]!;
        words[(slot >> 2) + 1] = table.sectionIndex[row]!;
      },
      file: symbol => keep(labels.file(symbol), layout.files + symbol * 8),
      wide: (at, row) => write(at, String(table.size.big[row])),
      control: (at, byte) => write(at > output + OUTPUT ? flush(at) : at, printable(String.fromCharCode(byte))),
      damaged() {
        damaged++;
      },
    },
  );
  write(layout.digits, '0123456789abcdef');
  bytes.set(table.info, layout.info);
  words.set(table.value.halves(), layout.value >> 2);
  words.set(table.size.halves(), layout.size >> 2);
  words.set(table.nameOffset, layout.nameOffset >> 2);
  words.set(table.sectionIndex, layout.sectionIndex >> 2);
  words.set(table.fileSymbols, layout.fileSymbol >> 2);
  bytes.set(strings.bytes, layout.strings);
  words.set(rows, order >> 2);
  flush(kernel.print(order, order + rows.length * 4, elf.is64 ? 1 : 0, output));
  return damaged;
}

/** What rows have in common: type, binding and section in one, and the file. */
class Labels {
  readonly #elf: ElfTables;
  readonly #table: SymbolTable;
  readonly #sectionWidth: number;

  constructor(elf: ElfTables, table: SymbolTable) {
    this.#elf = elf;
    this.#table = table;
    const allocated = elf.sections.filter(({ allocated }) => allocated);
    this.#sectionWidth = Math.min(SECTION_WIDTH, Math.max(3, widest(allocated, sectionName)));
  }

  kind(row: number): string {
    const { info, sectionIndex } = this.#table;
    const section = sectionLabel(this.#elf, sectionIndex[row]!).padEnd(this.#sectionWidth);
    const type = symbolTypeName(info[row]! & 15).padEnd(6);
    return ` ${type} ${bindingName(info[row]! >> 4).padEnd(6)} ${section.slice(0, LONGEST_NAME)} `;
  }

  file(symbol: number): string {
    return `  ${printable(this.#table.name(symbol)).slice(0, LONGEST_NAME)}`;
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
