import { type Audit, auditKernel, type Tally } from '../../answers/audit.js';
import type { Kernel } from '../../kernel.js';
import { REASONS } from '../../reasons.js';
import { toJson } from '../../report/json.js';
import { table } from '../../report/text.js';
import { type Command, command, EXIT } from '../command.js';
import { KERNEL_OPTIONS, kernelId, oneKernel, PAHOLE_OPTION, paholeOptions, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & typeof PAHOLE_OPTION = { ...KERNEL_OPTIONS, ...PAHOLE_OPTION };

export const audit: Command<typeof OPTIONS> = command({
  usage: '[FILE] [OPTION…]',
  arity: [0, 1],
  about: `Summarises a kernel: how many functions share a name, how many can be traced by which mechanism and why not, and how many have no BTF and
why. Without a FILE it reads the running kernel.`,
  options: OPTIONS,
  run({ args, options, out, note }) {
    oneKernel(args, options);
    return withKernel(args, { ...options, live: args.length === 0 }, note, kernel => {
      const result = auditKernel(kernel, paholeOptions(options['pahole-version']));
      if (options.json) out.line(toJson({ schema: 'kelf/audit', version: 1, kernel: kernelId(kernel), ...result }));
      else for (const line of auditLines(kernel, result)) out.line(line);
      return EXIT.ok;
    });
  },
});

function auditLines(kernel: Kernel, audit: Audit): string[] {
  const { symbols, mcount, sites, btf, duplicates, sharedWithData } = audit;
  const fills = mcount === undefined ? '' : [...mcount.fills].map(([type, count]) => `${count} ${type}`).join(', ');
  const facts: (string | number)[][] = [
    ['symbols', symbols.all, `${symbols.text} of text, under ${symbols.names} names (${symbols.source})`],
    ...(mcount === undefined
      ? []
      : [
          [
            '__mcount_loc words',
            mcount.words,
            mcount.zeroStored === 0
              ? 'final in the file'
              : `${mcount.zeroStored} zero in the file, ${fills === '' ? 'which the kernel skips' : `filled at boot by ${fills}`}`,
          ],
        ]),
    ...(sites === undefined ? [] : [['ftrace sites', sites.all, `${sites.freedAfterBoot} in code that is freed after boot`]]),
    ...(btf === undefined
      ? []
      : [
          ['BTF types', btf.types, btf.source],
          ['BTF functions', btf.functions, `${btf.withoutSymbol} without a symbol of their name`],
        ]),
    ['duplicate names', duplicates.names, `of ${duplicates.functions} functions; kelf duplicates lists them`],
    ['shared with data', sharedWithData.length, some(sharedWithData)],
    ['first untraceable', duplicates.firstUntraceable.length, some(duplicates.firstUntraceable)],
  ];
  return [
    kernel.banner ?? kernel.name,
    ...(kernel.buildId === undefined ? [] : [`build id ${kernel.buildId}`]),
    '',
    ...table(facts),
    '',
    ...tallyLines('kprobe by name, of every text name', audit.kprobeByName),
    ...tallyLines('kprobe by address, of every text address', audit.kprobeByAddress),
    ...tallyLines('fentry attach, of every BTF function', audit.fentry),
    ...tallyLines('text names without a BTF function', audit.missingBtf),
    "'kelf explain CODE' says more of a reason.",
  ];
}

function tallyLines(title: string, tally: Tally): string[] {
  const rows = tally.map(({ code, count, examples }) => [
    count,
    code,
    code === 'accepted' ? REASONS[code] : `${REASONS[code]}: ${examples.join(', ')}${count > examples.length ? ' …' : ''}`,
  ]);
  return tally.length === 0 ? [] : [title, ...table(rows, '  '), ''];
}

function some(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} …` : names.join(', ');
}
