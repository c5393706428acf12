import type { Memory } from '../../../elf/memory.js';
import { alternatives } from '../../facts/alternatives.js';
import type { Labels } from '../../facts/areas.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
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
export function patchPlaces(kernel: KernelFacts, memory: Memory, from: bigint, to: bigint): PatchPlace[] {
  const { arch, functions, pieces } = kernel;
  const { kprobes } = tracingOf(kernel);
  const isText = (address: bigint): boolean => kprobes.text.areas.some(area => address >= area.from && address < area.to);
  const isX86 = arch.instructions.unit === 1;
  // x86 patches an instruction of five bytes. Elsewhere a call takes one or two; what saves the link register stands before it, and before the
  // function, where it begins with a landing pad, the word of DYNAMIC_FTRACE_WITH_CALL_OPS (arch/arm64/kernel/ftrace.c).
  const patched = isX86 ? 5n : 8n;
  const beforeSite = isX86 ? 0n : 16n;
  const places: PatchPlace[] = [];
  const add = (address: bigint, length: bigint, what: string): void => {
    if (address < to && address + length > from) places.push({ from: address, to: address + length, what });
  };
  const sites = functions.sites?.ip;
  for (let i = 0; sites !== undefined && i < sites.length; i++) add(sites.big[i]! - beforeSite, beforeSite + patched, 'an ftrace site');
  const patchedCode = kprobes.patchedCode();
  for (let address = from - patched; address < to; address++) {
    const code = patchedCode?.atAddress(address);
    if (code === 'jump-label') add(address, patched, 'a jump label');
    if (code === 'static-call') add(address, patched, 'a static call');
  }
  for (const { address, length } of alternatives(memory, pieces.labels, isText)) add(address, BigInt(length), 'an alternative');
  for (const [start, stop, length, what] of DISTANCES)
    for (const address of relativePlaces(memory, pieces.labels, start, stop)) add(address, BigInt(length), what);
  for (const [address, length] of paravirtCalls(memory, pieces.labels)) add(address, BigInt(length), 'a call of paravirt_ops');
  return places;
}

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
