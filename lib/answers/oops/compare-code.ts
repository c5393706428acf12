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

/** @param pc the image's address of the instruction that is marked @returns undefined where the image does not have the bytes */
export function compareCode(kernel: KernelFacts, query: string, pc: bigint, code: LoggedCode): CodeComparison | undefined {
  const memory = kernel.image?.memory;
  if (memory === undefined) return undefined;
  const log = bytesOfCode(code, memory.littleEndian);
  const before = (log.length / code.words.length) * code.marked;
  const address = pc - BigInt(before);
  if (!memory.has(address, log.length)) return undefined;
  const image = memory.read(address, log.length);
  const differing = runsOf(log, image);
  const places = differing.length === 0 ? [] : patchPlaces(kernel, memory, address, address + BigInt(log.length));
  return {
    query,
    address,
    length: log.length,
    differences: differing.map(run => differenceOf(run, { log, image, address, before, places })),
  };
}

type Run = readonly [from: number, to: number];

/** Where the bytes differ; equal bytes between two that differ are of the same change, where they are few. */
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

const NEAR = 3;

interface Compared {
  readonly log: Uint8Array;
  readonly image: Uint8Array;
  readonly address: bigint;
  readonly before: number;
  readonly places: readonly PatchPlace[];
}

function differenceOf([from, to]: Run, { log, image, address, before, places }: Compared): CodeDifference {
  const start = address + BigInt(from);
  const end = address + BigInt(to);
  const differing = Array.from({ length: to - from }, (_, i) => from + i).filter(i => log[i] !== image[i]);
  const isCovered = differing.every(i => places.some(place => address + BigInt(i) >= place.from && address + BigInt(i) < place.to));
  const patched = [...new Set(places.filter(place => start < place.to && end > place.from).map(({ what }) => what))];
  return {
    address: start,
    offset: from - before,
    log: hexOf(log.subarray(from, to)),
    image: hexOf(image.subarray(from, to)),
    ...(isCovered ? { patched: patched.join(', ') } : {}),
  };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');
}
