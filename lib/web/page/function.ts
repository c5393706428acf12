import type {
  AttachDocument,
  Evidence,
  FunctionAnswers,
  FunctionFacts,
  Problem,
  TraceDocument,
  Verdict,
  WhyDocument,
} from '../page-data.js';
import { type Context, columnOf, functionLink, titleOf } from './context.js';
import { type Child, code, copyable, facts, h, kindOf, section, sentence } from './dom.js';

/** The verdicts of a name, by the path of each in an answer of `kelf trace`. */
const BY_NAME: Readonly<Record<string, string>> = {
  'kprobe.byName': 'kprobe',
  'kretprobe.byName': 'kretprobe',
  'fentry.load': 'fentry load',
  'fentry.attach': 'fentry attach',
  'fexit.load': 'fexit load',
  'fexit.attach': 'fexit attach',
  'fmodRet.load': 'fmod_ret load',
  'fmodRet.attach': 'fmod_ret attach',
  'kprobeMulti.byName': 'kprobe.multi',
  'fprobe.byName': 'fprobe event',
  'ftrace.byName': 'ftrace filter',
};
const NEIGHBOURS = 3;

/** What `kelf trace`, `why` and `attach` say of a function, a place, a tracepoint or a system call. */
export async function functionView(context: Context): Promise<Child[]> {
  const { store, subject, name } = context;
  const { trace, why, attach } = await store.load<FunctionAnswers>(subject, `answers/${name}`);
  const beside = h('div');
  void neighbours(context).then(
    children => beside.replaceChildren(...(children as Node[])),
    () => beside.remove(),
  );
  return [h('h1', {}, code(name)), ...prototypeOf(attach), ...ofTrace(trace), ...ofAttach(attach), ...ofWhy(why), beside];
}

function prototypeOf(attach: AttachDocument | Problem): Child[] {
  if ('problem' in attach) return [];
  const prototypes = attach.answers.flatMap(({ functions }) => functions.flatMap(({ signature }) => signature?.prototype ?? []));
  return [...new Set(prototypes)].map(prototype => h('p', { class: 'prototype' }, code(prototype)));
}

function ofTrace(trace: TraceDocument | Problem): Child[] {
  if ('problem' in trace) return [sentence(trace.problem)];
  const { answers, places = [], tracepoints = [], syscalls = [] } = trace;
  return [
    ...syscalls.map(({ name, symbols }) =>
      sentence(`The system call ${name} enters by ${symbols.map(({ symbol }) => symbol).join(', ')}.`),
    ),
    ...answers.flatMap(answer => answerOf(answer, answers.length > 1)),
    ...places.map(({ text, address, function: row, offset, beyond, kprobe, kretprobe }) =>
      section(
        'A probe at this place',
        row === undefined
          ? undefined
          : h('p', {}, code(`${row.name}+0x${(offset ?? 0).toString(16)}`), address === text ? '' : ` at ${address ?? ''}`),
        beyond === undefined
          ? undefined
          : sentence(`${beyond.name} is ${beyond.extent ?? ''} bytes long: the place is in another function.`),
        verdictTable({ kprobe, kretprobe }),
        evidenceOf([kprobe, kretprobe]),
      ),
    ),
    ...tracepoints.map(({ name, found, rawTracepoint, tpBtf, event }) =>
      section(
        found === undefined
          ? 'No tracepoint or event has this name'
          : `${found.tracepoint ? 'Tracepoint' : 'Event'} ${found.system === undefined ? '' : `${found.system}:`}${name}`,
        found?.prototype === undefined ? undefined : h('p', { class: 'prototype' }, code(found.prototype)),
        verdictTable({ raw_tracepoint: rawTracepoint, tp_btf: tpBtf, 'tracefs event': event }),
        evidenceOf([rawTracepoint, tpBtf, event]),
      ),
    ),
  ];
}

function answerOf(answer: TraceDocument['answers'][number], named: boolean): Child[] {
  const byName: Record<string, Verdict> = {};
  for (const [path, mechanism] of Object.entries(BY_NAME)) {
    const [group, kind] = path.split('.');
    const verdict = (answer[group!] as Readonly<Record<string, Verdict>> | undefined)?.[kind!];
    if (verdict !== undefined) byName[mechanism] = verdict;
  }
  const { functions } = answer;
  return [
    section(
      `What happens to a program that uses the name${named ? ` ${answer.name}` : ''}`,
      verdictTable(byName),
      evidenceOf(Object.values(byName)),
    ),
    ...functions.map((row, i) => {
      const { function: fact, ...verdicts } = row as { readonly function: FunctionFacts } & Readonly<Record<string, Verdict>>;
      const title = functions.length > 1 ? `Function ${i + 1} of ${functions.length} with the name` : 'The function';
      return section(title, factsOf(fact), verdictTable(verdicts as Readonly<Record<string, Verdict>>));
    }),
  ];
}

function factsOf({ address, anchor, size, extent, letter, file, module, section: part }: FunctionFacts): HTMLElement {
  return facts([
    ['address', code(address ?? `${module ?? ''}:${part ?? ''}`)],
    ...(anchor === undefined ? [] : [['place on every boot', code(anchor)] as const]),
    ['bytes', size ?? extent ?? 'unknown'],
    ['letter', code(letter)],
    ['source file', file ?? 'unknown'],
  ]);
}

