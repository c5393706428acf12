import { MECHANISM_WORDS, type Mechanism } from '../../fleet/rows/mechanisms.js';
import type { Column } from '../page-data.js';
import { type Context, columnOf, functionLink, hex, mechanismOf, pause } from './context.js';
import { type Child, code, h, kindOf, search, select } from './dom.js';
import { pagedTable, type Shown } from './table.js';

/** What the table is asked, as it stands in the address. */
interface Ask extends Shown {
  readonly name: string;
  readonly mechanism: Mechanism;
  readonly code: string;
  /** A directory of sources. */
  readonly under: string;
}

/** All functions, to filter and sort. */
export async function functionsView(context: Context): Promise<Child[]> {
  const { query, subject } = context;
  let ask: Ask = {
    name: query.get('name') ?? '',
    mechanism: mechanismOf(query.get('mechanism')),
    code: query.get('code') ?? '',
    under: query.get('under') ?? '',
    sort: query.get('sort') ?? 'name',
    from: Math.max(0, Number.parseInt(query.get('from') ?? '0', 10) || 0),
  };
  const names = await columnOf(context, 'name');
  const lower = names.map(name => name.toLowerCase());
  const anchor = await columnOf(context, 'anchor');
  const size = await columnOf(context, 'size');
  const file = await columnOf(context, 'file');
  let verdicts = await columnOf(context, ask.mechanism);
  // Debug information takes seconds to read: files are told without their directories until it is.
  let unit: Column<string | null> =
    ask.under === '' ? { codes: new Uint32Array(names.length), values: [null] } : await columnOf(context, 'unit');
  const list = h('div');
  const choice = h('span', { class: 'tools' });

  const rows = (): number[] => {
    const wanted = ask.name.toLowerCase();
    const codes = verdicts.values.map(verdict => ask.code === '' || verdict.code === ask.code);
    const units = unit.values.map(path => ask.under === '' || (path !== null && (path === ask.under || path.startsWith(`${ask.under}/`))));
    const found: number[] = [];
    for (let row = 0; row < names.length; row++)
      if (codes[verdicts.codes[row]!] && units[unit.codes[row]!] && lower[row]!.includes(wanted)) found.push(row);
    // The rows are in the order of names already.
    if (ask.sort === 'size') found.sort((a, b) => size[b]! - size[a]!);
    if (ask.sort === 'place') found.sort((a, b) => place(anchor[a]!) - place(anchor[b]!) || a - b);
    return found;
  };
  const rowOf = (row: number): Child[] => {
    const verdict = verdicts.values[verdicts.codes[row]!]!;
    return [
      h('a', { href: functionLink(subject, names[row]!) }, names[row]!),
      anchor[row]! < 0 ? '' : hex(anchor[row]!),
      size[row]! < 0 ? '' : size[row]!,
      unit.values[unit.codes[row]!] ?? file.values[file.codes[row]!] ?? '',
      h('span', { class: kindOf(verdict.outcome) }, verdict.code),
    ];
  };
  const show = async (change: Partial<Ask>): Promise<void> => {
    ask = { ...ask, from: 0, ...change };
    verdicts = await columnOf(context, ask.mechanism);
    context.remember({ ...ask });
    choice.replaceChildren(codeChoice());
    list.replaceChildren(...(table() as Node[]));
  };
  const codeChoice = (): HTMLElement => {
    const codes = [...new Set(verdicts.values.map(verdict => verdict.code))].sort();
    return select(
      'verdict',
      { '': 'any', ...Object.fromEntries(codes.map(each => [each, each])) },
      ask.code,
      value => void show({ code: value }),
    );
  };
  const table = (): Child[] =>
    pagedTable(
      'Functions',
      [
        { title: 'name', sort: 'name', className: 'code' },
        { title: 'place after _stext', sort: 'place', className: 'code number wide' },
        { title: 'bytes', sort: 'size', className: 'number wide' },
        { title: 'file', className: 'code wide' },
        { title: MECHANISM_WORDS[ask.mechanism], className: 'code' },
      ],
      rows(),
      rowOf,
      ask,
      change => void show(change),
    );
  void columnOf(context, 'unit').then(column => {
    unit = column;
    if (list.isConnected) list.replaceChildren(...(table() as Node[]));
  });
  choice.append(codeChoice());
  await pause();
  list.append(...(table() as Node[]));
  return [
    h('h1', {}, 'Functions'),
    ask.under === '' ? undefined : h('p', {}, 'Of ', code(ask.under)),
    h(
      'div',
      { class: 'tools' },
      search('name contains', ask.name, name => void show({ name })),
      select('mechanism', MECHANISM_WORDS, ask.mechanism, value => void show({ mechanism: mechanismOf(value), code: '' })),
      choice,
    ),
    list,
  ];
}

/** What is nowhere comes last. */
function place(anchor: number): number {
  return anchor < 0 ? Number.POSITIVE_INFINITY : anchor;
}
