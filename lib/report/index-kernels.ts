import type { IndexedKernel } from '../dataset/index-kernels.js';
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
