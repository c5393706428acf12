import { isPlainName } from '../../elf/escape.js';
import type { NameInModules } from '../answers/trace/in-modules.js';
import type { Lead } from '../answers/trace/name-leads.js';
import type { AskedInModule, AskedSyscall, TraceQuestion } from '../answers/trace/question.js';
import type { PlaceAnswer, TraceabilityAnswer } from '../answers/trace/traceability.js';
import type { TracepointAnswer } from '../answers/trace/tracepoint.js';
import type { Verdict } from '../evidence.js';
import { hex } from './json.js';
import type { KernelId, Report } from './report.js';
import { evidenceLines, functionCells, functionCount, MOST_IN_MODULES, moduleCells, table, verdictRows } from './text.js';

export interface TraceModel {
  readonly kernel: KernelId;
  /** In the order of the arguments. */
  readonly questions: readonly TraceQuestion[];
}

/** `kelf trace`. JSON has the answers kind by kind; of a kind that nothing asked about, no list. */
export const traceReport: Report<TraceModel> = {
  schema: 'kelf/trace',
  version: 2,
  lists: ['answers', 'places', 'tracepoints', 'syscalls', 'inModules'],
  json: ({ kernel, questions }) => ({
    kernel,
    answers: questions.flatMap(({ answers }) => answers),
    places: some(questions.flatMap(({ place }) => place ?? [])),
    tracepoints: some(questions.flatMap(({ tracepoint }) => tracepoint ?? [])),
    syscalls: some(questions.flatMap(({ syscall }) => syscall ?? [])),
    inModules: some(questions.flatMap(({ inModule }) => inModule ?? [])),
  }),
  text: ({ questions }) =>
    questions.flatMap(({ answers, place, tracepoint, syscall, inModule }) => [
      ...(syscall === undefined ? [] : syscallLines(syscall)),
      ...answers.flatMap(traceLines),
      ...(inModule === undefined ? [] : inModuleLines(inModule)),
      ...(place === undefined ? [] : placeLines(place)),
      ...(tracepoint === undefined ? [] : tracepointLines(tracepoint)),
    ]),
};

function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function syscallLines({ name, symbols }: AskedSyscall): string[] {
  return symbols.map(({ symbol, takesRegisters }) => {
    const takes = takesRegisters ? "takes one argument: the caller's registers (struct pt_regs *)" : 'takes the arguments directly';
    return `system call ${name}: ${symbol} ${takes}`;
  });
}

/** Where a name is refused for being ambiguous: the same functions by their places, which no other symbol shares. */
function anchorLines({ kprobe, functions }: TraceabilityAnswer): string[] {
  if (kprobe.byName.code !== 'ambiguous-name') return [];
  const places = functions.filter(({ kprobe, function: { anchor } }) => kprobe.outcome === 'accepted' && anchor !== undefined);
  return places.length === 0 ? [] : ['  one of them only, by its place', ...places.map(({ function: { anchor } }) => `    p:${anchor}`)];
}

const LEADS: Readonly<Record<Lead['to'], string>> = {
  error: 'none: refused',
  lowest: 'the lowest',
  'first-traceable': 'the first with an ftrace site',
  'all-traceable': 'all with an ftrace site',
  none: 'none: no ftrace site',
};

/** Where the name leads each mechanism, for a name of several functions. */
function leadLines({ leads }: TraceabilityAnswer): string[] {
  if (leads === undefined) return [];
  const { kprobe, fentry, kprobeMulti, fprobe, ftrace } = leads;
  const each: Readonly<Record<string, Lead>> = {
    'kprobe, kretprobe': kprobe,
    'fentry, fexit, fmod_ret': fentry,
    'kprobe.multi': kprobeMulti,
    'fprobe event': fprobe,
    'ftrace filter': ftrace,
  };
  const rows = Object.entries(each).map(([mechanism, { to, addresses }]) => [mechanism, LEADS[to], addresses.map(hex).join(', ')]);
  return ['  the name leads to', ...table(rows, '    ')];
}

/** An answer about a name: what each mechanism says, and what that rests on. */
function traceLines(answer: TraceabilityAnswer): string[] {
  const { name, kprobe, kretprobe, fentry, fexit, fmodRet, kprobeMulti, fprobe, ftrace, functions, modules } = answer;
  const byName = {
    kprobe: kprobe.byName,
    kretprobe: kretprobe.byName,
    'fentry load': fentry.load,
    'fexit load': fexit.load,
    'fentry attach': fentry.attach,
    'fexit attach': fexit.attach,
    'fmod_ret load': fmodRet.load,
    'fmod_ret attach': fmodRet.attach,
    'kprobe.multi': kprobeMulti.byName,
    'fprobe event': fprobe.byName,
    'ftrace filter': ftrace.byName,
  };
  const unknown = kprobe.byName.code === 'symbols-unknown' && fentry.load.code !== 'no-btf-func';
  if (functions.length === 0 && !unknown && (modules?.functions ?? []).length === 0)
    return [
      `${name}: ${kprobe.byName.code === 'symbols-unknown' ? 'BTF has no function of this name' : 'no function has this name'}`,
      ...evidenceLines([kprobe.byName]).map(line => `  ${line}`),
      '',
    ];
  const inModules = modules === undefined ? '' : `, ${modules.functions.length} in modules`;
  const verdicts = [...Object.values(byName), ...functions.flatMap(({ kprobe, kretprobe, ftrace }) => [kprobe, kretprobe, ftrace])];
  return [
    unknown ? `${name}: BTF has a function of this name` : `${name}: ${functionCount(functions.length)} with this name${inModules}`,
    '  by name',
    ...verdictRows(byName, '    '),
    ...functions.flatMap(({ function: row, kprobe, kretprobe, ftrace }) => [
      `  ${functionCells(row).filter(Boolean).join('  ')}`,
      ...verdictRows({ kprobe, kretprobe, ftrace }, '    '),
    ]),
    ...leadLines(answer),
    ...anchorLines(answer),
    ...(modules === undefined ? [] : moduleLines(modules)),
    '  because',
    ...evidenceLines([...verdicts, ...moduleVerdicts(modules)]).map(line => `    ${line}`),
    '',
  ];
}

