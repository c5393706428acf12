import { EM } from '../../elf/constants.js';
import { halves, lowerBound, lowerBoundSorted, Words } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import type { McountTable } from './mcount.js';
import { atLeast } from './release.js';

/** The places that ftrace patches, by address: each the `ip` of the kernel's record, in ascending order. */
export interface FtraceSites {
  /** `__mcount_loc`, `available_filter_functions_addrs`. */
  readonly source: string;
  readonly ip: Words;
  /** Names of which some functions have a site and some have not, where the source does not say which. */
  readonly undecided?: ReadonlySet<string>;
  /** How the words of the table stand to their functions; absent where the sites do not come from the table. */
  readonly mode?: SiteMode;
}

/** The sites; or `none` where the kernel was built without dynamic ftrace; or `unknown` where its table can't be read. */
export type FtraceState = FtraceSites | 'none' | 'unknown';

/** How a word of `__mcount_loc` stands to the function it is for: the distances that the image itself shows. */
export interface SiteMode {
  /** For each distance (word less function), how many words have it; the most frequent first. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Words that stand at none of these distances from a function: what is left of overridden weak functions. */
  readonly elsewhere: number;
  /** What the kernel adds to a word to have the address of the instruction it patches (ftrace_call_adjust()). */
  readonly adjust: number;
}

/** Distances between a word and its function that a compiler of the architecture has made: ftrace_call_adjust() and its comments. */
const DISTANCES: Readonly<Record<number, readonly number[]>> = {
  // Behind ENDBR64, where there is one. A word farther behind is that of an overridden weak function (FTRACE_MCOUNT_MAX_OFFSET).
  [EM.X86_64]: [0, 4],
  [EM.I386]: [0, 4],
  // The call of __gnu_mcount_nc, behind what the prologue has pushed before it.
  [EM.ARM]: [4, 8, 12, 16],
};
/** Those of all others: kernel/trace/ftrace.c and arch ftrace.h. */
const OTHER_DISTANCES: readonly number[] = [0, 4, -8, 8, 12, 16, -4];

/** So many symbols around a word are looked at: more stand there only in damaged tables. */
const NEAR = 512;

/** What the architecture's adjustment goes by besides the words. */
export interface SiteSource {
  /** The 32 bits of an instruction at an address of the image; undefined where it holds none. */
  instruction?(address: bigint): number | undefined;
  /** `7.2.0`, where nothing else tells. */
  release?(): string | undefined;
}

/** The sites of an image: the words of its table, adjusted as its architecture does. Zeros are skipped, as ftrace_process_locs() does. */
export function sitesOfTable(table: McountTable, symbols: KernelSymbols, machine: number, source: SiteSource = {}): FtraceSites {
  const adjustment = callAdjust(machine, () => siteMode(table, symbols, machine, source), table, source);
  const perWord = machine === EM.AARCH64 && adjustment === CALL_OPS ? source.instruction : undefined;
  const ip = new Words(table.count - table.zeroRelocated);
  // Zeros come first.
  ip.big.set(table.relocated.big.toSorted().subarray(table.zeroRelocated));
  if (adjustment !== 0) {
    const adjust = BigInt(adjustment);
    for (let i = 0; i < ip.length; i++) {
      const word = ip.big[i]!;
      // A function that begins with BTI has its NOPs behind that.
      ip.big[i] = word + adjust + (isBti(perWord?.(word + 8n)) ? 4n : 0n);
    }
  }
  let mode: SiteMode | undefined;
  return {
    source: '__mcount_loc',
    ip,
    get mode() {
      mode ??= siteMode(table, symbols, machine, source);
      return mode;
    },
  };
}

