import { NameIndex } from '../elf/name-index.js';
import { Needle } from '../elf/needle.js';
import type { Row } from '../elf/row.js';
import { StringTable } from '../elf/strings.js';
import { halves, lowerBound, type Words } from '../elf/words.js';

/** A row of {@link KernelSymbols}. */
export type SymbolRow = Row<'symbol of the kernel'>;

/** One symbol as the kernel knows it. */
export interface KernelSymbol {
  /** Its row in the table it comes from. */
  readonly row: SymbolRow;
  readonly name: string;
  readonly address: bigint;
  /** The letter of nm(1): t or T for text, w or W for weak, d D b B r R for data, A for absolute. Upper case is global. */
  readonly type: string;
  /** The module it belongs to; none for the kernel's own. */
  readonly module?: string;
}

/** The columns of a {@link KernelSymbols}. */
export interface SymbolColumns {
  readonly address: Words;
  /** Letters of nm(1), as character codes. */
  readonly type: Uint8Array;
  /** Where each name begins in `strings`, NUL-terminated. */
  readonly nameOffset: Uint32Array;
  readonly strings: Uint8Array;
  /** For each row the module's index in `modules`, plus one; 0 for the kernel itself. Absent if there are no modules. */
  readonly module?: Uint32Array;
  readonly modules?: readonly string[];
}

const UNDERSCORE = '_'.charCodeAt(0);
const FEW_ALIASES = 16;
const HIGHEST = 0xffff_ffff_ffff_ffffn;
const LETTER_T = 't'.charCodeAt(0);
const LETTER_W = 'w'.charCodeAt(0);

/** True for the letters of functions: t, T, w, W. */
export function isTextLetter(letter: number): boolean {
  const lower = letter | 0x20;
  return lower === LETTER_T || lower === LETTER_W;
}

/**
 * True for labels before functions that are not functions themselves: `__pfx_X` (x86 padding, 6.2 and later) and `__cfi_X`
 * (kCFI); is_cfi_preamble_symbol() in kernel/kprobes.c.
 */
export function isPreambleName(strings: Uint8Array, offset: number): boolean {
  if (strings[offset] !== UNDERSCORE || strings[offset + 1] !== UNDERSCORE || strings[offset + 5] !== UNDERSCORE) return false;
  const three = String.fromCharCode(strings[offset + 2]!, strings[offset + 3]!, strings[offset + 4]!);
  return three === 'pfx' || three === 'cfi';
}

/**
 * The kernel's symbol table as columns, in the order of the kernel's own: by address, and at one address as kallsyms would list them. That
 * order matters: the kernel takes the first row of a name for the name, and the first row of an address for the address.
 */
export class KernelSymbols {
  /** What it was read from: `/proc/kallsyms`, `vmlinux: .symtab`. */
  readonly source: string;
  readonly count: number;
  readonly address: Words;
  readonly type: Uint8Array;
  readonly nameOffset: Uint32Array;
  readonly strings: StringTable;
  readonly #module: Uint32Array | undefined;
  readonly #modules: readonly string[];
  #index: NameIndex | undefined;
  #order: Uint32Array | undefined;

  constructor(source: string, columns: SymbolColumns) {
    this.source = source;
    this.count = columns.type.length;
    this.address = columns.address;
    this.type = columns.type;
    this.nameOffset = columns.nameOffset;
    this.strings = new StringTable(columns.strings, source);
    this.#module = columns.module;
    this.#modules = columns.modules ?? [];
  }

  /** The name of a row. */
  name(row: SymbolRow): string {
    return this.strings.get(this.nameOffset[row]!);
  }

  /** The module a row belongs to; undefined for the kernel's own. */
  module(row: SymbolRow): string | undefined {
    const index = this.#module?.[row] ?? 0;
    return index === 0 ? undefined : this.#modules[index - 1];
  }

  /** Whether the letter of a row is one of code: t, T, w or W. */
  isText(row: SymbolRow): boolean {
    return isTextLetter(this.type[row]!);
  }

  /** CONFIG_KALLSYMS_ALL: data is listed too. Without it, a few labels between sections of text are of other letters. */
  get listsData(): boolean {
    const { type } = this;
    const many = this.count / 20;
    let data = 0;
    // No further than needed: half of a kernel's symbols are data.
    for (let row = 0; row < type.length && data <= many; row++) if (!isTextLetter(type[row]!)) data++;
    return data > many;
  }

  /** The symbol of a row, 0 to `count - 1`. */
  at(row: SymbolRow): KernelSymbol {
    const module = this.module(row);
    const symbol = { row, name: this.name(row), address: this.address.big[row]!, type: String.fromCharCode(this.type[row]!) };
    return module === undefined ? symbol : { ...symbol, module };
  }

