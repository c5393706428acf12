import { type MissingBtfOfAll, type MissingBtfOfAllOptions, missingBtfOfAll } from '../../answers/missing-btf/all.js';
import type { Kernel } from '../../kernel.js';
import { collectInThreads } from '../../node/collect-entries.js';
import { isStream } from '../../node/source.js';
import { kernelId } from '../../report/report.js';
import { whyAllReport, whyReport } from '../../report/why.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT, NDJSON_OPTION, UsageError } from '../command.js';
import { expandedNames, functionOf } from '../names.js';
import { Progress } from '../progress.js';
import { expectNames, KERNEL_OPTIONS, MODULES_OPTION, PAHOLE_OPTION, paholeOptions, withKernel } from '../with-kernel.js';

export const why: Command = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `Explains why BTF has no FUNC for each name: the rule of pahole that dropped it, the evidence in the image and its debug information, and which
functions with BTF can serve instead. If the pahole release matters and is not known, kelf infers it from the BTF and says so. --all covers
every function that BTF lacks.`,
  examples: ['vmlinux may_create', 'vmlinux --all'],
  options: {
    ...KERNEL_OPTIONS,
    kernel: EACH_KERNEL_OPTION,
    ndjson: NDJSON_OPTION,
    modules: MODULES_OPTION,
    ...PAHOLE_OPTION,
    all: { type: 'boolean', help: 'summarise every function that BTF lacks, by reason; give no NAME' },
    'no-dwarf': { type: 'boolean', help: 'do not read the debug information' },
  },
  run: ({ args, options, note, write }) => {
    const pahole = { ...paholeOptions(options['pahole-version']), dwarf: options['no-dwarf'] !== true };
    return withKernel(args, options, note, async (kernel, names) => {
      if (options.all === true) {
        if (names.length > 0) throw new UsageError('--all takes no NAME');
        const all = await whyAll(kernel, {
          ...pahole,
          ...(options.live === true || isStream(args[0]!) ? {} : { collect: collectInThreads(args[0]!) }),
        });
        write(whyAllReport, { kernel: kernelId(kernel), ...all });
        return EXIT.ok;
      }
      expectNames(names);
      const answers = expandedNames(kernel, names).map(name => kernel.missingBtf(functionOf(name), pahole));
      write(whyReport, { kernel: kernelId(kernel), answers });
      return answers.every(({ code }) => code === 'pahole-no-symbol' || code === 'symbols-unknown') ? EXIT.missing : EXIT.ok;
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
