import type { Memory } from '../../elf/memory.js';
import type { Labels } from './areas.js';

/**
 * Sizes of struct alt_instr (arch/x86/include/asm/alternative.h) and where instrlen and replacementlen are in it; the first size that makes
 * nearly every entry one of text is taken. 14 since 6.3; 13 with padlen, up to 5.12.
 */
const SHAPES = [
  { stride: 14, lengths: 12 },
  { stride: 12, lengths: 10 },
  { stride: 13, lengths: 10 },
];
/** So many entries tell the size. */
const TRIED = 256;
/** A larger table is treated as damage: real ones have some ten thousand entries. */
const LARGEST = 1 << 22;

/** Instructions that the kernel replaces at boot where the processor has a feature. */
export interface Alternative {
  readonly address: bigint;
  /** Bytes of the place, with what pads it. */
  readonly length: number;
  /** Bytes that come there. */
  readonly replacement: number;
}

/** The table of x86 alternatives; none where it is not found. */
export function alternatives(memory: Memory, labels: Labels, isText: (address: bigint) => boolean): Alternative[] {
  const start = labels('__alt_instructions');
  const stop = labels('__alt_instructions_end');
  const size = start === undefined || stop === undefined ? 0 : Number(stop - start);
  if (start === undefined || size <= 0 || size > LARGEST || !memory.has(start, size)) return [];
  const bytes = memory.read(start, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  for (const { stride, lengths } of SHAPES) {
    if (size % stride !== 0) continue;
    // s32 from its own place to the instruction
    const place = (at: number): bigint => start + BigInt(at + view.getInt32(at, memory.littleEndian));
    const tried = Math.min(size, TRIED * stride);
    let outside = 0;
    for (let at = 0; at < tried; at += stride) if (!isText(place(at))) outside++;
    if (outside * 10 >= tried / stride) continue;
    const rows: Alternative[] = [];
    for (let at = 0; at < size; at += stride)
      rows.push({ address: place(at), length: bytes[at + lengths]!, replacement: bytes[at + lengths + 1]! });
    return rows;
  }
  return [];
}
