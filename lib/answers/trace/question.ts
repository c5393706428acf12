import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type NameInModules, traceInModule } from './in-modules.js';
import { type SyscallSymbol, syscallSymbols } from './syscall.js';
import { type PlaceAnswer, type TraceabilityAnswer, traceabilityOf } from './traceability.js';
import { type TracepointAnswer, tracepointAnswer, tracepointName } from './tracepoint.js';

// What a text may ask about: `tracepoint:sched_switch`, `do_exit+0x12`, `0xffffffff81000000`, `syscall:execve`, `execve`, `do_exit`.

/** A system call, and the functions that it enters by. */
export interface AskedSyscall {
  readonly name: string;
  readonly symbols: readonly SyscallSymbol[];
}

/** What one text asks about: a function, a place, a tracepoint, or a system call with the functions that it enters by. */
export interface TraceQuestion {
  readonly answers: readonly TraceabilityAnswer[];
  readonly place?: PlaceAnswer;
  readonly tracepoint?: TracepointAnswer;
  readonly syscall?: AskedSyscall;
  /** The functions of one module, asked for as MODULE:NAME. */
  readonly inModule?: AskedInModule;
}

/** What MODULE:NAME asks about. */
export interface AskedInModule extends NameInModules {
  readonly name: string;
}

/** The question in a text, with its answers. */
export function traceQuestion(kernel: KernelFacts, text: string): TraceQuestion {
  const event = tracepointName(text);
  if (event !== undefined) return { answers: [], tracepoint: tracepointAnswer(kernel, event) };
  const traceability = traceabilityOf(kernel);
  const place = traceability.place(text);
  if (place !== undefined) return { answers: [], place };
  const inModule = traceInModule(kernel, text);
  if (inModule !== undefined) return { answers: [], inModule: { name: text, ...inModule } };
  const name = syscallName(text);
  const own: TraceQuestion = { answers: [traceability.answer(name)] };
  const syscall = name === text && isFound(own) ? undefined : syscallOf(kernel, name);
  return syscall === undefined ? own : { answers: syscall.symbols.map(({ symbol }) => traceability.answer(symbol)), syscall };
}

/** Whether what it asks about is there. */
export function isFound({ answers, place, tracepoint, syscall, inModule }: TraceQuestion): boolean {
  return (
    syscall !== undefined ||
    inModule !== undefined ||
    tracepoint?.found !== undefined ||
    place?.address !== undefined ||
    place?.modules !== undefined ||
    answers.some(({ functions, modules }) => functions.length > 0 || (modules?.functions ?? []).length > 0)
  );
}

/** The functions that a text asks about, where it can be no other thing: a system call stands for those that it enters by. */
export function askedFunctions(kernel: KernelFacts, text: string): string[] {
  const name = syscallName(text);
  if (name === text && (kernel.symbolsMissing !== undefined || kernel.functions.find(name).length > 0)) return [name];
  return syscallOf(kernel, name)?.symbols.map(({ symbol }) => symbol) ?? [text];
}

/** The text without the mark of a system call. A name has none where a function comes first. */
function syscallName(text: string): string {
  return text.replace(/^syscall:/, '');
}

function syscallOf(kernel: KernelFacts, name: string): AskedSyscall | undefined {
  const symbols = syscallSymbols(kernel, name);
  return symbols.length === 0 ? undefined : { name, symbols };
}
