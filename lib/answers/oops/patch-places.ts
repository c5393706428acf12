import type { Memory } from '../../../elf/memory.js';
import { alternatives } from '../../facts/alternatives.js';
import type { Labels } from '../../facts/areas.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { oncePerKernel } from '../../facts/once-per-kernel.js';
import { tracingOf } from '../../rules/tracing.js';

/** Code that a running kernel has otherwise than its image. */
export interface PatchPlace {
  readonly from: bigint;
  readonly to: bigint;
  readonly what: string;
}

/** Tables of 32-bit distances, each from its own place, to what apply_*() of x86 patches at boot (arch/x86/kernel/alternative.c). */
const DISTANCES: readonly (readonly [start: string, stop: string, length: number, what: string])[] = [
  ['__return_sites', '__return_sites_end', 5, 'a return'],
  ['__retpoline_sites', '__retpoline_sites_end', 6, 'an indirect branch'],
  ['__ibt_endbr_seal', '__ibt_endbr_seal_end', 4, 'an ENDBR'],
  ['__call_sites', '__call_sites_end', 5, 'a call that is counted'],
  ['__smp_locks', '__smp_locks_end', 1, 'a LOCK prefix'],
];
/** A larger table is treated as damage. */
const LARGEST = 1 << 24;

/** The places between two addresses that the kernel patches at boot or when tracing, by the tables of its image. */
export function patchPlaces(kernel: KernelFacts, from: bigint, to: bigint): PatchPlace[] {
  const { kprobes } = tracingOf(kernel);
  const patched = BigInt(kernel.arch.callSites.patched.length);
  const places: PatchPlace[] = [];
  const all = tablesOf(kernel);
  for (let i = firstFrom(all, from - LONGEST); i < all.length && all[i]!.from < to; i++) if (all[i]!.to > from) places.push(all[i]!);
  const patchedCode = kprobes.patchedCode();
  for (let address = from - patched; address < to; address++) {
    const code = patchedCode?.atAddress(address);
    const what = code === 'jump-label' ? 'a jump label' : code === 'static-call' ? 'a static call' : undefined;
    if (what !== undefined && address + patched > from) places.push({ from: address, to: address + patched, what });
  }
  return places;
}

/** An alternative tells its length in a byte; nothing else is longer. */
const LONGEST = 256n;

/** The index of the first place that begins at an address, or behind it. */
function firstFrom(places: readonly PatchPlace[], address: bigint): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]!.from < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The places of all tables but those that kprobes ask, in the order of their addresses: a log has many lines of code. */
const tablesOf: (kernel: KernelFacts) => readonly PatchPlace[] = oncePerKernel(kernel => {
  const { arch, functions, image, pieces } = kernel;
  if (image === undefined) return [];
  const { memory } = image;
  const { text } = tracingOf(kernel).kprobes;
  const places: PatchPlace[] = [];
  const add = (from: bigint, length: bigint, what: string): void => void places.push({ from, to: from + length, what });
  const [before, length] = [BigInt(arch.callSites.patched.before), BigInt(arch.callSites.patched.length)];
  for (const ip of functions.sites?.ip.big ?? []) add(ip - before, before + length, 'an ftrace site');
  const isText = (address: bigint): boolean => text.areas.some(({ from, to }) => address >= from && address < to);
  for (const { address, length } of alternatives(memory, pieces.labels, isText)) add(address, BigInt(length), 'an alternative');
  for (const [start, stop, length, what] of DISTANCES)
    for (const address of relativePlaces(memory, pieces.labels, start, stop)) add(address, BigInt(length), what);
  for (const [address, length] of paravirtCalls(memory, pieces.labels)) add(address, BigInt(length), 'a call of paravirt_ops');
  return places.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
});

/** struct paravirt_patch_site of x86: `u8 *instr; u8 type; u8 len`, in 16 bytes; up to 6.7, since then they are alternatives. */
function* paravirtCalls(memory: Memory, labels: Labels): Generator<readonly [address: bigint, length: number]> {
  const bytes = tableBetween(memory, labels, '__parainstructions', '__parainstructions_end', 16);
  if (bytes === undefined) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 16) yield [view.getBigUint64(at, memory.littleEndian), bytes[at + 9]!];
}

function* relativePlaces(memory: Memory, labels: Labels, startName: string, stopName: string): Generator<bigint> {
  const start = labels(startName);
  const bytes = tableBetween(memory, labels, startName, stopName, 4);
  if (start === undefined || bytes === undefined) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 4) yield start + BigInt(at + view.getInt32(at, memory.littleEndian));
}

/** The bytes between two labels, if they are whole rows. */
function tableBetween(memory: Memory, labels: Labels, startName: string, stopName: string, stride: number): Uint8Array | undefined {
  const [start, stop] = [labels(startName), labels(stopName)];
  const size = start === undefined || stop === undefined ? 0 : Number(stop - start);
  const isTable = start !== undefined && size > 0 && size <= LARGEST && size % stride === 0 && memory.has(start, size);
  return isTable ? memory.read(start, size) : undefined;
}
