import type { CollectEntries } from '../answers/missing-btf/all.js';
import { KernelFacts } from '../facts/kernel-facts.js';
import { piecesOfImage } from '../facts/pieces-of-image.js';
import { openKernelImage } from '../image/unwrap.js';
import { collectEntries } from '../rules/pahole/collect.js';
import type { Entry } from '../rules/pahole/entry.js';
import { openSource } from './source.js';
import { inThreads, type Job, workerBeside } from './threads.js';

interface EntriesData {
  /** Of the kernel: each thread opens it for itself. */
  readonly file: string;
  readonly names: readonly string[];
}

/** What pahole sees of some names: a batch is offsets of units of the debug information. */
export const COLLECT_ENTRIES: Job<EntriesData, Float64Array, Entry[]> = {
  script: workerBeside(import.meta.url, './collect-entries-worker.js'),
  start: ({ file, names }) => {
    const dwarf = new KernelFacts(piecesOfImage(openKernelImage(openSource(file)).file)).dwarf();
    return dwarf === undefined ? () => [] : collectEntries(dwarf, new Set(names));
  },
};

/** Threads that share the debug information of a kernel's file. @param threads how many; as many as there are processors where not given */
export function collectInThreads(file: string, threads?: number): CollectEntries {
  return (names, batches, onDone) => inThreads(COLLECT_ENTRIES, batches, { data: { file, names }, threads, onDone });
}
