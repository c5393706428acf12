import type { Column, PageData, Tally, Verdict } from './page-data.js';

/*
 * The page: it unpacks its data and shows one of three views, by the address after `#`. Names get into the document as text nodes alone. The file
 * is inlined as tsc writes it: it imports nothing but types.
 */

const MECHANISMS: Readonly<Record<string, string>> = {
  kprobe: 'kprobe',
  kretprobe: 'kretprobe',
  fentry: 'fentry',
  fexit: 'fexit',
  fmodRet: 'fmod_ret',
  kprobeMulti: 'kprobe.multi',
};
const PAGE_ROWS = 100;
const NEIGHBOURS = 3;

type Child = Node | string | number;

/** An element with attributes and children; texts become text nodes. */
function h(tag: string, attributes: Readonly<Record<string, string>> = {}, ...children: readonly Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map(child => (typeof child === 'number' ? child.toLocaleString('en') : child)));
  return element;
}

function cell<T>({ codes, values }: Column<T>, row: number): T {
  return values[codes[row]!]!;
}

async function unpack(base64: string): Promise<PageData> {
  const bytes = Uint8Array.from(atob(base64), char => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return (await new Response(stream).json()) as PageData;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Bars, the longest first: what they count, how many, and where the functions are listed. */
interface Bar {
  readonly code: string;
  readonly kind: string;
  readonly count: number;
  readonly href?: string;
}

function bars(list: readonly Bar[], titles: PageData['reasons']): HTMLElement {
  const most = Math.max(1, ...list.map(({ count }) => count));
  const cells = list.flatMap(({ code, kind, count, href }) => [
    h(
      'div',
      {},
      href === undefined ? h('code', {}, code) : h('a', { href }, h('code', {}, code)),
      h('div', { class: 'dim' }, titles[code] ?? ''),
    ),
    barOf(count / most, kind),
    h('div', { class: 'number' }, count),
  ]);
  return h('div', { class: 'bars' }, ...cells);
}

function barOf(share: number, kind: string): SVGElement {
  const name = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(name, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const rect = document.createElementNS(name, 'rect');
  rect.setAttribute('width', `${Math.max(0.3, share * 100)}%`);
  rect.setAttribute('height', '100%');
  rect.setAttribute('class', kind);
  svg.append(rect);
  return svg;
}

/** How often each verdict of a mechanism is given. */
function countVerdicts(column: Column<Verdict>, mechanism: string): Bar[] {
  const counts = new Map<string, { kind: string; count: number }>();
  for (const at of column.codes) {
    const { code, outcome } = column.values[at]!;
    const known = counts.get(code);
    if (known === undefined) counts.set(code, { kind: kindOf(outcome), count: 1 });
    else known.count++;
  }
  return [...counts]
    .map(([code, { kind, count }]) => ({ code, kind, count, href: `#/functions?mechanism=${mechanism}&code=${code}` }))
    .sort((a, b) => b.count - a.count);
}

/** The class of an outcome. */
function kindOf(outcome: string): string {
  return outcome === 'accepted' || outcome === 'refused' ? outcome : 'unknown';
}

function overview({ banner, notes, audit, functions, reasons }: PageData): Child[] {
  const { kernel, symbols, sites, btf, duplicates, sharedWithData } = audit;
  const facts: (readonly [string, number, string])[] = [
    ['symbols', symbols.all, `${symbols.text.toLocaleString('en')} in text (${symbols.source})`],
    ...(sites === undefined ? [] : [['ftrace sites', sites.all, `${sites.freedAfterBoot} in code freed after boot`] as const]),
    ...(btf === undefined ? [] : [['BTF functions', btf.functions, `${btf.withoutSymbol} without a symbol of this name`] as const]),
    ['names that functions share', duplicates.names, `by ${duplicates.functions.toLocaleString('en')} functions`],
    ['of these, first untraceable', duplicates.firstUntraceable.length, some(duplicates.firstUntraceable)],
    ['names shared with data', sharedWithData.length, some(sharedWithData)],
  ];
  return [
    h('h1', {}, banner),
    ...(kernel.buildId === undefined ? [] : [h('p', { class: 'dim' }, 'build id ', h('code', {}, kernel.buildId))]),
    ...notes.map(note => h('p', { class: 'dim' }, note)),
    h(
      'table',
      {},
      h(
        'tbody',
        {},
        ...facts.map(([what, count, more]) =>
          h('tr', {}, h('th', { scope: 'row' }, what), h('td', { class: 'number' }, count), h('td', {}, more)),
        ),
      ),
    ),
    ...Object.entries(functions.verdicts).flatMap(([mechanism, column]) => [
      h('h2', {}, `${MECHANISMS[mechanism] ?? mechanism}, given a function's name`),
      bars(countVerdicts(column, mechanism), reasons),
    ]),
    h('h2', {}, 'kprobe by address, for every text address'),
    tallyBars(audit.kprobeByAddress, reasons),
    h('h2', {}, 'Why BTF has no function of a name'),
    audit.missingBtf.length === 0 ? h('p', {}, 'None is missing, or there is no BTF.') : tallyBars(audit.missingBtf, reasons),
  ];
}

function tallyBars(tally: readonly Tally[], titles: PageData['reasons']): HTMLElement {
  return bars(
    tally.map(({ code, count }) => ({ code, count, kind: code === 'accepted' ? 'accepted' : 'unknown' })),
    titles,
  );
}

function some(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} …` : names.join(', ');
}

/** What the table of functions is asked, as it stands in the address. */
interface Ask {
  readonly name: string;
  readonly mechanism: string;
  readonly code: string;
  readonly sort: string;
  readonly from: number;
}

function askOf(query: URLSearchParams): Ask {
  const mechanism = query.get('mechanism') ?? '';
  return {
    name: query.get('name') ?? '',
    mechanism: Object.hasOwn(MECHANISMS, mechanism) ? mechanism : 'fentry',
    code: query.get('code') ?? '',
    sort: query.get('sort') ?? 'name',
    from: Math.max(0, Number.parseInt(query.get('from') ?? '0', 10) || 0),
  };
}

function rowsFor({ functions }: PageData, { name, mechanism, code, sort }: Ask): number[] {
  const column = functions.verdicts[mechanism]!;
  const wanted = name.toLowerCase();
  const rows: number[] = [];
  for (let row = 0; row < functions.name.length; row++) {
    if (code !== '' && cell(column, row).code !== code) continue;
    if (functions.name[row]!.toLowerCase().includes(wanted)) rows.push(row);
  }
  // The rows are in the order of names already.
  if (sort === 'size') rows.sort((a, b) => (functions.size[b] ?? -1) - (functions.size[a] ?? -1));
  if (sort === 'place')
    rows.sort((a, b) => (functions.anchor[a] ?? Number.POSITIVE_INFINITY) - (functions.anchor[b] ?? Number.POSITIVE_INFINITY) || a - b);
  return rows;
}

function functionsView(data: PageData, query: URLSearchParams): Child[] {
  let ask = askOf(query);
  const list = h('div');
  const name = h('input', { type: 'search', value: ask.name, spellcheck: 'false', autocomplete: 'off' }) as HTMLInputElement;
  const mechanism = select(MECHANISMS, ask.mechanism);
  const code = h('select') as HTMLSelectElement;
  const fillCodes = (): void => {
    const codes = [...new Set(data.functions.verdicts[ask.mechanism]!.values.map(verdict => verdict.code))].sort();
    code.replaceChildren(...optionsOf({ '': 'any', ...Object.fromEntries(codes.map(each => [each, each])) }, ask.code));
  };
  const show = (change: Partial<Ask>): void => {
    ask = { ...ask, from: 0, ...change };
    const parts = Object.entries(ask).map(([key, value]) => [key, String(value)]);
    // Not a visit of its own for each key that is pressed.
    history.replaceState(null, '', `#/functions?${new URLSearchParams(parts)}`);
    list.replaceChildren(...tableOf(data, ask, show));
  };
  name.addEventListener('input', () => show({ name: name.value }));
  mechanism.addEventListener('change', () => {
    show({ mechanism: mechanism.value, code: '' });
    fillCodes();
  });
  code.addEventListener('change', () => show({ code: code.value }));
  fillCodes();
  list.append(...tableOf(data, ask, show));
  return [
    h('h1', {}, 'Functions'),
    h(
      'div',
      { class: 'tools' },
      h('label', {}, 'name contains', name),
      h('label', {}, 'mechanism', mechanism),
      h('label', {}, 'verdict', code),
    ),
    list,
  ];
}

function select(options: Readonly<Record<string, string>>, chosen: string): HTMLSelectElement {
  return h('select', {}, ...optionsOf(options, chosen)) as HTMLSelectElement;
}

function optionsOf(options: Readonly<Record<string, string>>, chosen: string): HTMLElement[] {
  return Object.entries(options).map(([value, text]) => h('option', { value, ...(value === chosen ? { selected: '' } : {}) }, text));
}

function tableOf(data: PageData, ask: Ask, show: (change: Partial<Ask>) => void): HTMLElement[] {
  const { functions } = data;
  const rows = rowsFor(data, ask);
  const shown = rows.slice(ask.from, ask.from + PAGE_ROWS);
  const header = (key: string, text: string, attributes: Readonly<Record<string, string>> = {}): HTMLElement => {
    const button = h('button', { type: 'button' }, text);
    button.addEventListener('click', () => show({ sort: key }));
    const order = key === 'size' ? 'descending' : 'ascending';
    return h('th', { scope: 'col', ...attributes, ...(ask.sort === key ? { 'aria-sort': order } : {}) }, button);
  };
  const step = (text: string, from: number): HTMLElement => {
    const button = h('button', { type: 'button', ...(from < 0 || from >= rows.length ? { disabled: '' } : {}) }, text);
    button.addEventListener('click', () => show({ from }));
    return button;
  };
  const last = Math.min(ask.from + PAGE_ROWS, rows.length);
  return [
    h(
      'div',
      { class: 'tools' },
      h(
        'span',
        { role: 'status' },
        rows.length === 0 ? 'No function fits.' : `${ask.from + 1} to ${last} of ${rows.length.toLocaleString('en')}`,
      ),
      step('Previous', ask.from === 0 ? -1 : Math.max(0, ask.from - PAGE_ROWS)),
      step('Next', ask.from + PAGE_ROWS),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Functions' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            header('name', 'name'),
            header('place', 'place after _stext', { class: 'number wide' }),
            header('size', 'bytes', { class: 'number wide' }),
            h('th', { scope: 'col', class: 'wide' }, 'file'),
            h('th', { scope: 'col' }, MECHANISMS[ask.mechanism]!),
          ),
        ),
        h('tbody', {}, ...shown.map(row => rowOf(data, row, cell(functions.verdicts[ask.mechanism]!, row)))),
      ),
    ),
  ];
}

