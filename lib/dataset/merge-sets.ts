import { isFormatError } from '../../elf/errors.js';
import { InputError } from '../errors.js';
import { MANY_KERNELS } from '../fleet/dataset/encode.js';
import { fileOf, isMerged, mergedName, TABLES } from '../fleet/dataset/format.js';
import { mergeTables, type TablePart } from '../fleet/dataset/merge.js';
import { endRun, isSameFolder, removeUnfinished, type SetWriter, saveSet, setsIn, setWriter } from '../node/sets.js';
import { inThreads, type Job, workerBeside } from '../node/threads.js';
import { encode, hexDigest, mergedKernels, withTable } from './folder.js';

/** What became of some sets. */
export interface MergedSets {
  /** The set that they are now; absent where all of them are damaged. */
  readonly set?: string;
  readonly kernels: number;
  readonly bytes: number;
  /** Sets that can't be read. */
  readonly problems: readonly string[];
}

/** Options of {@link mergeSets}. */
export interface MergeOptions {
  readonly jobs?: number | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Kernels of one set: a thread takes up to 1.5 GB while their functions are put in order. */
const KERNELS = 32;

interface MergeData {
  readonly from: string;
  readonly to: SetWriter;
}

/** Writes sets as one: a batch is its sets. */
export const MERGE: Job<MergeData, readonly string[], MergedSets> = {
  script: workerBeside(import.meta.url, './merge-sets-worker.js'),
  start: data => sets => mergeBatch(sets, data),
};

/**
 * Writes the kernels of a dataset to another one, many to a set: a question opens so many files less. Kernels that are there in a set with others are left
 * out, so that a dataset that has grown is merged again.
 * @throws OutputError, InputError; FormatError for a dataset of another version
 */
export async function mergeSets(from: string, out: string, { jobs, onProgress }: MergeOptions = {}): Promise<MergedSets[]> {
  if (isSameFolder(from, out)) throw new InputError(out, 'same-folder', 'is the dataset that is merged: give another folder');
  const known = await mergedKernels(out);
  const all = setsIn(from);
  if (all.length === 0) throw new InputError(from, 'no-dataset', "has no kernel: 'kelf index' makes a dataset");
  const sets = all.filter(set => !isMerged(set) && !known.has(set));
  removeUnfinished(out);
  const to = setWriter(out);
  const batches = Array.from({ length: Math.ceil(sets.length / KERNELS) }, (_, i) => sets.slice(i * KERNELS, (i + 1) * KERNELS));
  let done = 0;
  try {
    const merged = await inThreads(MERGE, batches, {
      data: { from, to },
      threads: batches.length === 1 ? 0 : jobs,
      onDone: batch => {
        done += batches[batch]!.length;
        onProgress?.(done, sets.length);
      },
    });
    const problems = all.filter(isMerged).map(set => `${from}/${set}: has many kernels already: copy the folder`);
    return problems.length === 0 ? merged : [...merged, { kernels: 0, bytes: 0, problems }];
  } finally {
    endRun(to);
  }
}

/** A set that turns out to be damaged is left out, and the others are merged without it. */
async function mergeBatch(sets: readonly string[], { from, to }: MergeData): Promise<MergedSets> {
  const problems: string[] = [];
  let left = [...sets];
  while (left.length > 0) {
    const files: [string, Uint8Array][] = [];
    let broken: string | undefined;
    for (const table of TABLES) {
      const parts: TablePart[] = [];
      for (const set of left) {
        try {
          parts.push(await withTable(from, set, table, file => file.table()));
        } catch (error) {
          if (!(error instanceof InputError) && (!isFormatError(error) || error.code === 'unsupported')) throw error;
          problems.push(error.message);
          broken = set;
          break;
        }
      }
      if (broken !== undefined) break;
      files.push([fileOf(table), encode(table, mergeTables(parts), MANY_KERNELS)]);
    }
    if (broken === undefined) {
      const set = mergedName(hexDigest(new TextEncoder().encode(left.join('\n'))));
      saveSet(to, set, files);
      return { set, kernels: left.length, bytes: files.reduce((sum, [, { length }]) => sum + length, 0), problems };
    }
    left = left.filter(set => set !== broken);
  }
  return { kernels: 0, bytes: 0, problems };
}
