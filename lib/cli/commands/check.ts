import { checkKernel } from '../../answers/check/check.js';
import { compareAbi } from '../../answers/check/compare-abi.js';
import { readAbi } from '../../answers/check/read-abi.js';
import { readRequirements } from '../../answers/check/requirements.js';
import { checkReport } from '../../report/check.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JUNIT_OPTION, UsageError } from '../command.js';
import { MOST_OF_LIST, textOf } from '../text-file.js';
import { KERNEL_OPTIONS, MODULES_OPTION, oneKernel, PAHOLE_OPTION, paholeOptions, withKernel } from '../with-kernel.js';

export const check: Command = command({
  usage: 'FILE|--live --require LIST [--abi FILE] [OPTION…]',
  arity: [0, 1],
  about: `A gate for CI: checks that a kernel has the functions of a list, each with the required mechanisms and prototype, stays within limits on the
audit's figures, and matches an ABI. Exit code 0: it does; 1: it does not, or the file does not tell.`,
  options: {
    ...KERNEL_OPTIONS,
    modules: MODULES_OPTION,
    ...PAHOLE_OPTION,
    require: {
      type: 'string',
      multiple: true,
      value: 'LIST',
      help: 'a list of requirements, YAML or JSON; repeatable',
    },
    abi: { type: 'string', value: 'FILE', help: 'compare with an ABI: ABIXML from libabigail (abidw), STG, or a symbol list' },
    junit: JUNIT_OPTION,
  },
  run: async ({ args, options, note, write }) => {
    oneKernel(args, options);
    const { require: lists = [], abi: abiPath } = options;
    if (lists.length === 0 && abiPath === undefined) throw new UsageError('give a --require LIST, or an --abi FILE');
    const requirements = await Promise.all(lists.map(path => readRequirements(textOf(path, MOST_OF_LIST), path)));
    const abi = abiPath === undefined ? undefined : await readAbi(textOf(abiPath, 1 << 28), abiPath);
    return withKernel(args, options, note, async kernel => {
      const results = requirements.map(list => checkKernel(kernel, list, paholeOptions(options['pahole-version'])));
      const compared = abi === undefined ? undefined : compareAbi(kernel, abi);
      const ok = results.every(({ ok }) => ok) && compared?.ok !== false;
      const items = results.flatMap(({ items }) => items);
      write(checkReport, { kernel: kernelId(kernel), ok, items, ...(compared === undefined ? {} : { abi: compared }) });
      return ok ? EXIT.ok : EXIT.findings;
    });
  },
});