function rowOf({ functions }: PageData, row: number, verdict: Verdict): HTMLElement {
  const anchor = functions.anchor[row]!;
  return h(
    'tr',
    {},
    h('td', { class: 'code' }, linkTo(functions.name[row]!, row)),
    h('td', { class: 'code number wide' }, anchor === null ? '' : hex(anchor)),
    h('td', { class: 'number wide' }, functions.size[row] ?? ''),
    h('td', { class: 'code wide' }, cell(functions.file, row) ?? ''),
    h('td', { class: `code ${kindOf(verdict.outcome)}` }, verdict.code),
  );
}

const linkTo = (name: string, row: number): HTMLElement => h('a', { href: `#/function/${row}` }, name);

function functionView(data: PageData, row: number): Child[] {
  const { functions, reasons } = data;
  const name = functions.name[row];
  if (name === undefined) return [h('h1', {}, 'No such function'), h('p', {}, 'The address names a row that the report does not have.')];
  const anchor = functions.anchor[row]!;
  const absence = cell(functions.absence, row);
  const prototype = cell(functions.prototype, row);
  const facts: (readonly [string, Child])[] = [
    ['place', anchor === null ? 'unknown' : h('code', {}, `_stext+${hex(anchor)}`)],
    ['bytes up to the next symbol', functions.size[row] ?? 'unknown'],
    ['source file', cell(functions.file, row) ?? 'unknown'],
    ['prototype', prototype === null ? 'none in BTF' : h('code', {}, prototype)],
    ...(absence === null ? [] : [['not in BTF', `${absence.code}: ${reasons[absence.code] ?? ''} (${absence.certainty})`] as const]),
  ];
  const others = functions.name.flatMap((other, at) => (other === name && at !== row ? [at] : []));
  return [
    h('h1', {}, h('code', {}, name)),
    h('table', {}, h('tbody', {}, ...facts.map(([what, value]) => h('tr', {}, h('th', { scope: 'row' }, what), h('td', {}, value))))),
    h('h2', {}, 'What a program meets that is given the name'),
    h(
      'table',
      {},
      h('tbody', {}, ...Object.entries(functions.verdicts).map(([mechanism, column]) => verdictRow(mechanism, cell(column, row), reasons))),
    ),
    h('p', { class: 'dim' }, 'kelf trace tells what a verdict rests on, kelf attach how to attach, kelf explain what a reason means.'),
    ...listOf('Other functions with this name', others, functions.name),
    ...listOf('Beside it', neighbours(functions.anchor, row), functions.name),
  ];
}

