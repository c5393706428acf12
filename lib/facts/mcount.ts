import type { Memory } from '../../elf/memory.js';
import { relocationName } from '../../elf/relocation-names.js';
import { hostWords, Words } from '../../elf/words.js';

/** The table between `__start_mcount_loc` and `__stop_mcount_loc`, as stored in the image and as relocations leave it. */
export interface McountTable {
  readonly start: bigint;
  readonly stop: bigint;
  /** Bytes of a word. */
  readonly wordSize: number;
  readonly count: number;
  readonly stored: Words;
  readonly relocated: Words;
  /** How many words are zero in the file, and how many stay so. */
  readonly zeroStored: number;
  readonly zeroRelocated: number;
  /** The relocations that write to the table: how many of each type, and the sections they are in. */
  readonly fills: ReadonlyMap<string, number>;
  readonly relocationSections: readonly string[];
}

/** Reads the table of ftrace's call sites (include/asm-generic/vmlinux.lds.h, MCOUNT_REC), between its two labels. */
export function readMcountTable(memory: Memory, machine: number, start: bigint, stop: bigint): McountTable {
  const { wordSize } = memory;
  const count = Number(stop - start) / wordSize;
  const length = Math.floor(count) * wordSize;
  const stored = toWords(memory.stored(start, length), memory);
  // An x86 image has no relocations that are applied: its words are final.
  const relocated = memory.tables.length === 0 ? stored : toWords(memory.read(start, length), memory);
  const fills = new Map<string, number>();
  const sections = new Set<string>();
  for (const { table, rows, row } of memory.sites(start, length)) {
    const type = rows.type[row]!;
    const name = table.kind === 'RELR' ? 'RELR' : relocationName(machine, type);
    fills.set(name, (fills.get(name) ?? 0) + 1);
    sections.add(table.section.name);
  }
  const zeroStored = zeros(stored);
  return {
    start,
    stop,
    wordSize,
    count: stored.length,
    stored,
    relocated,
    zeroStored,
    zeroRelocated: relocated === stored ? zeroStored : zeros(relocated),
    fills,
    relocationSections: [...sections],
  };
}

function toWords(bytes: Uint8Array, { wordSize, littleEndian }: Memory): Words {
  const halves = wordSize === 8 ? hostWords(bytes, littleEndian) : undefined;
  if (halves !== undefined) return Words.ofHalves(halves);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Words(bytes.length / wordSize);
  const low = wordSize === 8 && !littleEndian ? 4 : 0;
  for (let i = 0; i < words.length; i++) {
    const at = i * wordSize;
    words.set(i, view.getUint32(at + low, littleEndian), wordSize === 8 ? view.getUint32(at + 4 - low, littleEndian) : 0);
  }
  return words;
}

function zeros({ big }: Words): number {
  let count = 0;
  for (let at = big.indexOf(0n); at >= 0; at = big.indexOf(0n, at + 1)) count++;
  return count;
}
