import type { Memory } from '../../elf/index.js';
import type { Labels } from './areas.js';

/** Addresses of instructions that the kernel itself patches or traps on, where check_kprobe_address_safe() refuses a kprobe. */
export interface PatchedCode {
  /** Entries of `__bug_table`. */
  readonly bugs: ReadonlySet<bigint>;
  /** Entries of `__jump_table`. */
  readonly jumpLabels: ReadonlySet<bigint>;
  /** Entries of `.static_call_sites`. */
  readonly staticCalls: ReadonlySet<bigint>;
}

/** A table of records that begin with the distance from their own place to the code they are about. */
interface TableShape {
  readonly start: string;
  readonly stop: string;
  /** Sizes of a record that some kernel has; the first that makes every entry an address of text is taken. */
  readonly strides: readonly number[];
}

// include/linux/bug.h, with and without CONFIG_DEBUG_BUGVERBOSE; 16 since the format string was added
const BUG_TABLE: TableShape = { start: '__start___bug_table', stop: '__stop___bug_table', strides: [12, 8, 16] };
// include/linux/jump_label.h: s32 code, s32 target, long key
const JUMP_TABLE: TableShape = { start: '__start___jump_table', stop: '__stop___jump_table', strides: [16] };
// include/linux/static_call_types.h: s32 addr, s32 key
const STATIC_CALL_SITES: TableShape = { start: '__start_static_call_sites', stop: '__stop_static_call_sites', strides: [8] };

/**
 * Reads the tables of a 64-bit image, whose entries are relative to their place (CONFIG_GENERIC_BUG_RELATIVE_POINTERS,
 * CONFIG_HAVE_ARCH_JUMP_LABEL_RELATIVE).
 * @param isText tells whether an address is kernel text
 */
export function readPatchedCode(memory: Memory, labels: Labels, isText: (address: bigint) => boolean): PatchedCode {
  const read = (shape: TableShape): Set<bigint> => readTable(memory, labels, shape, isText);
  return { bugs: read(BUG_TABLE), jumpLabels: read(JUMP_TABLE), staticCalls: read(STATIC_CALL_SITES) };
}

function readTable(memory: Memory, labels: Labels, shape: TableShape, isText: (address: bigint) => boolean): Set<bigint> {
  const start = labels(shape.start);
  const stop = labels(shape.stop);
  if (start === undefined || stop === undefined || stop <= start) return new Set();
  const size = Number(stop - start);
  const bytes = memory.read(start, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  for (const stride of shape.strides) {
    if (size % stride !== 0) continue;
    const addresses = new Set<bigint>();
    let outside = 0;
    for (let at = 0; at < size; at += stride) {
      const address = start + BigInt(at + view.getInt32(at, memory.littleEndian));
      if (isText(address)) addresses.add(address);
      else outside++;
    }
    // A wrong stride reads line numbers as distances: nearly none lands in text.
    if (outside * 10 < addresses.size) return addresses;
  }
  return new Set();
}