function verdictRow(mechanism: string, { outcome, code, errno }: Verdict, reasons: PageData['reasons']): HTMLElement {
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, MECHANISMS[mechanism] ?? mechanism),
    h('td', { class: kindOf(outcome) }, outcome),
    h('td', { class: 'code' }, errno === undefined ? code : `${code} (${errno})`),
    h('td', {}, reasons[code] ?? ''),
  );
}

function listOf(title: string, rows: readonly number[], names: readonly string[]): Child[] {
  if (rows.length === 0) return [];
  return [h('h2', {}, title), h('ul', {}, ...rows.map(row => h('li', { class: 'code' }, h('code', {}, linkTo(names[row]!, row)))))];
}

/** The functions next to one by place, in the order of places. */
function neighbours(anchor: readonly (number | null)[], row: number): number[] {
  const here = anchor[row]!;
  if (here === null) return [];
  const before: number[] = [];
  const after: number[] = [];
  for (let at = 0; at < anchor.length; at++) {
    const there = anchor[at]!;
    if (there === null || there === here) continue;
    const side = there < here ? before : after;
    side.push(at);
    if (side.length <= NEIGHBOURS) continue;
    side.sort((a, b) => Math.abs(anchor[a]! - here) - Math.abs(anchor[b]! - here));
    side.pop();
  }
  return [...before, ...after].sort((a, b) => anchor[a]! - anchor[b]!);
}

function viewOf(data: PageData): Child[] {
  const [path = '', query = ''] = location.hash.slice(1).split('?');
  if (path === '/functions') return functionsView(data, new URLSearchParams(query));
  const match = /^\/function\/(\d+)$/.exec(path);
  return match === null ? overview(data) : functionView(data, Number(match[1]));
}

async function start(): Promise<void> {
  const view = document.getElementById('view')!;
  try {
    const data = await unpack(document.getElementById('data')!.textContent);
    const show = (): void => {
      view.replaceChildren(...viewOf(data).map(child => (typeof child === 'number' ? String(child) : child)));
      document.title = `${view.querySelector('h1')?.textContent ?? 'kelf'} - kelf report`;
    };
    addEventListener('hashchange', () => {
      show();
      view.focus();
      scrollTo(0, 0);
    });
    show();
  } catch (error) {
    view.replaceChildren(h('p', {}, `The report can't be shown: ${error instanceof Error ? error.message : String(error)}`));
  }
}

void start();
