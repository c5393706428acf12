import { type ElfSymbol, NameIndex, STT, type SymbolTable } from '../elf/index.js';
import type { KernelSymbols } from '../kallsyms/index.js';

const DOT = '.'.charCodeAt(0);

/** The `.symtab` beside kallsyms: what kallsyms does not keep (sizes, bindings, types, source files) and the labels it drops. */
export class ImageSymbols {
  readonly table: SymbolTable;
  #index: NameIndex | undefined;
  #clones: Map<string, number[]> | undefined;

  constructor(table: SymbolTable) {
    this.table = table;
  }

  /** Rows of a name, in the order of the table. */
  find(name: string): number[] {
    return this.#names.find(name);
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
    return this.#names.rowsFrom(first).find(row => this.table.value.big[row] === address);
  }

  symbolOf(symbols: KernelSymbols, symbolRow: number): ElfSymbol | undefined {
    const row = this.rowOf(symbols, symbolRow);
    return row === undefined ? undefined : this.table.at(row);
  }

  /** Function symbols (STT_FUNC) whose name is `base`, a dot and a suffix: the clones and parts that a compiler made of it. */
  clones(base: string): ElfSymbol[] {
    this.#clones ??= this.#findClones();
    return (this.#clones.get(base) ?? []).map(row => this.table.at(row));
  }

  /** Rows of function symbols with a dot in their name, by what stands in front of the first one. */
  #findClones(): Map<string, number[]> {
    const { table } = this;
    const { bytes } = table.strings;
    const clones = new Map<string, number[]>();
    for (let row = 0; row < table.count; row++) {
      if (table.type(row) !== STT.FUNC) continue;
      let at = table.nameOffset[row]!;
      while (at < bytes.length && bytes[at] !== 0 && bytes[at] !== DOT) at++;
      if (bytes[at] !== DOT) continue;
      const base = table.name(row).split('.', 1)[0]!;
      const rows = clones.get(base);
      if (rows === undefined) clones.set(base, [row]);
      else rows.push(row);
    }
    return clones;
  }

  get #names(): NameIndex {
    if (this.#index === undefined) {
      const { strings, nameOffset } = this.table;
      // Checked once here, since the index does not check: an offset outside of the table is an error, not a wrong name.
      for (const offset of nameOffset) if (offset !== 0 && offset >= strings.bytes.length) strings.end(offset);
      this.#index = new NameIndex(strings.bytes, nameOffset);
    }
    return this.#index;
  }
}
