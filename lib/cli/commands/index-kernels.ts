import { readFileSync } from 'node:fs';
import { indexKernels } from '../../dataset/index-kernels.js';
import { mergeSets } from '../../dataset/merge-sets.js';
import { InputError } from '../../errors.js';
import { pathOf } from '../../node/paths.js';
import { indexReport, mergeReport } from '../../report/index-kernels.js';
import { type Command, command, EXIT, JSON_OPTION, UsageError, type Write } from '../command.js';
import { jobsOf } from '../jobs.js';
import { Progress } from '../progress.js';

export const index: Command = command({
  usage: 'KERNEL…|- --out DIR [--jobs N] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Reads each kernel once and writes what is known about it as Parquet: kernels, functions with the verdict of each tracing mechanism, members,
enumerators, tracepoints, syscalls, exports, kfuncs, BTF. Each kernel is a folder in DIR, named by its build id, with a file for each table;
it appears only when it is complete. Kernels that DIR already has are not written again. With -, paths are read from stdin, one per line or
separated by NUL, as find -print0 writes them. An archive of BTF (.btf.tar.xz) counts as one kernel for each BTF in it. 'kelf survey DIR'
asks the dataset.
Exit code 3: some kernels can't be read; the others are written.`,
  examples: ['vmlinux-6.1 vmlinux-6.12 --out dataset', '--merge dataset --out merged'],
  options: {
    out: { type: 'string', short: 'o', value: 'DIR', help: 'the folder of the dataset; created if it is missing' },
    jobs: {
      type: 'string',
      short: 'j',
      value: 'N',
      help: 'the number of kernels to read at a time; by default one per processor',
    },
    merge: {
      type: 'boolean',
      help: 'KERNEL is a dataset: write its kernels to DIR with many in each set, which makes questions about thousands faster',
    },
    json: JSON_OPTION,
  },
  async run({ args, options, write, note }) {
    const { out } = options;
    if (out === undefined) throw new UsageError('give the folder of the dataset: --out DIR');
    const jobs = jobsOf(options.jobs);
    if (options.merge === true) return merge(args, out, { jobs, write, note });
    const paths = args.flatMap(path => (path === '-' ? pathsOfStdin() : [path]));
    const progress = new Progress('reading kernels');
    let done = 0;
    const kernels = await indexKernels(paths, out, {
      jobs,
      onDone: () => progress.update(++done, paths.length),
    }).finally(() => progress.end());
    write(indexReport, { out, kernels });
    return kernels.some(({ outcome }) => outcome === 'unreadable') ? EXIT.input : EXIT.ok;
  },
});

async function merge(
  [from, ...others]: readonly string[],
  out: string,
  { jobs, write, note }: { readonly jobs: number | undefined; readonly write: Write; note(line: string): void },
): Promise<number> {
  if (from === undefined || others.length > 0) throw new UsageError('--merge takes one dataset');
  const progress = new Progress('merging');
  const sets = await mergeSets(from, out, { jobs, onProgress: (done, total) => progress.update(done, total) }).finally(() =>
    progress.end(),
  );
  write(mergeReport, { from, out, sets });
  const problems = sets.flatMap(set => set.problems);
  for (const line of problems) note(`kelf: left out: ${line}`);
  return problems.length > 0 ? EXIT.input : EXIT.ok;
}

/** Paths are bytes, and any but NUL may be in them: a list with a NUL has one after each. */
function pathsOfStdin(): string[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(0);
  } catch (error) {
    throw new InputError('stdin', 'not-readable', (error as Error).message, { cause: error });
  }
  const end = bytes.includes(0) ? 0 : 10;
  const paths: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(end, at);
    const next = found < 0 ? bytes.length : found;
    if (next > at) paths.push(pathOf(bytes.subarray(at, next)));
    at = next + 1;
  }
  return paths;
}
