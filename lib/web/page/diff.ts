import type { DiffDocument } from '../page-data.js';
import { type Context, linkTo } from './context.js';
import { type Child, h, search, select, sentence } from './dom.js';
import { pagedTable, type Shown } from './table.js';

/** What effects are called, and their colours. */
const EFFECTS: Readonly<Record<string, readonly [title: string, kind: string]>> = {
  breaks: ['breaks programs', 'refused'],
  changes: ['to be looked at', 'open'],
  adds: ['new', 'accepted'],
};

interface Ask extends Shown {
  readonly name: string;
  readonly kind: string;
  readonly effect: string;
}

/** What differs between two kernels. */
export async function diffView(context: Context): Promise<Child[]> {
  const { store, subject, query } = context;
  const { old, new: now, notes, counts, changes } = await store.load<DiffDocument>(subject, 'document');
  let ask: Ask = { name: query.get('name') ?? '', kind: query.get('kind') ?? '', effect: query.get('effect') ?? '', sort: '', from: 0 };
  const list = h('div');
  const show = (change: Partial<Ask>): void => {
    ask = { ...ask, from: 0, ...change };
    context.remember({ ...ask });
    list.replaceChildren(...(table() as Node[]));
  };
  const table = (): Child[] => {
    const wanted = ask.name.toLowerCase();
    const rows = changes.flatMap(({ kind, effect, name }, row) =>
      (ask.kind === '' || kind === ask.kind) && (ask.effect === '' || effect === ask.effect) && name.toLowerCase().includes(wanted)
        ? [row]
        : [],
    );
    return pagedTable(
      'Differences',
      [
        { title: 'kind' },
        { title: 'name', className: 'code' },
        { title: 'change' },
        { title: 'old', className: 'code wide' },
        { title: 'new', className: 'code wide' },
        { title: 'why', className: 'wide' },
      ],
      rows,
      row => {
        const { kind, change, effect, name, module, field, old: before, new: after, says } = changes[row]!;
        const what = field === undefined ? change : `${change}: ${field}`;
        return [
          kind,
          module === undefined || module === name ? name : `${module}:${name}`,
          h('span', { class: EFFECTS[effect]?.[1] ?? '' }, what),
          before ?? '',
          after ?? '',
          says ?? '',
        ];
      },
      ask,
      show,
    );
  };
  list.append(...(table() as Node[]));
  const kinds = Object.keys(counts);
  return [
    h('h1', {}, `${old.release ?? old.name} → ${now.release ?? now.name}`),
    ...notes.map(sentence),
    changes.length === 0 ? sentence('No difference.') : summary(context, counts),
    h(
      'div',
      { class: 'tools' },
      search('name contains', ask.name, name => show({ name })),
      select('kind', { '': 'any', ...Object.fromEntries(kinds.map(kind => [kind, kind])) }, ask.kind, kind => show({ kind })),
      select(
        'effect',
        { '': 'any', ...Object.fromEntries(Object.entries(EFFECTS).map(([effect, [title]]) => [effect, title])) },
        ask.effect,
        effect => show({ effect }),
      ),
    ),
    list,
  ];
}

/** How many changes of each kind do what, as a heat map that leads to them. */
function summary({ subject }: Context, counts: DiffDocument['counts']): HTMLElement {
  const most = Math.max(1, ...Object.values(counts).flatMap(row => Object.values(row)));
  const cell = (kind: string, effect: string, count: number): HTMLElement => {
    const level = count === 0 ? 0 : 1 + Math.round((3 * Math.log(count)) / Math.log(Math.max(2, most)));
    return h(
      'td',
      { class: `number heat${level} ${EFFECTS[effect]![1]}` },
      count === 0 ? '' : h('a', { href: linkTo(subject, '', { kind, effect }) }, count),
    );
  };
  const table = h(
    'table',
    { class: 'matrix' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, 'kind'),
        ...Object.values(EFFECTS).map(([title]) => h('th', { scope: 'col', class: 'number' }, title)),
      ),
    ),
    h(
      'tbody',
      {},
      ...Object.entries(counts).map(([kind, row]) =>
        h('tr', {}, h('th', { scope: 'row' }, kind), ...Object.keys(EFFECTS).map(effect => cell(kind, effect, row[effect] ?? 0))),
      ),
    ),
  );
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Differences by kind' }, table);
}
