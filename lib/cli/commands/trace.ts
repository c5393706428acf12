import type { NameInModules } from '../../answers/in-modules.js';
import type { TraceabilityAnswer } from '../../answers/traceability.js';
import type { Verdict } from '../../evidence.js';
import { toJson } from '../../report/json.js';
import { evidenceLines, functionCells, moduleCells, verdictRows } from '../../report/text.js';
import { type Command, command, EXIT } from '../command.js';
import { expectNames, KERNEL_OPTIONS, kernelId, MODULES_OPTION, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & { readonly modules: typeof MODULES_OPTION } = { ...KERNEL_OPTIONS, modules: MODULES_OPTION };

export const trace: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [1, 1000],
  about: `Says of each function whether kprobes, return probes, fentry, multi kprobes and ftrace can trace it on this kernel: by its name, and by
the address of each function that bears the name. A refusal comes with the errno and what it rests on.
With --modules, of functions in modules too, and what a name means once these are loaded.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, options, note, (kernel, names) => {
      expectNames(names);
      const answers = names.map(name => kernel.traceability(name));
      if (options.json) out.line(toJson({ schema: 'kelf/trace', version: 1, kernel: kernelId(kernel), answers }));
      else for (const answer of answers) for (const line of traceLines(answer)) out.line(line);
      return answers.every(({ functions, modules }) => functions.length === 0 && (modules?.functions ?? []).length === 0)
        ? EXIT.missing
        : EXIT.ok;
    }),
});

/** Where a name is refused for being ambiguous: the same functions by their places, which no other symbol shares. */
function anchorLines({ kprobe, functions }: TraceabilityAnswer): string[] {
  if (kprobe.byName.code !== 'ambiguous-name') return [];
  const places = functions.filter(({ kprobe, function: { anchor } }) => kprobe.ok && anchor !== undefined);
  return places.length === 0 ? [] : ['  one of them alone, by its place', ...places.map(({ function: { anchor } }) => `    p:${anchor}`)];
}

function traceLines(answer: TraceabilityAnswer): string[] {
  const { name, kprobe, kretprobe, fentry, fexit, kprobeMulti, ftrace, functions, modules } = answer;
  const byName = {
    kprobe: kprobe.byName,
    kretprobe: kretprobe.byName,
    'fentry load': fentry.load,
    'fexit load': fexit.load,
    'fentry attach': fentry.attach,
    'fexit attach': fexit.attach,
    'kprobe.multi': kprobeMulti.byName,
    'ftrace filter': ftrace.byName,
  };
  if (functions.length === 0 && (modules?.functions ?? []).length === 0)
    return [`${name}: no function of that name`, ...evidenceLines([kprobe.byName]).map(line => `  ${line}`), ''];
  const count = functions.length === 1 ? 'one function' : `${functions.length} functions`;
  const inModules = modules === undefined ? '' : `, ${modules.functions.length} in modules`;
  const verdicts = [...Object.values(byName), ...functions.flatMap(({ kprobe, kretprobe, ftrace }) => [kprobe, kretprobe, ftrace])];
  return [
    `${name}: ${count} of that name${inModules}`,
    '  by name',
    ...verdictRows(byName, '    '),
    ...functions.flatMap(({ function: row, kprobe, kretprobe, ftrace }) => [
      `  ${functionCells(row).filter(Boolean).join('  ')}`,
      ...verdictRows({ kprobe, kretprobe, ftrace }, '    '),
    ]),
    ...anchorLines(answer),
    ...(modules === undefined ? [] : moduleLines(modules)),
    '  because',
    ...evidenceLines([...verdicts, ...moduleVerdicts(modules)]).map(line => `    ${line}`),
    '',
  ];
}

/** More functions of modules than these are counted: every module has an init_module. */
const MOST_IN_MODULES = 8;

/** What loading modules makes of the bare name, and each function of a module. */
function moduleLines({ functions, loaded }: NameInModules): string[] {
  const shown = functions.slice(0, MOST_IN_MODULES);
  const more = functions.length - shown.length;
  const byName: Record<string, Verdict> =
    loaded === undefined
      ? {}
      : {
          'kprobe, one of these modules loaded': loaded.one,
          ...(loaded.several === undefined ? {} : { 'kprobe, several of them loaded': loaded.several }),
        };
  return [
    ...(loaded === undefined ? [] : ['  by name, with modules', ...verdictRows(byName, '    ')]),
    ...shown.flatMap(({ function: row, probe, kprobe, kretprobe, fentry, fexit, ftrace }) => [
      `  ${moduleCells(row).filter(Boolean).join('  ')}`,
      ...verdictRows(
        {
          [`p:${probe}`]: kprobe,
          [`r:${probe}`]: kretprobe,
          'fentry load': fentry.load,
          'fexit load': fexit.load,
          'fentry attach': fentry.attach,
          'fexit attach': fexit.attach,
          'ftrace filter': ftrace,
        },
        '    ',
      ),
    ]),
    ...(more > 0 ? [`  and ${more} more in modules`] : []),
  ];
}

function moduleVerdicts(modules: NameInModules | undefined): Verdict[] {
  if (modules === undefined) return [];
  const { functions, loaded } = modules;
  const byName = loaded === undefined ? [] : [loaded.one, ...(loaded.several === undefined ? [] : [loaded.several])];
  const shown = functions.slice(0, MOST_IN_MODULES);
  return [...byName, ...shown.flatMap(({ kprobe, kretprobe, fentry, ftrace }) => [kprobe, kretprobe, fentry.load, fentry.attach, ftrace])];
}
