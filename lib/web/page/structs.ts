import type { Problem, StructData, StructRows } from '../page-data.js';
import { type Context, expected, hex, linkTo } from './context.js';
import { type Child, code, h, search, svg } from './dom.js';
import { pagedTable, type Shown } from './table.js';

/** All structs of BTF, those with most unused bytes first. */
export async function structsView(context: Context): Promise<Child[]> {
  const { store, subject, query } = context;
  const { id, name, size, members, holes, unused } = expected(await store.load<StructRows | Problem>(subject, 'structs'));
  let ask: Shown & { readonly name: string } = { name: query.get('name') ?? '', sort: query.get('sort') ?? 'unused', from: 0 };
  const list = h('div');
  const show = (change: Partial<typeof ask>): void => {
    ask = { ...ask, from: 0, ...change };
    context.remember({ ...ask });
    list.replaceChildren(...(table() as Node[]));
  };
  const table = (): Child[] => {
    const wanted = ask.name.toLowerCase();
    const rows = id.flatMap((_, row) => (name[row]!.toLowerCase().includes(wanted) ? [row] : []));
    const by = ({ size, members, holes, unused } as Readonly<Record<string, readonly number[]>>)[ask.sort];
    if (by !== undefined) rows.sort((a, b) => by[b]! - by[a]! || a - b);
    return pagedTable(
      'Structs',
      [
        { title: 'struct', sort: 'name', className: 'code' },
        { title: 'bytes', sort: 'size', className: 'number' },
        { title: 'members', sort: 'members', className: 'number wide' },
        { title: 'holes', sort: 'holes', className: 'number' },
        { title: 'unused bytes', sort: 'unused', className: 'number' },
      ],
      rows,
      row => [h('a', { href: linkTo(subject, `struct/${id[row]}`) }, name[row]!), size[row]!, members[row]!, holes[row]!, unused[row]!],
      ask,
      show,
    );
  };
  list.append(...(table() as Node[]));
  return [
    h('h1', {}, 'Structs'),
    h(
      'div',
      { class: 'tools' },
      search('name contains', ask.name, each => show({ name: each })),
    ),
    list,
  ];
}

const LINE = 64;
const BYTE = 14;
const ROW = 30;
const LEFT = 64;
/** Lines that are drawn: of larger structs the table has the rest. */
const MOST_LINES = 64;

/** Bytes in a row of the drawing: the whole of a member, or a part of it. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly name: string;
  readonly kind: 'member' | 'bits' | 'unused';
}

/** A struct, drawn: its cache lines with its members, and what is unused between them. */
export async function structView({ store, subject, name: asked }: Context): Promise<Child[]> {
  const { kind, name, size, members, padding } = expected(await store.load<StructData | Problem>(subject, `struct/${asked}`));
  const holes = members.reduce((sum, { hole = 0 }) => sum + hole, 0);
  return [
    h('h1', {}, code(`${kind.toLowerCase()} ${name}`)),
    h('p', {}, `${size.toLocaleString('en')} bytes, ${members.length} members; ${holes} unused in holes, ${padding} at the end.`),
    ...(kind === 'STRUCT' && size > 0 ? drawing(members, size, padding) : []),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Members' },
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...['offset', 'bytes', 'type', 'member', 'then unused'].map(title => h('th', { scope: 'col' }, title)))),
        h(
          'tbody',
          {},
          ...members.map(member =>
            h(
              'tr',
              {},
              h('td', { class: 'code number' }, hex(member.offset)),
              h('td', { class: 'number' }, member.bits === undefined ? member.size : `${member.bits} bits`),
              h('td', { class: 'code' }, member.type),
              h('td', { class: 'code' }, member.name === '' ? '(anonymous)' : member.name),
              h(
                'td',
                { class: 'number refused' },
                [member.hole === undefined ? '' : `${member.hole} bytes`, member.bitHole === undefined ? '' : `${member.bitHole} bits`]
                  .filter(Boolean)
                  .join(', '),
              ),
            ),
          ),
        ),
      ),
    ),
  ];
}

function drawing(members: StructData['members'], size: number, padding: number): Child[] {
  const pieces: Piece[] = members.flatMap(({ name, offset, size: bytes, bits, hole = 0 }): Piece[] => {
    const end = offset + bytes;
    return [
      ...(bytes === 0
        ? []
        : [{ from: offset, to: end, name: name === '' ? '(anonymous)' : name, kind: bits === undefined ? 'member' : 'bits' } as const]),
      ...(hole === 0 ? [] : [{ from: end, to: end + hole, name: `${hole} unused`, kind: 'unused' } as const]),
    ];
  });
  if (padding > 0) pieces.push({ from: size - padding, to: size, name: `${padding} unused`, kind: 'unused' });
  const lines = Math.min(MOST_LINES, Math.ceil(size / LINE));
  const marks = Array.from({ length: lines }, (_, line) =>
    svg('text', { x: LEFT - 8, y: line * ROW + 19, 'text-anchor': 'end' }, hex(line * LINE)),
  );
  return [
    h(
      'p',
      { class: 'legend' },
      'A row is a cache line of 64 bytes:',
      h('span', { class: 'key member' }, 'members'),
      h('span', { class: 'key bits' }, 'bit-fields'),
      h('span', { class: 'key unused' }, 'unused'),
    ),
    svg(
      'svg',
      {
        viewBox: `0 0 ${LEFT + LINE * BYTE} ${lines * ROW}`,
        class: 'struct',
        role: 'img',
        'aria-label': 'The table below has the same members.',
      },
      ...marks,
      ...pieces.flatMap(piece => drawnPiece(piece, lines)),
    ),
    Math.ceil(size / LINE) > lines
      ? h('p', { class: 'dim' }, `The first ${lines} of ${Math.ceil(size / LINE)} cache lines are drawn.`)
      : undefined,
  ];
}

/** A piece in each line that it reaches into; its name where there is most room. */
function drawnPiece({ from, to, name, kind }: Piece, lines: number): SVGElement[] {
  const drawn: SVGElement[] = [];
  for (let line = Math.floor(from / LINE); line < lines && line * LINE < to; line++) {
    const start = Math.max(from, line * LINE) - line * LINE;
    const width = (Math.min(to, (line + 1) * LINE) - line * LINE - start) * BYTE;
    const x = LEFT + start * BYTE;
    const room = Math.floor((width - 6) / 7.2);
    drawn.push(
      svg(
        'g',
        {},
        svg('title', {}, `${name}: ${hex(from)} to ${hex(to)}`),
        svg('rect', { x: x + 0.5, y: line * ROW + 2, width: width - 1, height: ROW - 4, class: kind }),
        room < 2 ? undefined : svg('text', { x: x + 4, y: line * ROW + 19 }, name.length <= room ? name : `${name.slice(0, room - 1)}…`),
      ),
    );
  }
  return drawn;
}
