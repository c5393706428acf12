import { checkKernel } from '../../answers/check/check.js';
import { compareAbi } from '../../answers/check/compare-abi.js';
import { readAbi } from '../../answers/check/read-abi.js';
import { readRequirements } from '../../answers/check/requirements.js';
import { unreadable } from '../../open/bpf-objects.js';
import { type CheckedKernel, type CheckModel, checkReport } from '../../report/check.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, UsageError } from '../command.js';
import { baselineOf, GATE_OPTIONS, judged } from '../gate.js';
import { MOST_OF_LIST, textOf } from '../text-file.js';
import { KERNEL_OPTIONS, MODULES_OPTION, oneKernel, PAHOLE_OPTION, paholeOptions, withKernel } from '../with-kernel.js';

/** What is said of one kernel alone. */
const OF_ONE_KERNEL = ['btf', 'symbols', 'filter-functions', 'config', 'modules'] as const;

export const check: Command = command({
  usage: 'FILE…|--live --require LIST [--abi FILE] [--format NAME] [--out NAME=FILE]… [OPTION…]',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `A gate for CI: checks that kernels have the functions of a list, each with the required mechanisms and prototype, stay within limits on the
audit's figures, and match an ABI. A kernel that can't be read is reported; the others are still checked.
Exit code 0: they do; 1: one does not, or its file does not tell; 3: one could not be read.`,
  examples: ['vmlinux --require functions.yaml', 'vmlinux --require functions.yaml --junit result.xml'],
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
    ...GATE_OPTIONS,
  },
  run: async ({ args, options, note, write }) => {
    oneKernel(args, options);
    const { require: lists = [], abi: abiPath } = options;
    if (lists.length === 0 && abiPath === undefined) throw new UsageError('give a --require LIST, or an --abi FILE');
    const ofOne = OF_ONE_KERNEL.find(name => options[name] !== undefined);
    if (args.length > 1 && ofOne !== undefined) throw new UsageError(`--${ofOne} is for one FILE: check the kernels one by one`);
    const requirements = await Promise.all(lists.map(path => readRequirements(textOf(path, MOST_OF_LIST), path)));
    const abi = abiPath === undefined ? undefined : await readAbi(textOf(abiPath, 1 << 28), abiPath);
    const baseline = await baselineOf(options.baseline);
    const pahole = paholeOptions(options['pahole-version']);
    const kernels: CheckModel['kernels'][number][] = [];
    let problem: unknown;
    for (const path of args.length === 0 ? [undefined] : args) {
      try {
        await withKernel(path === undefined ? [] : [path], options, note, kernel => {
          const items = requirements.flatMap(list => checkKernel(kernel, list, pahole).items);
          const compared = abi === undefined ? undefined : compareAbi(kernel, abi);
          const ok = items.every(({ outcome }) => outcome === 'passed') && compared?.ok !== false;
          const checked: CheckedKernel = { kernel: kernelId(kernel), ok, items, ...(compared === undefined ? {} : { abi: compared }) };
          kernels.push(checked);
          return EXIT.ok;
        });
      } catch (error) {
        kernels.push({ kernel: { name: path ?? 'the running kernel' }, ok: false, unreadable: unreadable(error) });
        problem ??= error;
      }
    }
    // Nothing was checked then.
    if (kernels.every(checked => 'unreadable' in checked)) throw problem;
    const model: CheckModel = { ok: kernels.every(({ ok }) => ok), kernels };
    const { known, passed } = judged(checkReport, model, baseline, note);
    write(checkReport, { ...model, ok: passed, ...known });
    if (problem !== undefined) return EXIT.input;
    return passed ? EXIT.ok : EXIT.findings;
  },
});