/** A row for each verdict; those next to each other that fare alike share one. @param of what they are about */
export function verdictTable(verdicts: Readonly<Record<string, Verdict>>, of = 'mechanism'): HTMLElement {
  const rows: { names: string[]; verdict: Verdict }[] = [];
  for (const [name, verdict] of Object.entries(verdicts)) {
    const last = rows.at(-1);
    const { outcome, code: reason, errno, certainty } = verdict;
    const alike =
      last !== undefined &&
      last.verdict.outcome === outcome &&
      last.verdict.code === reason &&
      last.verdict.errno === errno &&
      last.verdict.certainty === certainty;
    if (alike) last.names.push(name);
    else rows.push({ names: [name], verdict });
  }
  return h(
    'table',
    { class: 'verdicts' },
    h('thead', {}, h('tr', {}, ...[of, 'answer', 'reason'].map(title => h('th', { scope: 'col' }, title)))),
    h(
      'tbody',
      {},
      ...rows.map(({ names, verdict: { outcome, code: reason, errno, certainty } }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, names.join(', ')),
          h('td', { class: kindOf(outcome) }, `${outcome}${certainty === 'likely' ? ' (likely)' : ''}`),
          h(
            'td',
            {},
            reason === 'accepted' ? '' : code(reason),
            reason === 'accepted' ? '' : ` ${titleOf(reason)}`,
            errno === undefined ? '' : ` (${errno})`,
          ),
        ),
      ),
    ),
  );
}

/** What verdicts rest on, each sentence once. */
export function evidenceOf(verdicts: readonly { readonly because: readonly Evidence[] }[]): HTMLElement {
  const lines = new Set<string>();
  for (const { because } of verdicts) for (const each of because) lines.add(evidenceLine(each));
  return h(
    'details',
    { open: '' },
    h('summary', {}, 'Because'),
    h('ul', { class: 'evidence' }, ...Array.from(lines, line => h('li', {}, line))),
  );
}

function evidenceLine({ source, address, says }: Evidence): string {
  return address === undefined ? `${source}: ${says}` : `${source} ${address}: ${says}`;
}

function ofAttach(attach: AttachDocument | Problem): Child[] {
  if ('problem' in attach) return [section('How to attach', sentence(attach.problem))];
  const recipes = attach.answers.flatMap(({ functions }) => functions);
  return recipes.map(({ lines, notes, instead, fentry, function: row }) =>
    section(
      recipes.length > 1 ? `How to attach to the one at ${row.anchor ?? row.address ?? row.module ?? ''}` : 'How to attach',
      ...notes.map(says => sentence(says)),
      ...instead.map(says => sentence(`Instead: ${says}`)),
      ...Object.entries(lines).flatMap(([form, { entry, return: returned }]) => {
        const written = [entry ?? [], returned ?? []].flat();
        return written.length === 0 ? [] : [h('h3', {}, form), copyable(written)];
      }),
      ...(fentry === undefined ? [] : [h('h3', {}, 'fentry'), copyable(fentry)]),
    ),
  );
}

function ofWhy(why: WhyDocument | Problem): Child[] {
  if ('problem' in why) return [section('In BTF', sentence(why.problem))];
  return why.answers.map(answer =>
    section(
      answer.code === 'btf-present' ? 'In BTF' : 'Why BTF does not have it',
      h('p', {}, code(answer.code), ` ${titleOf(answer.code)} (${answer.certainty})`),
      evidenceOf([answer]),
      answer.alternatives.length === 0
        ? undefined
        : h(
            'p',
            {},
            `It depends on the pahole that made the BTF: ${answer.alternatives.map(each => `${each.pahole}: ${each.code}`).join('; ')}`,
          ),
      ...answer.instead.map(({ prototype, says }) => h('p', {}, 'Traceable instead: ', code(prototype), ` (${says})`)),
    ),
  );
}

/** The functions beside it by place. */
async function neighbours(context: Context): Promise<Child[]> {
  const names = await columnOf(context, 'name');
  const row = names.indexOf(context.name);
  const anchor = await columnOf(context, 'anchor');
  const here = anchor[row] ?? -1;
  if (here < 0) return [];
  const near = Array.from({ length: anchor.length }, (_, at) => at).filter(at => anchor[at]! >= 0 && anchor[at]! !== here);
  const side = (rows: number[], order: (a: number, b: number) => number): number[] => rows.sort(order).slice(0, NEIGHBOURS);
  const before = side(
    near.filter(at => anchor[at]! < here),
    (a, b) => anchor[b]! - anchor[a]!,
  ).reverse();
  const after = side(
    near.filter(at => anchor[at]! > here),
    (a, b) => anchor[a]! - anchor[b]!,
  );
  const item = (at: number): HTMLElement => h('li', {}, h('a', { href: functionLink(context.subject, names[at]!) }, code(names[at]!)));
  return [section('Beside it', h('ul', {}, ...[...before, ...after].map(item)))];
}
