import type { MissingBtfOfAll, MissingBtfOfAllOptions } from '../../answers/missing-btf/all.js';
import type { MissingBtf } from '../../answers/missing-btf/missing-btf.js';
import type { Certainty } from '../../evidence.js';
import type { Kernel } from '../../kernel.js';
import { collectInThreads } from '../../node/collect-entries.js';
import { REASONS } from '../../reasons.js';
import { toJson } from '../../report/json.js';
import { evidenceLine, table } from '../../report/text.js';
import { type Command, command, EXIT, type OptionSpec, UsageError } from '../command.js';
import { expectNames, KERNEL_OPTIONS, kernelId, MODULES_OPTION, PAHOLE_OPTION, paholeOptions, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & { readonly modules: typeof MODULES_OPTION } & typeof PAHOLE_OPTION & {
    readonly all: OptionSpec & { readonly type: 'boolean' };
    readonly 'no-dwarf': OptionSpec & { readonly type: 'boolean' };
  } = {
  ...KERNEL_OPTIONS,
  modules: MODULES_OPTION,
  ...PAHOLE_OPTION,
  all: { type: 'boolean', help: 'every function that BTF lacks, summed up by reason; no NAME is given then' },
  'no-dwarf': { type: 'boolean', help: 'do not read the debug information: what the rest of the image tells' },
};

export const why: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [0, 1000],
  about: `Says why BTF has no FUNC for each name: the rule of pahole that left it out, what in the image and its debug information shows it, and which
functions with BTF can serve instead. Where the release of pahole decides and is not known, it is inferred from the BTF itself, and said.
With --all, of every function that BTF lacks.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) => {
    const pahole = { ...paholeOptions(options['pahole-version']), dwarf: options['no-dwarf'] !== true };
    return withKernel(args, options, note, async (kernel, names) => {
      if (options.all === true) {
        if (names.length > 0) throw new UsageError('with --all, name no function');
        const all = await whyAll(kernel, { ...pahole, ...(options.live === true ? {} : { collect: collectInThreads(args[0]!) }) });
        if (options.json) out.line(toJson({ schema: 'kelf/why-all', version: 1, kernel: kernelId(kernel), ...all }));
        else for (const line of allLines(all)) out.line(line);
        return EXIT.ok;
      }
      expectNames(names);
      const answers = names.map(name => kernel.missingBtf(name, pahole));
      if (options.json) out.line(toJson({ schema: 'kelf/why', version: 1, kernel: kernelId(kernel), answers }));
      else for (const answer of answers) for (const line of whyLines(answer)) out.line(line);
      return EXIT.ok;
    });
  },
});

async function whyAll(kernel: Kernel, options: MissingBtfOfAllOptions): Promise<MissingBtfOfAll> {
  const { missingBtfOfAll } = await import('../../answers/missing-btf/all.js');
  const { Progress } = await import('../progress.js');
  const progress = new Progress('reading debug information');
  try {
    return await missingBtfOfAll(kernel, { ...options, onProgress: (done, total) => progress.update(done, total) });
  } finally {
    progress.end();
  }
}

function allLines({ names, withFunc, pahole, units, reasons }: MissingBtfOfAll): string[] {
  const read = units === 0 ? 'without debug information' : `${units} units of debug information read`;
  return [
    `${names} names of functions: ${withFunc} with a FUNC, ${names - withFunc} without; ${read}`,
    ...pahole.because.map(evidence => `  ${evidenceLine(evidence)}`),
    ...table(
      reasons.map(({ code, count, certainty, examples }) => [count, code, certainties(certainty), examples.join(', ')]),
      '  ',
    ),
  ];
}

/** `proven`; `812 proven, 3 open` */
function certainties(counts: Readonly<Record<Certainty, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 1 ? some[0]![0] : some.map(([certainty, count]) => `${count} ${certainty}`).join(', ');
}

function whyLines({ name, code, certainty, because, alternatives, instead }: MissingBtf): string[] {
  return [
    `${name}: ${code} (${certainty}): ${REASONS[code]}`,
    ...because.map(evidence => `  ${evidenceLine(evidence)}`),
    ...(alternatives.length === 0 ? [] : ['  the reason depends on the pahole that made the BTF:']),
    ...table(
      alternatives.map(({ pahole, code }) => [pahole, code, REASONS[code]]),
      '    ',
    ),
    ...(instead.length === 0 ? [] : ['  with BTF, and traceable, instead:']),
    ...instead.map(({ prototype, says }) => `    ${prototype};  (${says})`),
    '',
  ];
}
