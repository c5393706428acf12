import type { Memory } from '../../../elf/memory.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { bytesOfCode, type LoggedCode } from './logged-code.js';
import { type PatchPlace, patchPlaces } from './patch-places.js';

/** The code that an oops prints beside that of the image. */
export interface CodeComparison {
  /** Where the program counter stands: the place that the log names. */
  readonly query: string;
  /** The image's address of the first byte. */
  readonly address: bigint;
  /** Bytes compared. */
  readonly length: number;
  readonly differences: readonly CodeDifference[];
}

export interface CodeDifference {
  readonly address: bigint;
  /** From the program counter. */
  readonly offset: number;
  /** In hexadecimal. */
  readonly log: string;
  readonly image: string;
  /** What the kernel patches there; absent where the image's tables have nothing: another build, or memory that was changed. */
  readonly patched?: string;
}

/**
 * The code of a log beside the image's.
 * @param query the place that the log names
 * @param pc the image's address of the instruction that is marked
 * @param moved how far KASLR moved the kernel, where that is known
 * @returns undefined where the image does not have the bytes
 */
export function compareCode(kernel: KernelFacts, query: string, pc: bigint, code: LoggedCode, moved?: bigint): CodeComparison | undefined {
  const memory = kernel.image?.memory;
  if (memory === undefined) return undefined;
  const log = bytesOfCode(code, memory.littleEndian);
  const before = (log.length / code.words.length) * code.marked;
  const address = pc - BigInt(before);
  if (!memory.has(address, log.length)) return undefined;
  const image = memory.read(address, log.length);
  const differing = runsOf(log, image);
  const places = differing.length === 0 ? [] : patchPlaces(kernel, address, address + BigInt(log.length));
  return {
    query,
    address,
    length: log.length,
    differences: differing.map(run =>
      differenceOf(run, { log, image, address, before, places, isMoved: at => isMoved(memory, log, image, at, moved) }),
    ),
  };
}

type Run = readonly [from: number, to: number];

/** So few equal bytes between two that differ are of the same change. */
const NEAR = 3;

/** Where the bytes differ. */
function runsOf(log: Uint8Array, image: Uint8Array): Run[] {
  const runs: [number, number][] = [];
  for (const [i, byte] of log.entries()) {
    if (byte === image[i]) continue;
    const last = runs.at(-1);
    if (last !== undefined && i - last[1] < NEAR) last[1] = i + 1;
    else runs.push([i, i + 1]);
  }
  return runs;
}

interface Compared {
  readonly log: Uint8Array;
  readonly image: Uint8Array;
  readonly address: bigint;
  readonly before: number;
  readonly places: readonly PatchPlace[];
  /** Whether the word at an offset is an address that KASLR moved. */
  isMoved(at: number): boolean;
}

function differenceOf([from, to]: Run, { log, image, address, before, places, isMoved }: Compared): CodeDifference {
  const start = address + BigInt(from);
  const end = address + BigInt(to);
  const differing = Array.from({ length: to - from }, (_, i) => from + i).filter(i => log[i] !== image[i]);
  const isPatched = (i: number): boolean => places.some(({ from, to }) => address + BigInt(i) >= from && address + BigInt(i) < to);
  const isOfMoved = (i: number): boolean => [i, i - 1, i - 2, i - 3].some(isMoved);
  const isCovered = differing.every(i => isPatched(i) || isOfMoved(i));
  const moved = differing.some(i => !isPatched(i)) ? ['an address, which KASLR moves'] : [];
  const patched = [...new Set([...places.filter(place => start < place.to && end > place.from).map(({ what }) => what), ...moved])];
  return {
    address: start,
    offset: from - before,
    log: hexOf(log.subarray(from, to)),
    image: hexOf(image.subarray(from, to)),
    ...(isCovered ? { patched: patched.join(', ') } : {}),
  };
}

/** By how much the kernel is moved: CONFIG_PHYSICAL_ALIGN of x86-64, MIN_KIMG_ALIGN of arm64. */
const KASLR_STEP = 0x20_0000;

/** Whether the log has, in the place of an address of the image in 32 bits (R_X86_64_32S), that address moved. */
export function isMoved(memory: Memory, log: Uint8Array, image: Uint8Array, at: number, moved: bigint | undefined): boolean {
  if (at < 0 || at + 4 > log.length) return false;
  const word = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset + at, 4).getInt32(0, memory.littleEndian);
  const distance = (word(log) - word(image)) >>> 0;
  const fits = moved === undefined ? distance % KASLR_STEP === 0 : distance === Number(BigInt.asUintN(32, moved));
  return distance !== 0 && fits && memory.has(BigInt.asUintN(64, BigInt(word(image))));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');
}
