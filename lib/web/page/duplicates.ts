import { type Context, columnOf, functionLink } from './context.js';
import { type Child, h, kindOf, search, sentence } from './dom.js';
import { pagedTable, type Shown } from './table.js';

/** A name that functions at several places share: its first row, and how many there are. */
interface Shared {
  readonly first: number;
  readonly places: number;
}

/** Names of more than one place. */
export async function duplicatesView(context: Context): Promise<Child[]> {
  const { subject, query } = context;
  const names = await columnOf(context, 'name');
  const anchor = await columnOf(context, 'anchor');
  const file = await columnOf(context, 'file');
  const kprobe = await columnOf(context, 'kprobe');
  const fentry = await columnOf(context, 'fentry');
  const all = sharedNames(names, anchor);
  let ask: Shown & { readonly name: string } = { name: query.get('name') ?? '', sort: query.get('sort') ?? 'count', from: 0 };
  const list = h('div');
  const show = (change: Partial<typeof ask>): void => {
    ask = { ...ask, from: 0, ...change };
    context.remember({ ...ask });
    list.replaceChildren(...(table() as Node[]));
  };
  const filesOf = ({ first, places }: Shared): string => {
    const files = new Set(Array.from({ length: places }, (_, i) => file.values[file.codes[first + i]!]).filter(each => each !== null));
    return [...files].slice(0, 4).join(', ') + (files.size > 4 ? ' …' : '');
  };
  const verdict = (column: typeof kprobe, row: number): HTMLElement => {
    const { outcome, code } = column.values[column.codes[row]!]!;
    return h('span', { class: kindOf(outcome) }, code);
  };
  const table = (): Child[] => {
    const wanted = ask.name.toLowerCase();
    const rows = all
      .keys()
      .filter(at => names[all[at]!.first]!.toLowerCase().includes(wanted))
      .toArray();
    if (ask.sort === 'count') rows.sort((a, b) => all[b]!.places - all[a]!.places || a - b);
    return pagedTable(
      'Names that functions share',
      [
        { title: 'name', sort: 'name', className: 'code' },
        { title: 'functions', sort: 'count', className: 'number' },
        { title: 'kprobe by name', className: 'code' },
        { title: 'fentry by name', className: 'code' },
        { title: 'files', className: 'code wide' },
      ],
      rows,
      at => {
        const shared = all[at]!;
        const name = names[shared.first]!;
        return [
          h('a', { href: functionLink(subject, name) }, name),
          shared.places,
          verdict(kprobe, shared.first),
          verdict(fentry, shared.first),
          filesOf(shared),
        ];
      },
      ask,
      show,
    );
  };
  if (all.length === 0) return [h('h1', {}, 'Names that functions share'), sentence('No two functions that are known share a name.')];
  list.append(...(table() as Node[]));
  return [
    h('h1', {}, 'Names that functions share'),
    h('p', {}, 'Which of them a mechanism takes for the name, and how to reach each, is on the page of the name.'),
    h(
      'div',
      { class: 'tools' },
      search('name contains', ask.name, name => show({ name })),
    ),
    list,
  ];
}

function sharedNames(names: readonly string[], anchor: ArrayLike<number>): Shared[] {
  const all: Shared[] = [];
  for (let first = 0; first < names.length; ) {
    let next = first + 1;
    const places = new Set([anchor[first]!]);
    while (next < names.length && names[next] === names[first]) places.add(anchor[next++]!);
    // At one place they are one function with a symbol of each binding; unknown places may be several.
    if (next - first > 1 && (places.size > 1 || places.has(-1))) all.push({ first, places: next - first });
    first = next;
  }
  return all;
}
