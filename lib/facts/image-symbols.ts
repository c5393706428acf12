import { NameIndex } from '../../elf/name-index.js';
import type { Row } from '../../elf/row.js';
import type { ElfSymbol, SymbolTable } from '../../elf/symbol.js';
import { lowerBound } from '../../elf/words.js';
import type { KernelSymbols, SymbolRow } from '../../kallsyms/symbols.js';

const encoder = new TextEncoder();

/** A row of `.symtab`. */
export type ElfSymbolRow = Row<'symbol of the file'>;

/** The `.symtab` beside kallsyms: what kallsyms does not keep (sizes, bindings, types, source files) and the labels it drops. */
export class ImageSymbols {
  readonly table: SymbolTable;
  #index: NameIndex | undefined;
  #order: Uint32Array | undefined;
  /** By a position in the order: what is asked once for each of many names at one address is gathered once. */
  readonly #namesAt = new Map<number, ReadonlyMap<string, number>>();

  readonly #labels = new Map<string, bigint | undefined>();

  constructor(table: SymbolTable) {
    this.table = table;
  }

  /** Rows of a name, in the order of the table. */
  find(name: string): number[] {
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

  /** The address of a label; undefined if there is none or it is not defined. */
  addressOf(name: string): bigint | undefined {
    // Labels are asked for again for each function.
    if (!this.#labels.has(name)) {
      const [row] = this.#beginningWith(`${name}\0`);
      this.#labels.set(name, row === undefined ? undefined : this.table.value.big[row]);
    }
    return this.#labels.get(name);
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
    const { value } = this.table;
    const { address } = symbols;
    this.#order ??= value.order();
    const first = lowerBound(value, this.#order, address.low(symbolRow), address.high(symbolRow));
    let names = this.#namesAt.get(first);
    if (names === undefined) {
      names = this.#namesFrom(first, address.big[symbolRow]!);
      this.#namesAt.set(first, names);
    }
    return names.get(symbols.name(symbolRow));
  }

  /** The rows of an address by name, of each the first. */
  #namesFrom(first: number, address: bigint): ReadonlyMap<string, number> {
    const order = this.#order!;
    const rows = new Map<string, number>();
    for (let at = first; at < order.length && this.table.value.big[order[at]!] === address; at++) {
      const name = this.table.name(order[at]!);
      if (!rows.has(name)) rows.set(name, order[at]!);
    }
    return rows;
  }

  symbolOf(symbols: KernelSymbols, symbolRow: SymbolRow): ElfSymbol | undefined {
    const row = this.rowOf(symbols, symbolRow);
    return row === undefined ? undefined : this.table.at(row);
  }

  /** For what asks for many names. */
  get #names(): NameIndex {
    if (this.#index === undefined) {
      const { strings, nameOffset } = this.table;
      // Checked once here, since the index does not check: an offset outside the table is an error, not a wrong name.
      const { length } = strings.bytes;
      for (let row = 0; row < nameOffset.length; row++) {
        const offset = nameOffset[row]!;
        if (offset >= length && offset !== 0) strings.end(offset);
      }
      this.#index = new NameIndex(strings.bytes, nameOffset);
    }
    return this.#index;
  }
}
