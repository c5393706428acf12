import type { Memory } from '../../elf/memory.js';
import { halves, lowerBoundSorted, Words } from '../../elf/words.js';
import type { AreaSet, Labels } from './areas.js';
import { once } from './once.js';

/** What check_kprobe_address_safe() refuses because the kernel patches or traps on the instruction itself. */
export type PatchCode = 'jump-label' | 'static-call' | 'bug-entry';

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
];

/** A larger table is treated as damage: real ones have some ten thousand entries. */
const LARGEST = 1 << 26;

/** The addresses of code that the kernel patches or traps on. */
export class PatchedCode {
  /** Read on the first query. */
  readonly #tables: () => readonly { readonly code: PatchCode; readonly addresses: Words }[];

  /**
   * The tables of a 64-bit image, whose entries are relative to their place (CONFIG_GENERIC_BUG_RELATIVE_POINTERS,
   * CONFIG_HAVE_ARCH_JUMP_LABEL_RELATIVE).
   * @param text where entries may point
   */
  constructor(memory: Memory, labels: Labels, text: AreaSet) {
    this.#tables = once(() => TABLES.map(shape => ({ code: shape.code, addresses: readTable(memory, labels, shape, text) })));
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
    for (const table of this.#tables()) {
      const at = lowerBoundSorted(table.addresses, low, high);
      if (at < table.addresses.length && table.addresses.minus(at, low, high) === 0) return table.code;
    }
    return undefined;
  }
}

function readTable(memory: Memory, labels: Labels, shape: TableShape, text: AreaSet): Words {
  const start = labels(shape.start);
  const stop = labels(shape.stop);
  const size = start === undefined || stop === undefined ? 0 : Number(stop - start);
  if (start === undefined || size <= 0 || size > LARGEST || !memory.has(start, size)) return new Words(0);
  const bytes = memory.read(start, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const { low, high } = halves(start);
  for (const stride of shape.strides) {
    if (size % stride !== 0) continue;
    const addresses = new Words(size / stride);
    let outside = 0;
    for (let i = 0; i < addresses.length; i++) {
      addresses.setSum(i, low, high, i * stride + view.getInt32(i * stride, memory.littleEndian));
      if (text.at(addresses, i) === undefined) outside++;
    }
    // A wrong stride reads line numbers as distances: nearly none lands in text.
    if (outside * 10 >= addresses.length) continue;
    addresses.big.sort();
    return addresses;
  }
  return new Words(0);
}