function siteMode(table: McountTable, symbols: KernelSymbols, machine: number, source: SiteSource): SiteMode {
  const order = symbols.order;
  const distances = DISTANCES[machine] ?? OTHER_DISTANCES;
  const found = new Map<number, number>();
  let elsewhere = 0;
  for (let i = 0; i < table.count; i++) {
    const low = table.relocated.low(i);
    const high = table.relocated.high(i);
    if (low === 0 && high === 0) continue;
    const distance = distanceToFunction(symbols, order, distances, low, high);
    if (distance === undefined) elsewhere++;
    else found.set(distance, (found.get(distance) ?? 0) + 1);
  }
  // An overridden weak function leaves a word behind another function, at a distance that only few words have.
  const least = (table.count - table.zeroRelocated) / 100;
  for (const [distance, count] of found) if (count < least && found.delete(distance)) elsewhere += count;
  const offsets = new Map([...found].sort((a, b) => b[1] - a[1]));
  const mode = { offsets, elsewhere };
  return { ...mode, adjust: callAdjust(machine, () => mode, table, source) };
}

/** The distance from the function that a word is for; undefined where no function is at a distance that some architecture has. */
function distanceToFunction(
  symbols: KernelSymbols,
  order: Uint32Array,
  distances: readonly number[],
  low: number,
  high: number,
): number | undefined {
  const next = lowerBound(symbols.address, order, low, high);
  // A word may stand in front of its function (func-8), at it or behind its entry.
  for (let at = next; at < Math.min(order.length, next + NEAR); at++) {
    const ahead = symbols.address.minus(order[at]!, low, high);
    if (ahead > 8) break;
    if (symbols.isText(order[at]!) && distances.includes(-ahead)) return 0 - ahead;
  }
  for (let at = next - 1; at >= Math.max(0, next - NEAR); at--) {
    const behind = -symbols.address.minus(order[at]!, low, high);
    if (symbols.isText(order[at]!)) return distances.includes(behind) ? behind : undefined;
    if (behind > 16) break;
  }
  return undefined;
}

/** From a word of CALL_OPS, 8 bytes in front of its function, to the second NOP of that. */
const CALL_OPS = 12;

/**
 * ftrace_call_adjust() of the architecture, for words that stand so to their functions. arm64 with -fpatchable-function-entry=2 patches the second of
 * two NOPs (entry + 4); with CALL_OPS, words stand 8 bytes in front of the function, whose second NOP is at func + 4, behind BTI at func + 8; with the
 * older -pg a word is that of the call itself, behind the prologue. riscv patches at the word, and since 7.2 the instruction behind it; ppc64 the
 * second of two NOPs, where there are two. arm32 patches at the word.
 */
function callAdjust(machine: number, mode: () => Pick<SiteMode, 'offsets'>, table: McountTable, source: SiteSource): number {
  if (machine === EM.PPC64) return pairsOfNops(table, source) ? 4 : 0;
  if (machine !== EM.AARCH64 && machine !== EM.RISCV) return 0;
  const [distance = 0] = mode().offsets.keys();
  if (distance < 0) return CALL_OPS;
  if (machine === EM.AARCH64) return distance > 4 ? 0 : 4;
  return atLeast(source.release?.(), 7, 2) === true ? 4 : 0;
}

/** BTI, with whichever of its targets (HINT #32 to #38 of the Arm architecture). */
function isBti(instruction: number | undefined): boolean {
  return instruction !== undefined && (instruction & 0xffffff3f) >>> 0 === 0xd503241f;
}

/** ori r0,r0,0 */
const PPC_NOP = 0x60000000;
/** Words that are looked at. */
const SAMPLE = 64;

/** Whether most words of a ppc64 image stand at two NOPs (-fpatchable-function-entry=2). */
function pairsOfNops(table: McountTable, { instruction }: SiteSource): boolean {
  if (instruction === undefined) return false;
  let pairs = 0;
  let looked = 0;
  for (let i = 0; i < table.count && looked < SAMPLE; i++) {
    const word = table.relocated.big[i]!;
    if (word === 0n) continue;
    looked++;
    if (instruction(word) === PPC_NOP && instruction(word + 4n) === PPC_NOP) pairs++;
  }
  return pairs * 2 > looked;
}

/** The first site in [from, to), or -1. */
export function siteIn(sites: FtraceSites, from: bigint, to: bigint): number {
  const { low, high } = halves(from);
  const at = lowerBoundSorted(sites.ip, low, high);
  return at < sites.ip.length && sites.ip.big[at]! < to ? at : -1;
}
