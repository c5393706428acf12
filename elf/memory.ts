import { type Diagnostic, FormatError } from './errors.js';
import type { ElfHeader } from './header.js';
import { machineName } from './names.js';
import type { RelocationTable } from './relocation.js';
import { relocationName } from './relocation-names.js';
import type { RelocationRows } from './relocation-rows.js';
import { type RelocationRule, relocationRule } from './relocation-rules.js';
import type { SymbolTable } from './symbol.js';
import { halves, lowerBound } from './words.js';

/** A run of addresses and the bytes the file has for it; addresses behind those bytes read as zero (.bss). */
export interface Region {
  readonly address: bigint;
  /** In bytes of memory. */
  readonly size: bigint;
  /** The part that is in the file. */
  readonly fileSize: number;
  read(start: number, length: number): Uint8Array;
}

/** A relocation that writes to a requested word. */
export interface RelocationSite {
  readonly table: RelocationTable;
  readonly rows: RelocationRows;
  readonly row: number;
}

/** A relocation table with its rows in the order of the places they write to. */
interface Ordered {
  readonly table: RelocationTable;
  readonly rows: RelocationRows;
  readonly order: Uint32Array;
}

/** No relocation writes more bytes than this. */
const WIDEST = 16n;

/**
 * The addresses of an image and what they hold: as stored in the file, and as the relocations leave it at boot. The image is assumed to run
 * where it is linked, so an address here is an address of the symbol table.
 */
export class Memory {
  /** Relocations that were not applied, and why. */
  readonly diagnostics: Diagnostic[] = [];
  readonly littleEndian: boolean;
  /** 8 or 4. */
  readonly wordSize: number;
  readonly tables: readonly RelocationTable[];
  readonly #name: string;
  readonly #machine: number;
  /** In ascending order of address. */
  readonly regions: readonly Region[];
  readonly #symbols: (table: RelocationTable) => SymbolTable | undefined;
  readonly #unknown = new Set<number>();
  #ordered: readonly Ordered[] | undefined;
  #lastType = -1;
  #lastRule: RelocationRule | undefined;

  constructor(
    name: string,
    header: ElfHeader,
    regions: readonly Region[],
    tables: readonly RelocationTable[],
    symbols: (table: RelocationTable) => SymbolTable | undefined,
  ) {
    this.#name = name;
    this.#machine = header.machine;
    this.littleEndian = header.littleEndian;
    this.wordSize = header.is64 ? 8 : 4;
    this.regions = regions.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    this.tables = tables;
    this.#symbols = symbols;
  }

  has(address: bigint, length = 1): boolean {
    return this.#region(address, length) !== undefined;
  }

  /** The bytes as they are in the file. @throws FormatError `out-of-range` when the image does not hold all of them */
  stored(address: bigint, length: number): Uint8Array {
    const region = this.#region(address, length);
    if (region === undefined) {
      throw new FormatError('out-of-range', { name: this.#name }, `no ${length} bytes at address 0x${address.toString(16)}`);
    }
    const start = Number(address - region.address);
    if (start + length <= region.fileSize) return region.read(start, length);
    const bytes = new Uint8Array(length);
    if (start < region.fileSize) bytes.set(region.read(start, region.fileSize - start));
    return bytes;
  }

  /** The bytes with relocations applied; the same as {@link stored} if there are none. */
  read(address: bigint, length: number): Uint8Array {
    const stored = this.stored(address, length);
    if (this.tables.length === 0) return stored;
    // A word at an edge of the range is relocated whole, and then cut: as much of the region as it could take is read with it.
    const region = this.#region(address, length)!;
    const from = greatest(region.address, address - WIDEST);
    const to = least(region.address + region.size, address + BigInt(length) + WIDEST);
    const before = Number(address - from);
    let bytes: Uint8Array | undefined;
    let view: DataView = new DataView(new ArrayBuffer(0));
    const { low, high } = halves(from);
    const span = Number(to - from);
    for (const { table, rows, order } of this.#inOrder()) {
      for (let at = lowerBound(rows.offset, order, low, high); at < order.length; at++) {
        const row = order[at]!;
        const place = rows.offset.minus(row, low, high);
        if (place >= before + length) break;
        if (bytes === undefined) {
          bytes = Uint8Array.from(this.stored(from, span));
          view = new DataView(bytes.buffer);
        }
        this.#apply(view, place, table, rows, row);
      }
    }
    return bytes?.subarray(before, before + length) ?? stored;
  }

  /** The address-sized word, relocated. */
  word(address: bigint): bigint {
    const bytes = this.read(address, this.wordSize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.wordSize === 8 ? view.getBigUint64(0, this.littleEndian) : BigInt(view.getUint32(0, this.littleEndian));
  }

  /** The relocations that write into the range, by place. */
  *sites(address: bigint, length: number): Generator<RelocationSite> {
    const { low, high } = halves(address);
    const from = halves(greatest(0n, address - WIDEST));
    for (const { table, rows, order } of this.#inOrder()) {
      for (let at = lowerBound(rows.offset, order, from.low, from.high); at < order.length; at++) {
        const row = order[at]!;
        const place = rows.offset.minus(row, low, high);
        if (place >= length) break;
        const width = this.#rule(rows.type[row]!)?.width ?? this.wordSize;
        if (place + width > 0) yield { table, rows, row };
      }
    }
  }

  #region(address: bigint, length: number): Region | undefined {
    let from = 0;
    let to = this.regions.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.regions[middle]!.address <= address) from = middle + 1;
      else to = middle;
    }
    const region = this.regions[from - 1];
    return region !== undefined && length >= 0 && address + BigInt(Math.trunc(length)) <= region.address + region.size ? region : undefined;
  }

