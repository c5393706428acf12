import type { TraceabilityAnswer } from '../../answers/traceability.js';
import { toJson } from '../../report/json.js';
import { evidenceLines, functionCells, table, verdictCells } from '../../report/text.js';
import { type Command, command, EXIT } from '../command.js';
import { KERNEL_OPTIONS, kernelId, withKernel } from '../kernel.js';

export const trace: Command<typeof KERNEL_OPTIONS> = command({
  usage: 'FILE NAME… [--json]',
  arity: [2, 1000],
  about: `Says of each function whether kprobes, return probes, fentry, multi kprobes and ftrace can trace it on this kernel: by its name, and by
the address of each function that bears the name. A refusal comes with the errno and what it rests on.`,
  options: KERNEL_OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args[0]!, options, note, kernel => {
      const answers = args.slice(1).map(name => kernel.traceability(name));
      if (options.json) out.line(toJson({ schema: 'kelf/trace', version: 1, kernel: kernelId(kernel), answers }));
      else for (const answer of answers) for (const line of traceLines(answer)) out.line(line);
      return answers.every(({ functions }) => functions.length === 0) ? EXIT.missing : EXIT.ok;
    }),
});

function traceLines(answer: TraceabilityAnswer): string[] {
  const { name, kprobe, kretprobe, fentry, fexit, kprobeMulti, ftrace, functions } = answer;
  const byName = {
    kprobe: kprobe.byName,
    kretprobe: kretprobe.byName,
    'fentry load': fentry.load,
    'fentry attach': fentry.attach,
    'fexit load': fexit.load,
    'fexit attach': fexit.attach,
    'kprobe.multi': kprobeMulti.byName,
    'ftrace filter': ftrace.byName,
  };
  const count = functions.length === 1 ? 'one function' : `${functions.length} functions`;
  const verdicts = [...Object.values(byName), ...functions.flatMap(({ kprobe, kretprobe, ftrace }) => [kprobe, kretprobe, ftrace])];
  return [
    `${name}: ${count} of that name`,
    '  by name',
    ...table(
      Object.entries(byName).map(([mechanism, verdict]) => [mechanism, ...verdictCells(verdict)]),
      '    ',
    ),
    ...functions.flatMap(({ function: row, kprobe, kretprobe, ftrace }) => [
      `  ${functionCells(row).filter(Boolean).join('  ')}`,
      ...table(
        Object.entries({ kprobe, kretprobe, ftrace }).map(([mechanism, verdict]) => [mechanism, ...verdictCells(verdict)]),
        '    ',
      ),
    ]),
    '  because',
    ...evidenceLines(verdicts).map(line => `    ${line}`),
    '',
  ];
}
