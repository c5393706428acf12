import type { Memory } from '../../elf/index.js';
import type { KernelSymbols } from '../../kallsyms/index.js';
import { type Area, type Labels, unprobedAreas } from './areas.js';

/** The addresses where the kernel refuses kprobes, as ranges with the reason for each. */
export interface KprobeBlacklist {
  /** `_kprobe_blacklist`, `/sys/kernel/debug/kprobes/blacklist`. */
  readonly source: string;
  /** In ascending order of `from`. */
  readonly ranges: readonly Area[];
}

/**
 * The blacklist of an image: the entries of `_kprobe_blacklist`, each up to the next symbol, and the areas, each from symbol to symbol, as
 * populate_kprobe_blacklist() of kernel/kprobes.c does it at boot.
 */
export function blacklistOfImage(memory: Memory, symbols: KernelSymbols, labels: Labels, machine: number): KprobeBlacklist {
  const ranges: Area[] = [];
  const add = (name: string, entry: bigint): bigint | undefined => {
    const row = symbols.containing(entry);
    if (row === undefined) return undefined;
    const from = symbols.address.big[row]!;
    const to = symbols.endOf(entry) ?? entry + 1n;
    // kprobe_add_ksym_blacklist() takes the entry up to the end of its symbol.
    ranges.push({ name, from: entry, to });
    return to > from ? to : undefined;
  };
  const start = labels('__start_kprobe_blacklist');
  const stop = labels('__stop_kprobe_blacklist');
  if (start !== undefined && stop !== undefined) {
    for (let at = start; at < stop; at += BigInt(memory.wordSize)) {
      const entry = memory.word(at);
      if (entry !== 0n) add('_kprobe_blacklist', entry);
    }
  }
  for (const area of unprobedAreas(labels, machine)) ranges.push(area);
  return { source: '_kprobe_blacklist', ranges: ranges.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0)) };
}

/** The range that covers an address. */
export function blacklisted(blacklist: KprobeBlacklist, address: bigint): Area | undefined {
  // Ranges overlap (an entry inside an area), so the search goes back over all that begin at or before the address.
  const { ranges } = blacklist;
  let from = 0;
  let to = ranges.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (ranges[middle]!.from <= address) from = middle + 1;
    else to = middle;
  }
  for (let at = from - 1; at >= 0; at--) if (address < ranges[at]!.to) return ranges[at];
  return undefined;
}
