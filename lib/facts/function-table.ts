import type { Btf } from '../../btf/btf.js';
import { NameIndex } from '../../elf/name-index.js';
import type { Row } from '../../elf/row.js';
import { lowerBoundSorted } from '../../elf/words.js';
import { isPreambleName, isTextLetter, type KernelSymbols, type SymbolRow } from '../../kallsyms/symbols.js';
import type { AreaSet } from './areas.js';
import type { FtraceSites, FtraceState } from './ftrace-sites.js';

/** A row of {@link FunctionTable}. */
export type FunctionIndex = Row<'function of the kernel'>;

/** A site that has not been looked up. */
const UNKNOWN = -2;

/** So many names are looked for among all types. */
const FEW = 2;

/**
 * The join that every answer reads: a row for each text symbol of the kernel (letters t, T, w, W, outside of data; without labels of
 * padding before functions), in the order of kallsyms, with its end, its ftrace site and its BTF.
 */
export class FunctionTable {
  readonly symbols: KernelSymbols;
  /** Undefined if there are none or they are unknown: `ftrace` tells which. */
  readonly sites: FtraceSites | undefined;
  readonly ftrace: 'sites' | 'none' | 'unknown';
  readonly btf: Btf | undefined;
  readonly count: number;
  /** The row in `symbols`. */
  readonly symbolRow: Uint32Array;
  /** For each function the index of its first site, -1 for none, UNKNOWN until someone asks. */
  readonly #site: Int32Array;
  readonly #data: AreaSet;
  /** For each symbol, the row of its function plus one; 0 for data. */
  readonly #rowOfSymbol: Uint32Array;
  #btfFunc: Int32Array | undefined;
  #btfIndex: NameIndex | undefined;
  #btfAsked = 0;
  #withBtf: Map<number, number> | undefined;

  /** @param data where no symbol is a function, whatever its letter */
  constructor(symbols: KernelSymbols, ftrace: FtraceState, btf: Btf | undefined, data: AreaSet) {
    this.symbols = symbols;
    this.sites = typeof ftrace === 'string' ? undefined : ftrace;
    this.ftrace = typeof ftrace === 'string' ? ftrace : 'sites';
    this.btf = btf;
    this.#data = data;
    const rowOfSymbol = new Uint32Array(symbols.count);
    const symbolRow = new Uint32Array(symbols.count);
    const { type } = symbols;
    let count = 0;
    for (let i = 0; i < symbols.count; i++) {
      if (!isTextLetter(type[i]!) || !isOwnFunction(symbols, i) || !this.isCode(i)) continue;
      symbolRow[count++] = i;
      rowOfSymbol[i] = count;
    }
    this.count = count;
    this.#rowOfSymbol = rowOfSymbol;
    this.symbolRow = symbolRow.slice(0, count);
    this.#site = new Int32Array(count).fill(UNKNOWN);
  }

  /** The address of a row, 0 to `count - 1`. */
  address(row: FunctionIndex): bigint {
    return this.symbols.address.big[this.symbolRow[row]!]!;
  }

  /** The name of a row. */
  name(row: FunctionIndex): string {
    return this.symbols.name(this.symbolRow[row]!);
  }

  /** Where the kernel lets the function end: at the next higher address of any symbol (get_symbol_pos()), not at st_size. */
  end(row: FunctionIndex): bigint {
    const next = this.symbols.nextRow(this.symbolRow[row]!);
    return next === undefined ? this.address(row) : this.symbols.address.big[next]!;
  }

  /** Index in `sites.ip` of the first site from the function's address to its end, or -1. */
  site(row: FunctionIndex): number {
    let at = this.#site[row]!;
    if (at === UNKNOWN) {
      at = this.#findSite(this.symbolRow[row]!);
      this.#site[row] = at;
    }
    return at;
  }

  /** Whether an ftrace site lies in the function. */
  hasSite(row: FunctionIndex): boolean {
    return this.site(row) >= 0;
  }

  #findSite(symbolRow: SymbolRow): number {
    const { address } = this.symbols;
    const ip = this.sites?.ip;
    const next = this.symbols.nextRow(symbolRow);
    if (ip === undefined || next === undefined) return -1;
    const at = lowerBoundSorted(ip, address.low(symbolRow), address.high(symbolRow));
    return at < ip.length && ip.minus(at, address.low(next), address.high(next)) < 0 ? at : -1;
  }

  /** The function of a row of `symbols`; undefined for data. */
  ofSymbol(symbolRow: SymbolRow): FunctionIndex | undefined {
    const row = this.#rowOfSymbol[symbolRow]!;
    return row === 0 ? undefined : row - 1;
  }

  /** Whether a row of `symbols` is code: a function, or a label in front of one. */
  isCode(symbolRow: SymbolRow): boolean {
    return this.symbols.isText(symbolRow) && (this.#data.isEmpty || this.#data.at(this.symbols.address, symbolRow) === undefined);
  }

  /** The functions of a name, lowest address first. */
  find(name: string): FunctionIndex[] {
    return this.symbols.find(name).flatMap(symbolRow => this.ofSymbol(symbolRow) ?? []);
  }

  /** The ids of the FUNCs in BTF with the function's name; most kernels have one for a name, some several. */
  btfIds(row: FunctionIndex): number[] {
    return this.btfIdsOf(this.name(row));
  }

  /** The ids of the FUNCs in BTF with a name. */
  btfIdsOf(name: string): number[] {
    const { btf } = this;
    if (btf === undefined) return [];
    // Split BTF replaces the kernel's: its base has FUNCs too. And the FUNCs are gathered for more than a few names.
    if (btf.base !== undefined || this.#btfAsked++ < FEW) return btf.find(name, 'FUNC');
    const { ids } = btf.functions();
    return this.#btfNames(btf)
      .find(name)
      .map(at => ids[at]!);
  }

  /**
   * For each function the first row of `btf.functions()` with its name, or -1. Both tables are joined once, over the bytes of the
   * names.
   */
  get btfFunc(): Int32Array {
    if (this.#btfFunc === undefined) {
      this.#btfFunc = new Int32Array(this.count).fill(-1);
      if (this.btf !== undefined) {
        const index = this.#btfNames(this.btf);
        const { strings, nameOffset } = this.symbols;
        for (let row = 0; row < this.count; row++) this.#btfFunc[row] = index.firstOf(strings.bytes, nameOffset[this.symbolRow[row]!]!);
      }
    }
    return this.#btfFunc;
  }

  /** The rows of `btf.functions()` by name. */
  #btfNames(btf: Btf): NameIndex {
    this.#btfIndex ??= new NameIndex(btf.strings.bytes, btf.functions().names, 0);
    return this.#btfIndex;
  }

  /** The first function with a FUNC among those at an address, by the first row of `symbols` at that address; undefined if none has one. */
  withBtfAt(firstSymbolRow: SymbolRow): FunctionIndex | undefined {
    if (this.#withBtf === undefined) {
      this.#withBtf = new Map();
      const { btfFunc } = this;
      for (let row = 0; row < this.count; row++) {
        if (btfFunc[row]! < 0) continue;
        const first = this.symbols.firstAlias(this.symbolRow[row]!);
        if (!this.#withBtf.has(first)) this.#withBtf.set(first, row);
      }
    }
    return this.#withBtf.get(firstSymbolRow);
  }
}

/** Whether a text symbol is a function, and the kernel's own. */
function isOwnFunction(symbols: KernelSymbols, row: SymbolRow): boolean {
  return symbols.module(row) === undefined && !isPreambleName(symbols.strings.bytes, symbols.nameOffset[row]!);
}
