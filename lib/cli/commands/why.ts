import { type MissingBtfOfAll, type MissingBtfOfAllOptions, missingBtfOfAll } from '../../answers/missing-btf/all.js';
import type { Kernel } from '../../kernel.js';
import { collectInThreads } from '../../node/collect-entries.js';
import { kernelId } from '../../report/report.js';
import { whyAllReport, whyReport } from '../../report/why.js';
import { type Command, command, EXIT, UsageError } from '../command.js';
import { expectNames, KERNEL_OPTIONS, MODULES_OPTION, PAHOLE_OPTION, paholeOptions, withKernel } from '../kernel.js';
import { Progress } from '../progress.js';

export const why: Command = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [0, 1000],
  about: `Says why BTF has no FUNC for each name: the rule of pahole that left it out, what in the image and its debug information shows it, and which
functions with BTF can serve instead. Where the release of pahole decides and is not known, it is inferred from the BTF itself, and said.
With --all, of every function that BTF lacks.`,
  options: {
    ...KERNEL_OPTIONS,
    modules: MODULES_OPTION,
    ...PAHOLE_OPTION,
    all: { type: 'boolean', help: 'every function that BTF lacks, summed up by reason; no NAME is given then' },
    'no-dwarf': { type: 'boolean', help: 'do not read the debug information: what the rest of the image tells' },
  },
  run: ({ args, options, note, write }) => {
    const pahole = { ...paholeOptions(options['pahole-version']), dwarf: options['no-dwarf'] !== true };
    return withKernel(args, options, note, async (kernel, names) => {
      if (options.all === true) {
        if (names.length > 0) throw new UsageError('with --all, name no function');
        const all = await whyAll(kernel, { ...pahole, ...(options.live === true ? {} : { collect: collectInThreads(args[0]!) }) });
        write(whyAllReport, { kernel: kernelId(kernel), ...all });
        return EXIT.ok;
      }
      expectNames(names);
      write(whyReport, { kernel: kernelId(kernel), answers: names.map(name => kernel.missingBtf(name, pahole)) });
      return EXIT.ok;
    });
  },
});

async function whyAll(kernel: Kernel, options: MissingBtfOfAllOptions): Promise<MissingBtfOfAll> {
  const progress = new Progress('reading debug information');
  try {
    return await missingBtfOfAll(kernel, { ...options, onProgress: (done, total) => progress.update(done, total) });
  } finally {
    progress.end();
  }
}