/** What loading modules makes of the bare name, and each function of a module. */
function moduleLines({ functions, loaded }: NameInModules): string[] {
  const shown = functions.slice(0, MOST_IN_MODULES);
  const more = functions.length - shown.length;
  const byName: Record<string, Verdict> =
    loaded === undefined
      ? {}
      : {
          'kprobe, with one of these modules loaded': loaded.one,
          ...(loaded.several === undefined ? {} : { 'kprobe, with several of them loaded': loaded.several }),
        };
  return [
    ...(loaded === undefined ? [] : ['  by name, with modules', ...verdictRows(byName, '    ')]),
    ...shown.flatMap(({ function: row, probe, kprobe, kretprobe, fentry, fexit, ftrace }) => [
      `  ${moduleCells(row).filter(Boolean).join('  ')}`,
      ...verdictRows(
        {
          [kprobe.code === 'unwritable-name' ? 'kprobe' : `p:${probe}`]: kprobe,
          [kprobe.code === 'unwritable-name' ? 'kretprobe' : `r:${probe}`]: kretprobe,
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

/** An answer about the functions of one module. */
function inModuleLines({ name, ...modules }: AskedInModule): string[] {
  return [
    `${name}: ${functionCount(modules.functions.length)} of the module with this name`,
    ...moduleLines(modules),
    '  because',
    ...evidenceLines(moduleVerdicts(modules)).map(line => `    ${line}`),
    '',
  ];
}

function moduleVerdicts(modules: NameInModules | undefined): Verdict[] {
  if (modules === undefined) return [];
  const { functions, loaded } = modules;
  const byName = loaded === undefined ? [] : [loaded.one, ...(loaded.several === undefined ? [] : [loaded.several])];
  const shown = functions.slice(0, MOST_IN_MODULES);
  return [...byName, ...shown.flatMap(({ kprobe, kretprobe, fentry, ftrace }) => [kprobe, kretprobe, fentry.load, fentry.attach, ftrace])];
}

/** An answer about a place inside of a function. */
function placeLines({ text, address, function: row, offset, kprobe, kretprobe, beyond, modules = [] }: PlaceAnswer): string[] {
  const where = row === undefined ? '' : `: ${row.name}+0x${offset!.toString(16)} of 0x${row.extent.toString(16)} bytes`;
  const shown = modules.slice(0, MOST_IN_MODULES);
  const onlyInModules = address === undefined && modules.length > 0;
  return [
    `${text}${address === undefined || text === hex(address) ? '' : ` (${hex(address)})`}${where}`,
    ...(beyond === undefined
      ? []
      : [`  warning: ${beyond.name} is 0x${beyond.extent.toString(16)} bytes long: the place is in another function`]),
    ...(onlyInModules ? [] : verdictRows({ kprobe, kretprobe }, '    ')),
    ...shown.flatMap(({ function: instance, kprobe, kretprobe }) => [
      `  ${moduleCells(instance).filter(Boolean).join('  ')}`,
      ...verdictRows({ kprobe, kretprobe }, '    '),
    ]),
    ...(modules.length > shown.length ? [`  and ${modules.length - shown.length} more in modules`] : []),
    '  because',
    ...evidenceLines([...(onlyInModules ? [] : [kprobe, kretprobe]), ...shown.flatMap(place => [place.kprobe, place.kretprobe])]).map(
      line => `    ${line}`,
    ),
    '',
  ];
}

/** An answer about a tracepoint. */
function tracepointLines({ name, found, rawTracepoint, tpBtf, event }: TracepointAnswer): string[] {
  const full = found?.system === undefined ? name : `${found.system}:${name}`;
  const kind =
    found === undefined ? 'no tracepoint or event has this name' : found.tracepoint ? 'tracepoint' : 'event without a tracepoint';
  const plain = full.split(':').every(isPlainName);
  const attach = [
    ...(event.outcome === 'accepted' ? [`tp/${full.replace(':', '/')}`] : []),
    ...(rawTracepoint.outcome === 'accepted' ? [`raw_tp/${name}`] : []),
    ...(tpBtf.outcome === 'accepted' ? [`tp_btf/${name}`] : []),
  ];
  return [
    `${full}: ${kind}`,
    ...(found?.prototype === undefined ? [] : [`  ${found.prototype}`]),
    ...verdictRows({ raw_tracepoint: rawTracepoint, tp_btf: tpBtf, 'tracefs event': event }, '    '),
    ...(attach.length === 0 || !plain ? [] : [`  attach: ${attach.map(section => `SEC("${section}")`).join(', ')}`]),
    '  because',
    ...evidenceLines([rawTracepoint, tpBtf, event]).map(line => `    ${line}`),
    '',
  ];
}
