import { type SyscallSymbol, syscallSymbols } from '../../answers/trace/syscall.js';
import type { PlaceAnswer, TraceabilityAnswer } from '../../answers/trace/traceability.js';
import { type TracepointAnswer, tracepointAnswer, tracepointName } from '../../answers/trace/tracepoint.js';
import type { Kernel } from '../../kernel.js';
import { toJson } from '../../report/json.js';
import { placeLines, traceLines, tracepointLines } from '../../report/trace.js';
import { type Command, command, EXIT } from '../command.js';
import { expectNames, KERNEL_OPTIONS, kernelId, MODULES_OPTION, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & { readonly modules: typeof MODULES_OPTION } = { ...KERNEL_OPTIONS, modules: MODULES_OPTION };

export const trace: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [1, 1000],
  about: `Says of each function whether kprobes, return probes, fentry, fexit, fmod_ret, multi kprobes, fprobe and ftrace can trace it on this kernel:
by its name, and by the address of each function that bears the name. A refusal comes with the errno and what it rests on.
A NAME may also be a place (do_exit+0x12, 0xffffffff81000000), a tracepoint (tracepoint:sched_switch), or a system call (execve, or
syscall:execve), which stands for the functions that it enters by.
With --modules, of functions in modules too, and what a name means once these are loaded.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, options, note, (kernel, names) => {
      expectNames(names);
      const asked = names.map(name => ask(kernel, name));
      const answers = asked.flatMap(({ answers }) => answers);
      const places = asked.flatMap(({ place }) => place ?? []);
      const tracepoints = asked.flatMap(({ tracepoint }) => tracepoint ?? []);
      const syscalls = asked.flatMap(({ syscall }) => syscall ?? []);
      if (options.json) {
        const more = Object.entries({ places, tracepoints, syscalls }).filter(([, list]) => list.length > 0);
        out.line(toJson({ schema: 'kelf/trace', version: 2, kernel: kernelId(kernel), answers, ...Object.fromEntries(more) }));
      } else for (const one of asked) for (const line of linesOf(one)) out.line(line);
      return asked.some(({ found }) => found) ? EXIT.ok : EXIT.missing;
    }),
});

/** What one argument asks for. */
interface Asked {
  readonly found: boolean;
  readonly answers: readonly TraceabilityAnswer[];
  readonly place?: PlaceAnswer;
  readonly tracepoint?: TracepointAnswer;
  readonly syscall?: { readonly name: string; readonly symbols: readonly SyscallSymbol[] };
}

function ask(kernel: Kernel, text: string): Asked {
  const event = tracepointName(text);
  if (event !== undefined) {
    const tracepoint = tracepointAnswer(kernel, event);
    return { found: tracepoint.found !== undefined, answers: [], tracepoint };
  }
  const place = kernel.place(text);
  if (place !== undefined) return { found: place.address !== undefined, answers: [], place };
  const name = text.replace(/^syscall:/, '');
  const answer = kernel.traceability(name);
  const exists = answer.functions.length > 0 || (answer.modules?.functions ?? []).length > 0;
  if (exists && name === text) return { found: true, answers: [answer] };
  const symbols = syscallSymbols(kernel, name);
  if (symbols.length === 0) return { found: exists, answers: [answer] };
  return { found: true, answers: symbols.map(({ symbol }) => kernel.traceability(symbol)), syscall: { name, symbols } };
}

function linesOf({ answers, place, tracepoint, syscall }: Asked): string[] {
  return [
    ...(syscall === undefined ? [] : syscallLines(syscall)),
    ...answers.flatMap(traceLines),
    ...(place === undefined ? [] : placeLines(place)),
    ...(tracepoint === undefined ? [] : tracepointLines(tracepoint)),
  ];
}

function syscallLines({ name, symbols }: NonNullable<Asked['syscall']>): string[] {
  return symbols.map(({ symbol, takesRegisters }) => {
    const takes = takesRegisters ? 'takes one argument, the registers of the caller (struct pt_regs *)' : 'takes the arguments as they are';
    return `system call ${name}: ${symbol} ${takes}`;
  });
}
