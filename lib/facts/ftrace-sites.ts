import { halves, lowerBound, lowerBoundSorted, Words } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { archOf } from '../arch/arch-of.js';
import type { CallSites } from '../arch/architecture.js';
import type { ChangeName } from '../releases.js';
import type { McountTable } from './mcount.js';
import { once } from './once.js';

/** The places that ftrace patches, by address: each the `ip` of the kernel's record, in ascending order. */
export interface FtraceSites {
  /** `__mcount_loc`, `available_filter_functions_addrs`. */
  readonly source: string;
  readonly ip: Words;
  /** Names of which some functions have a site and some have not, where the source does not say which. */
  readonly undecided?: ReadonlySet<string>;
  /** How the words of the table stand to their functions; absent if the sites do not come from the table. */
  readonly mode?: SiteMode;
}

/** The sites; or `none` where the kernel was built without dynamic ftrace; or `unknown` where its table can't be read. */
export type FtraceState = FtraceSites | 'none' | 'unknown';

/** How a word of `__mcount_loc` stands to the function it is for: the distances that the image itself shows. */
export interface SiteMode {
  /** For each distance (word less function), how many words have it; the most frequent first. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Words that are at none of these distances from a function: what is left of overridden weak functions. */
  readonly elsewhere: number;
  /** What the kernel adds to a word to have the address of the instruction it patches (ftrace_call_adjust()). */
  readonly adjust: number;
}

/** Calls that are not behind the prologue are at most so far behind the start: after ENDBR or BTI. Nine words in ten there tell that all are. */
const ENTRY = 4;

/** So many symbols around a word are looked at: more are there only in damaged tables. */
const NEAR = 512;

/** The input of the architecture's adjustment besides the words. */
export interface SiteSource {
  /** The 32 bits of an instruction at an address of the image; undefined if it holds none. */
  instruction?(address: bigint): number | undefined;
  /** Whether the kernel has a change. */
  has?(change: ChangeName): boolean | undefined;
}

/** The sites of an image: the words of its table, adjusted as its architecture does. Zeros are skipped, as ftrace_process_locs() does. */
export function sitesOfTable(table: McountTable, symbols: KernelSymbols, machine: number, source: SiteSource = {}): FtraceSites {
  const { callSites } = archOf(machine);
  const distances = once(() => distancesOf(table, symbols, callSites));
  const adjust = callSites.adjust({
    commonDistance: () => distances().offsets.keys().next().value ?? 0,
    words: most => firstWords(table, most),
    instruction: source.instruction,
    has: change => source.has?.(change),
  });
  const ip = new Words(table.count - table.zeroRelocated);
  // Zeros come first.
  ip.big.set(table.relocated.big.toSorted().subarray(table.zeroRelocated));
  const { adjustWord } = callSites;
  const { instruction } = source;
  if (adjust !== 0) {
    for (let i = 0; i < ip.length; i++) {
      const word = ip.big[i]!;
      const more = adjustWord === undefined || instruction === undefined ? 0 : adjustWord(word, adjust, instruction);
      ip.big[i] = word + BigInt(adjust + more);
    }
  }
  return {
    source: '__mcount_loc',
    ip,
    get mode() {
      return { ...distances(), adjust };
    },
  };
}

function firstWords({ relocated, count }: McountTable, most: number): bigint[] {
  const words: bigint[] = [];
  for (let i = 0; i < count && words.length < most; i++) if (relocated.big[i] !== 0n) words.push(relocated.big[i]!);
  return words;
}

function distancesOf(table: McountTable, symbols: KernelSymbols, { distances }: CallSites): Pick<SiteMode, 'offsets' | 'elsewhere'> {
  const order = symbols.order;
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
  // An overridden weak function leaves a word after another function, at a distance that only few words have.
  const least = (table.count - table.zeroRelocated) / 500;
  const atEntry = [...found].reduce((sum, [distance, count]) => sum + (distance <= ENTRY ? count : 0), 0);
  const behind = atEntry >= least * 450 ? ENTRY : Infinity;
  for (const [distance, count] of found) if ((count < least || distance > behind) && found.delete(distance)) elsewhere += count;
  return { offsets: new Map([...found].sort((a, b) => b[1] - a[1])), elsewhere };
}

/** The distance from the function that a word is for; undefined if no function is at a distance that some architecture has. */
function distanceToFunction(
  symbols: KernelSymbols,
  order: Uint32Array,
  distances: readonly number[],
  low: number,
  high: number,
): number | undefined {
  const next = lowerBound(symbols.address, order, low, high);
  // A word may be before its function (func-8), at it or after its entry.
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

/** The first site in [from, to), or -1. */
export function siteIn(sites: FtraceSites, from: bigint, to: bigint): number {
  const { low, high } = halves(from);
  const at = lowerBoundSorted(sites.ip, low, high);
  return at < sites.ip.length && sites.ip.big[at]! < to ? at : -1;
}