  #inOrder(): readonly Ordered[] {
    this.#ordered ??= this.tables.map(table => {
      const rows = table.rows();
      return { table, rows, order: rows.offset.order() };
    });
    return this.#ordered;
  }

  #apply(view: DataView, at: number, table: RelocationTable, rows: RelocationRows, row: number): void {
    const rule = this.#rule(rows.type[row]!);
    if (rule === undefined) {
      this.#sayUnknown(table, rows.type[row]!);
      return;
    }
    const { form, width } = rule;
    // RELR adds the distance between where the image is linked and where it runs: zero here (RELR has no other form).
    if (form === 'none' || table.kind === 'RELR' || at < 0 || at + width > view.byteLength) return;
    const little = this.littleEndian;
    if (form === 'relative' && rows.addend !== undefined && width === 8) {
      view.setUint32(little ? at : at + 4, rows.addend.low(row), little);
      view.setUint32(little ? at + 4 : at, rows.addend.high(row), little);
      return;
    }
    const symbol = form === 'relative' ? 0n : this.#symbolValue(table, rows.symbol[row]!);
    if (symbol === undefined) return;
    let value = symbol + (rows.addend?.big[row] ?? implicitAddend(view, at, rule.form, width, little));
    if (form === 'pc-relative') value -= rows.offset.big[row]!;
    if (form === 'bpf-immediate64') {
      view.setUint32(at + 4, Number(value & 0xffff_ffffn), little);
      view.setUint32(at + 12, Number((value >> 32n) & 0xffff_ffffn), little);
    } else if (form === 'bpf-call') {
      view.setInt32(at + 4, Number(BigInt.asIntN(32, BigInt.asIntN(64, value) / 8n - 1n)), little);
    } else if (width === 8) {
      view.setBigUint64(at, BigInt.asUintN(64, value), little);
    } else {
      view.setUint32(at, Number(BigInt.asUintN(32, value)), little);
    }
  }

  /** The machine's rule for a type; the last one is kept, for tables have long runs of one type. */
  #rule(type: number): RelocationRule | undefined {
    if (type !== this.#lastType) {
      this.#lastType = type;
      const rule = relocationRule(this.#machine, type);
      // An address is as wide as the machine's words: RISC-V and LoongArch have one R_*_RELATIVE for both widths.
      this.#lastRule = rule?.form === 'relative' ? { ...rule, width: this.wordSize } : rule;
    }
    return this.#lastRule;
  }

  #sayUnknown(table: RelocationTable, type: number): void {
    if (this.#unknown.has(type)) return;
    this.#unknown.add(type);
    const message = `${relocationName(this.#machine, type)} of ${machineName(this.#machine)} is not supported: its words keep their stored values`;
    this.diagnostics.push({ place: { name: table.section.label }, message });
  }

  /**
   * Undefined if the file has no symbols for the table: arm64 kernels discard `.dynsym`, and their own code leaves what names one as it is
   * (undefined weak symbols; relocate_kernel() in arch/arm64/kernel/pi/relocate.c).
   */
  #symbolValue(table: RelocationTable, symbol: number): bigint | undefined {
    if (symbol === 0) return 0n;
    const symbols = this.#symbols(table);
    if (symbols === undefined) return undefined;
    if (symbol >= symbols.count) {
      const message = `a relocation names symbol ${symbol}, but the table has ${symbols.count}`;
      throw new FormatError('out-of-range', { name: table.section.label }, message);
    }
    return symbols.value.big[symbol]!;
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The addend that REL keeps in the place itself. */
function implicitAddend(view: DataView, at: number, form: string, width: number, littleEndian: boolean): bigint {
  if (form === 'bpf-immediate64')
    return BigInt(view.getUint32(at + 4, littleEndian)) | (BigInt(view.getUint32(at + 12, littleEndian)) << 32n);
  if (form === 'bpf-call') return (BigInt(view.getInt32(at + 4, littleEndian)) + 1n) * 8n;
  return width === 8 ? view.getBigUint64(at, littleEndian) : BigInt(view.getInt32(at, littleEndian));
}
