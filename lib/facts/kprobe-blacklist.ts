import type { Memory } from '../../elf/memory.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { archOf } from '../arch/arch-of.js';
import { type Area, AreaSet, type Labels, unprobedAreas } from './areas.js';

/** The addresses where the kernel refuses kprobes. */
export interface KprobeBlacklist {
  /** `_kprobe_blacklist`, `/sys/kernel/debug/kprobes/blacklist`. */
  readonly source: string;
  /** Each with the name of the section, table or symbol it is for. */
  readonly ranges: AreaSet;
}

/**
 * The blacklist of an image: the entries of `_kprobe_blacklist`, each up to the end of its symbol (kprobe_add_ksym_blacklist()), and whole
 * areas, as populate_kprobe_blacklist() of kernel/kprobes.c gathers them at boot.
 */
export function blacklistOfImage(memory: Memory, symbols: KernelSymbols, labels: Labels, machine: number): KprobeBlacklist {
  const ranges: Area[] = unprobedAreas(labels, archOf(machine));
  const start = labels('__start_kprobe_blacklist');
  const stop = labels('__stop_kprobe_blacklist');
  if (start !== undefined && stop !== undefined && stop > start && memory.has(start, Number(stop - start))) {
    for (let at = start; at < stop; at += BigInt(memory.wordSize)) {
      const entry = memory.word(at);
      const end = entry === 0n ? undefined : symbols.endOf(entry);
      if (end !== undefined) ranges.push({ name: '_kprobe_blacklist', from: entry, to: end });
    }
  }
  return { source: '_kprobe_blacklist', ranges: new AreaSet(ranges) };
}
