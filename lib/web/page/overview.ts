import { MECHANISM_WORDS, MECHANISMS, type Mechanism } from '../../fleet/rows/mechanisms.js';
import type { AuditData, Overview, Problem, Tally } from '../page-data.js';
import { bars, countVerdicts, shares } from './bars.js';
import { type Context, columnOf, linkTo, pause } from './context.js';
import { type Child, facts, h, section, sentence } from './dom.js';

/** What the kernel is, what each mechanism refuses and why, and why BTF lacks functions. */
export async function overviewView(context: Context): Promise<Child[]> {
  const { store, subject } = context;
  const { banner, notes, facts: known } = await store.load<Overview>(subject, 'overview');
  const rest = h('div', {}, h('p', { class: 'dim' }, 'Asking about all functions …'));
  // What is known at once is shown at once.
  void pictures(context).then(
    children => rest.replaceChildren(...(children.filter(child => child !== undefined) as Node[])),
    (error: Error) => rest.replaceChildren(sentence(error.message)),
  );
  return [
    h('h1', {}, banner),
    ...notes.map(sentence),
    rest,
    section(
      'What is known of it, and where from',
      facts(known.map(([what, value, source]) => [what, value, h('span', { class: 'dim' }, source)])),
    ),
  ];
}

async function pictures(context: Context): Promise<Child[]> {
  const { store, subject } = context;
  const columns = new Map<Mechanism, Awaited<ReturnType<typeof columnOf<Mechanism>>>>();
  for (const mechanism of MECHANISMS) columns.set(mechanism, await columnOf(context, mechanism));
  const audit = await store.load<AuditData | Problem>(subject, 'audit');
  const reasons: Child[] = [];
  for (const [mechanism, column] of columns) {
    await pause();
    const bar = countVerdicts(column).map(each => ({ ...each, href: linkTo(subject, 'functions', { mechanism, code: each.code }) }));
    reasons.push(section(`${MECHANISM_WORDS[mechanism]}: what is refused, and why`, bars(bar)));
  }
  await pause();
  return [
    section(
      'What can be traced, given a function’s name',
      h('p', { class: 'legend' }, ...['accepted', 'refused', 'open'].map(kind => h('span', { class: `key ${kind}` }, kind))),
      h(
        'div',
        { class: 'mechanisms' },
        ...Array.from(columns, ([mechanism, column]) => [
          h('a', { href: linkTo(subject, 'functions', { mechanism }) }, MECHANISM_WORDS[mechanism]),
          shares(column),
        ]).flat(),
      ),
    ),
    ...('problem' in audit ? [sentence(audit.problem)] : [section('In numbers', countsOf(audit))]),
    ...reasons,
    ...('problem' in audit
      ? []
      : [
          section('kprobe by address, for every text address', tallyBars(audit.kprobeByAddress)),
          section(
            'Why BTF has no function of a name',
            audit.missingBtf.length === 0 ? sentence('None is missing, or there is no BTF.') : tallyBars(audit.missingBtf),
          ),
        ]),
  ];
}

function countsOf({ symbols, sites, btf, duplicates, sharedWithData }: AuditData): HTMLElement {
  return facts([
    ['symbols', symbols.all, `${symbols.text.toLocaleString('en')} in text (${symbols.source})`],
    ...(sites === undefined
      ? []
      : [['ftrace sites', sites.all, `${sites.freedAfterBoot.toLocaleString('en')} in code freed after boot`] as const]),
    ...(btf === undefined
      ? []
      : [['BTF functions', btf.functions, `${btf.withoutSymbol.toLocaleString('en')} without a symbol of this name`] as const]),
    ['names that functions share', duplicates.names, `by ${duplicates.functions.toLocaleString('en')} functions`],
    ['of these, first untraceable', duplicates.firstUntraceable.length, some(duplicates.firstUntraceable)],
    ['names shared with data', sharedWithData.length, some(sharedWithData)],
  ]);
}

function tallyBars(tally: readonly Tally[]): HTMLElement {
  return bars(tally.map(({ code, count }) => ({ code, count, kind: code === 'accepted' ? 'accepted' : 'refused' })));
}

function some(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} …` : names.join(', ');
}
