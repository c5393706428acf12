import { STB, STT } from '../../elf/constants.js';
import { NameIndex } from '../../elf/name-index.js';
import type { Row } from '../../elf/row.js';
import type { ElfSymbol, SymbolTable } from '../../elf/symbol.js';
import { lowerBound } from '../../elf/words.js';
import type { KernelSymbols, SymbolRow } from '../../kallsyms/symbols.js';
import { once } from './once.js';

const encoder = new TextEncoder();

/** So many addresses are searched for row by row. */
const FEW = 8;

/** A row of `.symtab`. */
export type ElfSymbolRow = Row<'symbol of the file'>;

/** The `.symtab` beside kallsyms: what kallsyms does not keep (sizes, bindings, types, source files) and the labels it drops. */
export class ImageSymbols {
  readonly table: SymbolTable;
  #index: NameIndex | undefined;
  #order: Uint32Array | undefined;
  #asked = 0;
  /** By an address: what is asked once for each of many names at one address is gathered once. */
  readonly #namesAt = new Map<bigint, ReadonlyMap<string, number>>();

  /** The labels that the linker script and assembly define: some hundred of a hundred thousand symbols, and most of what is asked for. */
  readonly #labels = once(() => {
    const rows = labelRows(this.table);
    const { strings, nameOffset } = this.table;
    return {
      rows,
      names: new NameIndex(
        strings.bytes,
        rows.map(row => nameOffset[row]!),
      ),
    };
  });

  /** An offset outside the table is an error to what asks for rows, not the empty name that the index takes it for. */
  readonly #expectNames = once(() => {
    const { strings, nameOffset } = this.table;
    const { length } = strings.bytes;
    for (let row = 0; row < nameOffset.length; row++)
      if (nameOffset[row]! >= length && nameOffset[row] !== 0) strings.end(nameOffset[row]!);
  });

  constructor(table: SymbolTable) {
    this.table = table;
  }

  /** Rows of a name, in the order of the table. */
  find(name: string): number[] {
    this.#expectNames();
    return this.#names.find(name);
  }

  /** Defined symbols whose names begin so, by name; the first of each. */
  withPrefix(prefix: string): Map<string, bigint> {
    const found = new Map<string, bigint>();
    for (const row of this.#beginningWith(prefix)) {
      const name = this.table.name(row);
      if (!found.has(name)) found.set(name, this.table.value.big[row]!);
    }
    return found;
  }

  /** The address of a symbol, a label rather than another, and the lowest of several; undefined if there is none or it is not defined. */
  addressOf(name: string): bigint | undefined {
    const { rows, names } = this.#labels();
    const labels = names.find(name).map(at => rows[at]!);
    return this.#lowest(labels.length > 0 ? labels : this.#names.find(name).filter(row => this.table.sectionIndex[row] !== 0));
  }

  #lowest(rows: readonly number[]): bigint | undefined {
    const { big } = this.table.value;
    return rows.map(row => big[row]!).reduce<bigint | undefined>((low, next) => (low === undefined || next < low ? next : low), undefined);
  }

  /** Rows of defined symbols whose names begin so. One pass, without the index: few labels are asked for, and it costs many passes. */
  *#beginningWith(prefix: string): Generator<number> {
    const { strings, nameOffset, sectionIndex, count } = this.table;
    const { bytes } = strings;
    const wanted = encoder.encode(prefix);
    const first = wanted[0];
    for (let row = 0; row < count; row++) {
      const at = nameOffset[row]!;
      if (bytes[at] !== first) continue;
      let i = 1;
      while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
      if (i >= wanted.length && sectionIndex[row] !== 0) yield row;
    }
  }

  /** The ELF row of a symbol of kallsyms: the one of its name at its address. */
  rowOf(symbols: KernelSymbols, symbolRow: SymbolRow): ElfSymbolRow | undefined {
    const address = symbols.address.big[symbolRow]!;
    let names = this.#namesAt.get(address);
    if (names === undefined) {
      names = new Map();
      for (const row of this.#rowsAt(symbols, symbolRow)) {
        const name = this.table.name(row);
        if (!names.has(name)) (names as Map<string, number>).set(name, row);
      }
      this.#namesAt.set(address, names);
    }
    return names.get(symbols.name(symbolRow));
  }

  /** The rows at the address of a symbol, in the order of the table. Few are searched for row by row: the order costs as much as many. */
  #rowsAt({ address }: KernelSymbols, symbolRow: SymbolRow): number[] {
    const { value } = this.table;
    const [low, high] = [address.low(symbolRow), address.high(symbolRow)];
    const rows: number[] = [];
    if (this.#order === undefined && this.#asked++ < FEW) {
      for (let row = 0; row < value.length; row++) if (value.low(row) === low && value.high(row) === high) rows.push(row);
      return rows;
    }
    this.#order ??= value.order();
    const order = this.#order;
    for (let at = lowerBound(value, order, low, high); at < order.length && value.minus(order[at]!, low, high) === 0; at++)
      rows.push(order[at]!);
    return rows;
  }

  symbolOf(symbols: KernelSymbols, symbolRow: SymbolRow): ElfSymbol | undefined {
    const row = this.rowOf(symbols, symbolRow);
    return row === undefined ? undefined : this.table.at(row);
  }

  /** The source file at the address of a symbol: that of a function there, where the symbol is a label of other code, else its own. */
  fileAt(symbols: KernelSymbols, symbolRow: SymbolRow): string | undefined {
    const own = this.symbolOf(symbols, symbolRow);
    if (own?.type === STT.FUNC) return own.file;
    const fn = this.#rowsAt(symbols, symbolRow).find(row => this.table.type(row) === STT.FUNC && this.table.binding(row) === STB.LOCAL);
    return fn === undefined ? own?.file : this.table.at(fn).file;
  }

  get #names(): NameIndex {
    this.#index ??= new NameIndex(this.table.strings.bytes, this.table.nameOffset);
    return this.#index;
  }
}

/** Rows of the defined global symbols without a type. */
function labelRows({ info, sectionIndex }: SymbolTable): Uint32Array {
  const rows: number[] = [];
  const kind = (STB.GLOBAL << 4) | STT.NOTYPE;
  for (let row = info.indexOf(kind); row >= 0; row = info.indexOf(kind, row + 1)) if (sectionIndex[row] !== 0) rows.push(row);
  return Uint32Array.from(rows);
}
