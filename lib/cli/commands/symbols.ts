import { bindingName, symbolTypeName, visibilityName } from '../../../elf/names.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import { ElfTables } from '../../../elf/tables.js';
import { type ListedSymbol, symbolsReport } from '../../report/elf.js';
import { exact, hex } from '../../report/json.js';
import { type Command, command, JSON_OPTION, MissingError, NDJSON_OPTION, UsageError } from '../command.js';
import { openElfSource } from '../elf-input.js';
import { noteDiagnostics } from '../elf-text.js';
import { glob } from '../glob.js';
import { printSymbols, sectionLabel } from '../symbol-text.js';

const STT_SECTION = 3;
const STT_FILE = 4;
export const symbols: Command = command({
  usage: '[OPTION…] FILE [NAME]',
  arity: [1, 2],
  about: `Prints the symbol table, one symbol per line: address, size in bytes, type, binding, section, name, and for local symbols the source file if the
table has it. NAME is a pattern: * ? [a-z]. Leaves out section and file symbols, like nm.`,
  examples: ['vmlinux', 'xfs.ko --json'],
  options: {
    sort: { type: 'string', value: 'KEY', help: 'address (the default), name, or none for the order of the table' },
    type: { type: 'string', value: 'TYPE', help: 'only symbols of this type: func, object, notype, tls, ifunc …' },
    dynamic: { type: 'boolean', help: 'read .dynsym instead of .symtab' },
    all: { type: 'boolean', help: 'include section and file symbols' },
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run({ args, options, out, note, write }) {
    const elf = ElfTables.open(openElfSource(args[0]!));
    const table = options.dynamic === true ? elf.dynamicSymbols : elf.symbols;
    if (table === undefined) throw new MissingError(`${elf.name}: has no ${options.dynamic === true ? '.dynsym' : '.symtab'}`);
    const matches = args[1] === undefined ? undefined : glob(args[1]);
    const rows = select(table, matches, options);
    const inJson = options.json === true || options.ndjson === true;
    if (inJson) write(symbolsReport, { file: elf.name, symbols: describeSymbols(elf, table, rows) });
    const damaged = inJson ? table.diagnostics.length : printSymbols(elf, table, rows, out);
    if (damaged > 0) note(`kelf: ${table.section.label}: the names of ${damaged} symbols are outside the string table`);
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
    throw new UsageError(`--type '${type}' is not a symbol type: func, object, notype, tls, ifunc, common, section, file`);
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

function* describeSymbols(elf: ElfTables, table: SymbolTable, rows: Uint32Array): Generator<ListedSymbol> {
  for (const row of rows) {
    const { index, name, value, size, type, binding, visibility, sectionIndex, file } = table.at(row);
    yield {
      index,
      name,
      address: hex(value),
      size: exact(size),
      type: symbolTypeName(type),
      binding: bindingName(binding),
      visibility: visibilityName(visibility),
      section: sectionLabel(elf, sectionIndex),
      sectionIndex,
      ...(file === undefined ? {} : { file }),
    };
  }
}
