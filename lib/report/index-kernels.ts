import type { IndexedKernel } from '../dataset/index-kernels.js';
import type { MergedSets } from '../dataset/merge-sets.js';
import type { Report } from './report.js';
import { count, table } from './text.js';

export interface IndexModel {
  readonly out: string;
  readonly kernels: readonly IndexedKernel[];
}

/** `kelf index`. */
export const indexReport: Report<IndexModel> = { schema: 'kelf/index', version: 1, text: indexLines };

function indexLines({ out, kernels }: IndexModel): string[] {
  const of = (outcome: IndexedKernel['outcome']): IndexedKernel[] => kernels.filter(kernel => kernel.outcome === outcome);
  const [written, there, broken] = [of('written'), of('there'), of('unreadable')];
  const bytes = written.reduce((sum, kernel) => sum + kernel.bytes!, 0);
  const size = written.length === 0 ? '' : `, ${Math.round(bytes / written.length / 1000)} kB each`;
  return [
    ...table([...written, ...there].map(({ outcome, id, release, source }) => [outcome, id!, release ?? '', source])),
    ...broken.map(({ problem }) => `unreadable  ${problem}`),
    `${out}: ${count(written.length, 'kernel')} written${size}, ${there.length} there already, ${broken.length} unreadable`,
  ];
}

export interface MergeModel {
  readonly from: string;
  readonly out: string;
  readonly sets: readonly MergedSets[];
}

/** `kelf index --merge`. */
export const mergeReport: Report<MergeModel> = {
  schema: 'kelf/index-merge',
  version: 1,
  text: ({ out, sets }) => {
    const sum = (of: (set: MergedSets) => number): number => sets.reduce((total, set) => total + of(set), 0);
    const kernels = sum(set => set.kernels);
    const size = kernels === 0 ? '' : `, ${Math.round(sum(({ bytes }) => bytes) / kernels / 1000)} kB each`;
    return [`${out}: ${count(kernels, 'kernel')} in ${count(sets.filter(({ set }) => set !== undefined).length, 'set')}${size}`];
  },
};
