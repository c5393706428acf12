import type { TraceabilityAnswer } from '../../answers/traceability.js';
import { toJson } from '../../report/json.js';
import { evidenceLines, functionCells, verdictRows } from '../../report/text.js';
import { type Command, command, EXIT } from '../command.js';
import { expectNames, KERNEL_OPTIONS, kernelId, withKernel } from '../kernel.js';

export const trace: Command<typeof KERNEL_OPTIONS> = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [1, 1000],
  about: `Says of each function whether kprobes, return probes, fentry, multi kprobes and ftrace can trace it on this kernel: by its name, and by
the address of each function that bears the name. A refusal comes with the errno and what it rests on.`,
  options: KERNEL_OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, options, note, (kernel, names) => {
      expectNames(names);
      const answers = names.map(name => kernel.traceability(name));
      if (options.json) out.line(toJson({ schema: 'kelf/trace', version: 1, kernel: kernelId(kernel), answers }));
      else for (const answer of answers) for (const line of traceLines(answer)) out.line(line);
      return answers.every(({ functions }) => functions.length === 0) ? EXIT.missing : EXIT.ok;
    }),
});

/** Where a name is refused for being ambiguous: the same functions by their places, which no other symbol shares. */
function anchorLines({ kprobe, functions }: TraceabilityAnswer): string[] {
  if (kprobe.byName.code !== 'ambiguous-name') return [];
  const places = functions.filter(({ kprobe, function: { anchor } }) => kprobe.ok && anchor !== undefined);
  return places.length === 0 ? [] : ['  one of them alone, by its place', ...places.map(({ function: { anchor } }) => `    p:${anchor}`)];
}

function traceLines(answer: TraceabilityAnswer): string[] {
  const { name, kprobe, kretprobe, fentry, fexit, kprobeMulti, ftrace, functions } = answer;
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
  if (functions.length === 0) return [`${name}: no function of that name`, ...evidenceLines([kprobe.byName]).map(line => `  ${line}`), ''];
  const count = functions.length === 1 ? 'one function' : `${functions.length} functions`;
  const verdicts = [...Object.values(byName), ...functions.flatMap(({ kprobe, kretprobe, ftrace }) => [kprobe, kretprobe, ftrace])];
  return [
    `${name}: ${count} of that name`,
    '  by name',
    ...verdictRows(byName, '    '),
    ...functions.flatMap(({ function: row, kprobe, kretprobe, ftrace }) => [
      `  ${functionCells(row).filter(Boolean).join('  ')}`,
      ...verdictRows({ kprobe, kretprobe, ftrace }, '    '),
    ]),
    ...anchorLines(answer),
    '  because',
    ...evidenceLines(verdicts).map(line => `    ${line}`),
    '',
  ];
}