  /** All symbols, in the order of the table. */
  *[Symbol.iterator](): Generator<KernelSymbol> {
    for (let row = 0; row < this.count; row++) yield this.at(row);
  }

  /** All rows of a name, lowest address first. */
  find(name: string): SymbolRow[] {
    return this.index.find(name);
  }

  /** The rows whose names contain a text, in the order of the table. The bytes of all names are searched together: none is decoded. */
  rowsWith(part: string): SymbolRow[] {
    if (part === '') return Array.from(this.type.keys());
    const { bytes } = this.strings;
    const needle = new Needle(new TextEncoder().encode(part), bytes);
    const places: number[] = [];
    for (let at = needle.find(bytes, 0); at >= 0; at = needle.find(bytes, at + 1)) places.push(at);
    if (places.length === 0) return [];
    // Names share their ends in a table that was merged: the text is in each that begins between the NUL before it and it.
    const starts = places.map(at => bytes.lastIndexOf(0, at) + 1);
    const rows: number[] = [];
    for (let row = 0; row < this.count; row++) {
      const offset = this.nameOffset[row]!;
      const next = firstNotBelow(places, offset);
      if (next < places.length && starts[next]! <= offset) rows.push(row);
    }
    return rows;
  }

  /** The row that the kernel takes for a name: kallsyms_lookup_name() gives the lowest address. */
  lookup(name: string): SymbolRow | undefined {
    return this.find(name)[0];
  }

  /** The address of a name that must be one: a boundary symbol such as `_stext`. */
  addressOf(name: string): bigint | undefined {
    const row = this.lookup(name);
    return row === undefined ? undefined : this.address.big[row];
  }

  /** Rows by name. */
  get index(): NameIndex {
    this.#index ??= new NameIndex(this.strings.bytes, this.nameOffset);
    return this.#index;
  }

  /** Rows in the order of their addresses; the kernel's own are in that order already. */
  get order(): Uint32Array {
    this.#order ??= this.address.order();
    return this.#order;
  }

  /**
   * The row whose name the kernel uses for an address: the first of the highest address that is not above it (get_symbol_pos() in
   * kernel/kallsyms.c).
   */
  containing(address: bigint): SymbolRow | undefined {
    const { low, high } = halves(address);
    const position = lowerBound(this.address, this.order, low, high);
    const exact = position < this.count && this.address.minus(this.order[position]!, low, high) === 0;
    if (exact) return this.order[position];
    if (position === 0) return undefined;
    return this.order[this.#firstPosition(position - 1)];
  }

  /** The first row at the address of a row: its name is the kernel's name for the address. */
  firstAlias(row: SymbolRow): SymbolRow {
    return this.order[this.#firstPosition(this.#position(row))]!;
  }

  /** A position in `order` of the address of a row. The kernel's own rows are in order: the row is its own position. */
  #position(row: SymbolRow): number {
    const { order, address } = this;
    return order[row] === row ? row : lowerBound(address, order, address.low(row), address.high(row));
  }

  /** The first position in `order` of the address at a position. Few symbols share one; where very many do, a search takes over. */
  #firstPosition(position: number): number {
    const { address, order } = this;
    let first = position;
    for (let steps = 0; first > 0 && address.equal(order[first]!, order[first - 1]!); steps++, first--) {
      if (steps === FEW_ALIASES) return lowerBound(address, order, address.low(order[first]!), address.high(order[first]!));
    }
    return first;
  }

  /** The first row with a higher address than that of a row: where the kernel lets a symbol end. Undefined for the last ones. */
  nextRow(row: SymbolRow): SymbolRow | undefined {
    const { address, order, count } = this;
    let next = this.#position(row) + 1;
    for (let steps = 0; next < count && address.equal(order[next]!, row); steps++, next++) {
      if (steps < FEW_ALIASES) continue;
      next = this.#positionAbove(address.big[row]!);
      break;
    }
    return order[next];
  }

  /** The next higher address of any symbol: where the kernel lets a symbol end. Undefined after the last one. */
  endOf(address: bigint): bigint | undefined {
    const row = this.order[this.#positionAbove(address)];
    return row === undefined ? undefined : this.address.big[row];
  }

  /** The first position in `order` of a higher address; `count` after the last one. */
  #positionAbove(address: bigint): number {
    if (address >= HIGHEST) return this.count;
    const { low, high } = halves(address + 1n);
    return lowerBound(this.address, this.order, low, high);
  }
}

/** Index of the first of ascending values that is not below a value. */
function firstNotBelow(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
