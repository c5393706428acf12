import type { Memory } from '../../elf/memory.js';
import { indexOfBytes } from '../../elf/needle.js';
import { distanceBetween, halves } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { archOf } from '../arch/arch-of.js';
import { BANNER, isDigit } from './bytes.js';

/** A run of words, next to each other, each of which points at the start of a function. */
interface Run {
  readonly start: bigint;
  readonly stop: bigint;
}

/** A table with fewer words for the functions there are is another one: sys_call_table, where calls stand where no architecture known here has them. */
const LEAST_SITES = 1 / 8;
const SHORTEST_BLACKLIST = 8;

/** Whether a kernel has dynamic ftrace, and so a table of its sites: ftrace_init() is __init text, which kallsyms always lists. */
export function hasDynamicFtrace(symbols: KernelSymbols): boolean {
  return symbols.lookup('ftrace_init') !== undefined || symbols.lookup('ftrace_process_locs') !== undefined;
}

/** Whether a kernel was built with kprobes: register_kprobe() is exported. */
export function hasKprobes(symbols: KernelSymbols): boolean {
  return symbols.lookup('register_kprobe') !== undefined;
}

/**
 * Labels that kallsyms does not list in a kernel without CONFIG_KALLSYMS_ALL, found by what is there. The table of ftrace's sites is the
 * longest run of pointers at functions in the image of a kernel that has ftrace: in others, that is sys_call_table or the like. In the sections of the linker script (INIT_DATA in include/asm-generic/vmlinux.lds.h)
 * the pointers of the kprobe blacklist are a later such run, behind tables of pointers at data and some of functions, in which they are
 * told by names.
 */
export function discoverLabels(memory: Memory, symbols: KernelSymbols, machine: number): Map<string, bigint> {
  const labels = new Map<string, bigint>();
  const runs: Run[] = [];
  const starts = functionStarts(symbols, machine);
  for (const { address, fileSize } of memory.regions) {
    const banner = findBanner(memory.stored(address, fileSize));
    if (banner >= 0) labels.set('linux_banner', address + BigInt(banner));
    for (const run of pointerRuns(memory, starts, address, fileSize)) runs.push(run);
  }
  const mcount = hasDynamicFtrace(symbols) ? longest(runs) : undefined;
  const isTable = mcount !== undefined && size(mcount) / memory.wordSize >= starts.count * LEAST_SITES;
  if (isTable) {
    labels.set('__start_mcount_loc', mcount.start);
    labels.set('__stop_mcount_loc', mcount.stop);
  }
  const blacklist = hasKprobes(symbols) ? findBlacklist(memory, symbols, runs, isTable ? mcount : undefined) : undefined;
  if (blacklist !== undefined) {
    labels.set('__start_kprobe_blacklist', blacklist.start);
    labels.set('__stop_kprobe_blacklist', blacklist.stop);
  }
  return labels;
}

function longest(runs: readonly Run[]): Run | undefined {
  return runs.reduce<Run | undefined>((best, run) => (best === undefined || size(run) > size(best) ? run : best), undefined);
}

/** The run that has functions which every blacklist has; else, behind ftrace's table, the first. */
function findBlacklist(memory: Memory, symbols: KernelSymbols, runs: readonly Run[], mcount: Run | undefined): Run | undefined {
  const long = runs.filter(run => size(run) >= SHORTEST_BLACKLIST * memory.wordSize && (mcount === undefined || run.start >= mcount.stop));
  const listed = new Set(BLACKLISTED.flatMap(name => symbols.addressOf(name) ?? []));
  return long.find(run => wordsOf(memory, run).some(word => listed.has(word))) ?? (mcount === undefined ? undefined : long[0]);
}

/** Functions that every kernel with kprobes has in its blacklist (NOKPROBE_SYMBOL in kernel/kprobes.c and kernel/notifier.c). */
const BLACKLISTED: readonly string[] = ['get_kprobe', 'notify_die', 'atomic_notifier_call_chain'];

function wordsOf(memory: Memory, run: Run): bigint[] {
  const bytes = memory.read(run.start, size(run));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { wordSize, littleEndian } = memory;
  return Array.from({ length: bytes.length / wordSize }, (_, i) =>
    wordSize === 8 ? view.getBigUint64(i * 8, littleEndian) : BigInt(view.getUint32(i * 4, littleEndian)),
  );
}

function size({ start, stop }: Run): number {
  return Number(stop - start);
}

/**
 * Runs of words that point into text, at or shortly after the start of a function. Overridden weak functions leave words that point
 * elsewhere into text (under 2 in 100), so that one of them does not end a run.
 */
function pointerRuns(memory: Memory, starts: FunctionStarts, from: bigint, length: number): Run[] {
  const { wordSize } = memory;
  const bytes = memory.read(from, length - (length % wordSize));
  const { low: textLow, high: textHigh } = halves(starts.lowest);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [lowAt, highAt] = wordSize === 8 && !memory.littleEndian ? [4, 0] : [0, 4];
  const runs: Run[] = [];
  let start = -1;
  let hits = 0;
  let lastHit = -1;
  const close = (at: number): void => {
    if (start >= 0 && hits * 10 >= ((lastHit - start) / wordSize) * 9)
      runs.push({ start: from + BigInt(start), stop: from + BigInt(lastHit) });
    start = -1;
    hits = 0;
    lastHit = at;
  };
  for (let at = 0; at + wordSize <= bytes.length; at += wordSize) {
    const high = wordSize === 8 ? view.getUint32(at + highAt, memory.littleEndian) : 0;
    const distance = distanceBetween(view.getUint32(at + lowAt, memory.littleEndian), high, textLow, textHigh);
    if (distance === undefined || distance < 0 || distance > starts.span) {
      if (start >= 0) close(at);
      continue;
    }
    if (starts.has(distance)) {
      if (start < 0) start = at;
      hits++;
      lastHit = at + wordSize;
    }
  }
  close(bytes.length);
  return runs;
}

/** The starts of functions as distances from the lowest. */
interface FunctionStarts {
  readonly lowest: bigint;
  readonly span: number;
  readonly count: number;
  /** Whether a word may point there for a function. */
  has(distance: number): boolean;
}

function functionStarts(symbols: KernelSymbols, machine: number): FunctionStarts {
  const rows: number[] = [];
  for (const row of symbols.order) if (symbols.isText(row)) rows.push(row);
  const [first] = rows;
  if (first === undefined) return { lowest: 0n, span: -1, count: 0, has: () => false };
  const lowest = symbols.address.big[first]!;
  const { low, high } = halves(lowest);
  const distances = new Set<number>();
  for (const row of rows) distances.add(symbols.address.minus(row, low, high));
  const { distances: allowed } = archOf(machine).callSites;
  const span = symbols.address.minus(rows.at(-1)!, low, high) + Math.max(...allowed);
  return { lowest, span, count: distances.size, has: distance => allowed.some(from => distances.has(distance - from)) };
}

/**
 * Where the line of /proc/version stands; -1 where it does not. Some images have it twice, first as it was before the build's number was
 * put in (init/version.c): the last one is linux_banner.
 */
export function findBanner(bytes: Uint8Array): number {
  let found = -1;
  for (let at = indexOfBytes(bytes, BANNER); at >= 0; at = indexOfBytes(bytes, BANNER, at + 1)) {
    // A digit follows: the format string of linux_proc_banner has "%s version %s".
    if (isDigit(bytes[at + BANNER.length] ?? 0)) found = at;
  }
  return found;
}
