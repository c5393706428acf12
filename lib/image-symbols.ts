import { NameIndex } from '../elf/name-index.js';
import type { ElfSymbol, SymbolTable } from '../elf/symbol.js';
import type { KernelSymbols } from '../kallsyms/symbols.js';

/** The `.symtab` beside kallsyms: what kallsyms does not keep (sizes, bindings, types, source files) and the labels it drops. */
export class ImageSymbols {
  readonly table: SymbolTable;
  #index: NameIndex | undefined;
  /** The rows of the name that was asked for last, by address: one name may have very many, and they are asked for one after the other. */
  #lastFirst = -1;
  #lastByAddress: ReadonlyMap<bigint, number> = new Map();

  constructor(table: SymbolTable) {
    this.table = table;
  }

  /** Rows of a name, in the order of the table. */
  find(name: string): number[] {
    return this.#names.find(name);
  }

  /** Defined symbols whose names begin so, by name; the first of each. One pass, without the index. */
  withPrefix(prefix: string): Map<string, bigint> {
    const { strings, nameOffset, sectionIndex, value, count } = this.table;
    const wanted = new TextEncoder().encode(prefix);
    const found = new Map<string, bigint>();
    for (let row = 0; row < count; row++) {
      const at = nameOffset[row]!;
      let i = 0;
      while (i < wanted.length && strings.bytes[at + i] === wanted[i]) i++;
      if (i < wanted.length || sectionIndex[row] === 0) continue;
      const name = this.table.name(row);
      if (!found.has(name)) found.set(name, value.big[row]!);
    }
    return found;
  }

  /** The address of a label; undefined where there is none or it is not defined. */
  addressOf(name: string): bigint | undefined {
    const row = this.find(name).find(row => this.table.sectionIndex[row] !== 0);
    return row === undefined ? undefined : this.table.value.big[row];
  }

  /** The ELF row of a symbol of kallsyms: the one of its name at its address. */
  rowOf(symbols: KernelSymbols, symbolRow: number): number | undefined {
    const first = this.#names.firstOf(symbols.strings.bytes, symbols.nameOffset[symbolRow]!);
    if (first < 0) return undefined;
    const address = symbols.address.big[symbolRow]!;
    if (this.#lastFirst !== first) {
      this.#lastFirst = first;
      this.#lastByAddress = new Map(
        this.#names
          .rowsFrom(first)
          .reverse()
          .map(row => [this.table.value.big[row]!, row]),
      );
    }
    return this.#lastByAddress.get(address);
  }

  symbolOf(symbols: KernelSymbols, symbolRow: number): ElfSymbol | undefined {
    const row = this.rowOf(symbols, symbolRow);
    return row === undefined ? undefined : this.table.at(row);
  }

  get #names(): NameIndex {
    if (this.#index === undefined) {
      const { strings, nameOffset } = this.table;
      // Checked once here, since the index does not check: an offset outside of the table is an error, not a wrong name.
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
