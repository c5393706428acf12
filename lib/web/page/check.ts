import type { CheckDocument, CheckOnKernel, Finding } from '../page-data.js';
import { type Context, linkTo } from './context.js';
import { type Child, code, h, kindOf, section, sentence } from './dom.js';
import { evidenceOf, verdictTable } from './function.js';

type Program = NonNullable<CheckOnKernel['programs']>[number];

/** BPF objects on kernels: a matrix, and behind each cell what it rests on. */
export async function checkView(context: Context): Promise<Child[]> {
  const { store, subject, query } = context;
  const { objects, notTold, loader } = await store.load<CheckDocument>(subject, 'document');
  const at = (query.get('at') ?? '').split('.').map(Number);
  const [object, kernel, program] = at;
  const chosen = at.length === 3 ? objects[object!]?.kernels[kernel!] : undefined;
  const outcomes = ['passes', 'fails', 'open'];
  return [
    h('h1', {}, 'BPF objects on kernels'),
    h(
      'p',
      { class: 'legend' },
      ...outcomes.map(outcome => h('span', { class: `key ${kindOf(outcome)}` }, outcome)),
      'A cell leads to what it rests on.',
    ),
    ...(chosen === undefined ? [] : [detail(chosen, program!)]),
    ...objects.map((each, i) =>
      section(each.offset === 0 ? each.path : `${each.path}+0x${each.offset.toString(16)}`, matrix(context, each.kernels, i)),
    ),
    h('p', { class: 'dim' }, `As ${loader} loads them. ${notTold}.`),
  ];
}

function matrix({ subject }: Context, kernels: readonly CheckOnKernel[], object: number): HTMLElement {
  const programs = kernels.find(check => check.programs !== undefined)?.programs ?? [];
  if (programs.length === 0) return sentence(kernels.map(({ unreadable }) => unreadable ?? 'The object has no program.').join(' '));
  const cell = (check: CheckOnKernel, column: number, row: number): HTMLElement => {
    const program = check.programs?.[row];
    if (program === undefined) return h('td', { class: 'open' }, 'unreadable');
    const text = codesOf(program, check.findings ?? []).join(', ');
    return h(
      'td',
      { class: `cell ${kindOf(program.outcome)}` },
      h(
        'a',
        { href: linkTo(subject, '', { at: `${object}.${column}.${row}` }) },
        text === '' ? program.outcome : `${program.outcome}: ${text}`,
      ),
    );
  };
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Programs on kernels' },
    h(
      'table',
      { class: 'matrix' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'program'),
          ...kernels.map(({ kernel }) => h('th', { scope: 'col' }, kernel.release ?? kernel.name)),
        ),
      ),
      h(
        'tbody',
        {},
        ...programs.map(({ program, section: name, autoload }, row) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, code(program), h('div', { class: 'dim' }, autoload ? name : `${name} (not autoloaded)`)),
            ...kernels.map((check, column) => cell(check, column, row)),
          ),
        ),
      ),
    ),
  );
}

/** The reasons against a program, or conditions of it. */
function codesOf({ outcome, findings }: Program, ofObject: readonly Finding[]): string[] {
  const wanted = outcome === 'fails' ? 'refused' : outcome === 'open' ? 'open' : undefined;
  const against = [...findings, ...ofObject].filter(({ verdict }) =>
    wanted === undefined ? verdict.code.startsWith('needs-') : verdict.outcome === wanted,
  );
  return [...new Set(against.map(({ verdict }) => verdict.code))];
}

function detail(check: CheckOnKernel, row: number): HTMLElement {
  const program = check.programs?.[row];
  const name = check.kernel.release ?? check.kernel.name;
  if (program === undefined) return section(name, sentence(check.unreadable ?? 'There is no such program.'));
  const findings = [...program.findings, ...(check.findings ?? [])];
  const shown = findings.filter(({ verdict }) => verdict.code !== 'accepted');
  return section(
    `${program.program} on ${name}: ${program.outcome}`,
    ...(shown.length === 0
      ? [sentence(`All ${findings.length} things that it needs are there.`)]
      : [
          verdictTable(Object.fromEntries(shown.map(({ subject, verdict }) => [subject, verdict])), 'what it needs'),
          evidenceOf(shown.map(({ verdict }) => verdict)),
        ]),
  );
}
