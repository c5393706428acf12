import type { MissingBtf } from '../../answers/missing-btf.js';
import { REASONS } from '../../reasons.js';
import { toJson } from '../../report/json.js';
import { evidenceLine, table } from '../../report/text.js';
import { type Command, command, EXIT } from '../command.js';
import { expectNames, KERNEL_OPTIONS, kernelId, MODULES_OPTION, PAHOLE_OPTION, paholeOptions, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & { readonly modules: typeof MODULES_OPTION } & typeof PAHOLE_OPTION = {
  ...KERNEL_OPTIONS,
  modules: MODULES_OPTION,
  ...PAHOLE_OPTION,
};

export const why: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [1, 1000],
  about: `Says why BTF has no FUNC for each name: the rule of pahole that left it out, what in the image shows it, and which functions with BTF can
serve instead. Where the release of pahole decides and is not known, it is inferred from the BTF itself, and said.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) => {
    const pahole = paholeOptions(options['pahole-version']);
    return withKernel(args, options, note, (kernel, names) => {
      expectNames(names);
      const answers = names.map(name => kernel.missingBtf(name, pahole));
      if (options.json) out.line(toJson({ schema: 'kelf/why', version: 1, kernel: kernelId(kernel), answers }));
      else for (const answer of answers) for (const line of whyLines(answer)) out.line(line);
      return EXIT.ok;
    });
  },
});

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
