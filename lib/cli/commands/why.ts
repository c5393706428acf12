import type { MissingBtf } from '../../answers/missing-btf.js';
import { REASONS } from '../../reasons.js';
import { toJson } from '../../report/json.js';
import { evidenceLine, table } from '../../report/text.js';
import { type Command, command, EXIT, type OptionSpec, UsageError } from '../command.js';
import { KERNEL_OPTIONS, kernelId, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & { readonly 'pahole-version': OptionSpec & { readonly type: 'string' } } = {
  ...KERNEL_OPTIONS,
  'pahole-version': { type: 'string', value: 'N', help: 'the pahole that made the BTF: 1.20, or 120 as in CONFIG_PAHOLE_VERSION' },
};

export const why: Command<typeof OPTIONS> = command({
  usage: 'FILE NAME… [--btf FILE] [--pahole-version N] [--config FILE] [--json]',
  arity: [2, 1000],
  about: `Says why BTF has no FUNC for each name: the rule of pahole that left it out, what in the image shows it, and which functions with BTF can
serve instead. Where the release of pahole decides and is not known, it is inferred from the BTF itself, and said.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) => {
    const version = paholeVersion(options['pahole-version']);
    return withKernel(args[0]!, options, note, kernel => {
      const answers = args.slice(1).map(name => kernel.missingBtf(name, version === undefined ? {} : { paholeVersion: version }));
      if (options.json) out.line(toJson({ schema: 'kelf/why', version: 1, kernel: kernelId(kernel), answers }));
      else for (const answer of answers) for (const line of whyLines(answer)) out.line(line);
      return EXIT.ok;
    });
  },
});

/** 120 from `1.20`, `v1.20` or `120`. */
function paholeVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^v?(\d)\.(\d{1,2})$/.exec(text) ?? /^(\d)(\d{2})$/.exec(text);
  if (match === null) throw new UsageError(`--pahole-version: '${text}' is not of the form 1.20 or 120`);
  return Number(match[1]) * 100 + Number(match[2]);
}

function whyLines({ name, code, certainty, because, alternatives, instead }: MissingBtf): string[] {
  return [
    `${name}: ${code} (${certainty}): ${REASONS[code]}`,
    ...because.map(evidence => `  ${evidenceLine(evidence)}`),
    ...(alternatives.length === 0 ? [] : ['  the reason depends on the pahole that made the BTF:']),
    ...table(
      alternatives.map(({ pahole, code }) => [`pahole ${pahole}`, code, REASONS[code]]),
      '    ',
    ),
    ...(instead.length === 0 ? [] : ['  with BTF, and traceable, instead:']),
    ...instead.flatMap(({ prototype, says }) => [`    ${prototype};`, `      ${says}`]),
    '',
  ];
}
