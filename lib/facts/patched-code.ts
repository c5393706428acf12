import type { Memory } from '../../elf/memory.js';
import { halves, type Words } from '../../elf/words.js';
import type { AreaSet, Labels } from './areas.js';
import { once } from './once.js';

/**
 * What check_kprobe_address_safe() refuses because the kernel patches or traps on the instruction itself; and the traps of kCFI, which can_probe()
 * of x86 looks for.
 */
export type PatchCode = 'jump-label' | 'static-call' | 'bug-entry' | 'cfi-trap';

/** A table of records that begin with the distance from their own place to the code they are about. */
interface TableShape {
  readonly code: PatchCode;
  readonly start: string;
  readonly stop: string;
  /** Sizes of a record that some kernel has; the first that makes nearly every entry an address of text is taken. */
  readonly strides: readonly number[];
}

const TABLES: readonly TableShape[] = [
  // include/linux/jump_label.h: s32 code, s32 target, long key
  { code: 'jump-label', start: '__start___jump_table', stop: '__stop___jump_table', strides: [16] },
  // include/linux/static_call_types.h: s32 addr, s32 key
  { code: 'static-call', start: '__start_static_call_sites', stop: '__stop_static_call_sites', strides: [8] },
  // include/linux/bug.h, with and without CONFIG_DEBUG_BUGVERBOSE; 16 since the format string was added
  { code: 'bug-entry', start: '__start___bug_table', stop: '__stop___bug_table', strides: [12, 8, 16] },
  // is_cfi_trap() of kernel/cfi.c: s32 addr
  { code: 'cfi-trap', start: '__start___kcfi_traps', stop: '__stop___kcfi_traps', strides: [4] },
];

/** A larger table is treated as damage: real ones have some ten thousand entries. */
const LARGEST = 1 << 26;

/** So many entries tell the size of one. */
const TRIED = 256;

/** So many addresses are searched for entry by entry, before a table is sorted. */
const FEW = 32;

/** The places that one table names, as distances from its start. */
interface PatchTable {
  readonly code: PatchCode;
  readonly low: number;
  readonly high: number;
  readonly distances: Float64Array;
}

/** The addresses of code that the kernel patches or traps on. */
export class PatchedCode {
  /** Read on the first query. */
  readonly #tables: () => readonly PatchTable[];
  readonly #sorted: () => void;
  #asked = 0;

  /**
   * The tables of a 64-bit image, whose entries are relative to their place (CONFIG_GENERIC_BUG_RELATIVE_POINTERS,
   * CONFIG_HAVE_ARCH_JUMP_LABEL_RELATIVE).
   * @param text where entries may point
   */
  constructor(memory: Memory, labels: Labels, text: AreaSet) {
    this.#tables = once(() => TABLES.flatMap(shape => readTable(memory, labels, shape, text) ?? []));
    this.#sorted = once(() => {
      for (const { distances } of this.#tables()) distances.sort();
    });
  }

  /** What is at the address at a row of a column. */
  at(addresses: Words, row: number): PatchCode | undefined {
    return this.#at(addresses.low(row), addresses.high(row));
  }

  /** What is at an address. */
  atAddress(address: bigint): PatchCode | undefined {
    const { low, high } = halves(address);
    return this.#at(low, high);
  }

  #at(low: number, high: number): PatchCode | undefined {
    const few = this.#asked++ < FEW;
    if (!few) this.#sorted();
    return this.#tables().find(table => {
      // Exact: tables and text are less than 2^53 bytes apart, or the distance is none of the table's.
      const distance = (high - table.high) * 2 ** 32 + (low - table.low);
      return few ? table.distances.includes(distance) : holds(table.distances, distance);
    })?.code;
  }
}

function readTable(
  memory: Memory,
  labels: Labels,
  { code, start: from, stop: to, strides }: TableShape,
  text: AreaSet,
): PatchTable | undefined {
  const start = labels(from);
  const stop = labels(to);
  const size = start === undefined || stop === undefined ? 0 : Number(stop - start);
  if (start === undefined || size <= 0 || size > LARGEST || !memory.has(start, size)) return undefined;
  const bytes = memory.read(start, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const isText = (distance: number): boolean => text.of(start + BigInt(distance)) !== undefined;
  const stride = strides.find(stride => size % stride === 0 && isStride(view, stride, memory.littleEndian, isText));
  return stride === undefined ? undefined : { code, ...halves(start), distances: distancesOf(view, stride, memory.littleEndian) };
}

/** Whether nearly all entries of a size are about text. Another size reads line numbers as distances: nearly none lands there. */
function isStride(view: DataView, stride: number, littleEndian: boolean, isText: (distance: number) => boolean): boolean {
  const tried = Math.min(view.byteLength, TRIED * stride);
  let outside = 0;
  for (let at = 0; at < tried; at += stride) if (!isText(at + view.getInt32(at, littleEndian))) outside++;
  return outside * 10 < tried / stride;
}

/** From the start of the table to what each entry is about. */
function distancesOf(view: DataView, stride: number, littleEndian: boolean): Float64Array {
  const distances = new Float64Array(view.byteLength / stride);
  for (let i = 0, at = 0; i < distances.length; i++, at += stride) distances[i] = at + view.getInt32(at, littleEndian);
  return distances;
}

/** Whether a sorted column holds a number. */
function holds(column: Float64Array, wanted: number): boolean {
  let from = 0;
  let to = column.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (column[middle]! < wanted) from = middle + 1;
    else to = middle;
  }
  return from < column.length && column[from] === wanted;
}
