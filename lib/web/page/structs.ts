import type { Problem, StructData, StructRows } from '../page-data.js';
import { type Context, expected, hex, linkTo } from './context.js';
import { type Child, code, drawingWidth, h, search, svg } from './dom.js';
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

/** Bytes of a cache line, which a row of the drawing is; a narrow one has a quarter of it. */
const LINE = 64;
const NARROW = 640;
const ROW = 30;
const LEFT = 56;
const WIDEST = 960;
/** Lines that are drawn: of larger structs the table has the rest. */
const MOST_LINES = 64;
const LETTER = 7.2;

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
      ...(hole === 0 ? [] : [{ from: end, to: end + hole, name: String(hole), kind: 'unused' } as const]),
    ];
  });
  if (padding > 0) pieces.push({ from: size - padding, to: size, name: String(padding), kind: 'unused' });
  const width = Math.min(WIDEST, drawingWidth());
  const line = width < NARROW ? LINE / 4 : LINE;
  const all = Math.ceil(size / line);
  const lines = Math.min(MOST_LINES, all);
  const scale = { line, lines, byte: (width - LEFT) / line };
  const marks = Array.from({ length: lines }, (_, row) =>
    svg('text', { x: LEFT - 8, y: row * ROW + 19, 'text-anchor': 'end' }, hex(row * line)),
  );
  const key = (kind: string, text: string): HTMLElement => h('span', { class: `key ${kind}` }, text);
  return [
    h(
      'p',
      { class: 'legend' },
      line === LINE ? 'A row is a cache line of 64 bytes:' : 'Four rows of 16 bytes are a cache line:',
      key('member', 'members'),
      key('bits', 'bit-fields'),
      key('unused', 'unused, with how many bytes'),
    ),
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${lines * ROW}`, class: 'struct', role: 'img', 'aria-label': 'The table below has the same members.' },
      ...marks,
      ...pieces.flatMap(piece => drawnPiece(piece, scale)),
    ),
    all > lines ? h('p', { class: 'dim' }, `The first ${lines} of ${all} rows are drawn.`) : undefined,
  ];
}

/** Bytes of a row, rows, and pixels of a byte. */
interface Scale {
  readonly line: number;
  readonly lines: number;
  readonly byte: number;
}

/** A piece in each row that it reaches into, with its name where there is room. */
function drawnPiece({ from, to, name, kind }: Piece, { line, lines, byte }: Scale): SVGElement[] {
  const drawn: SVGElement[] = [];
  for (let row = Math.floor(from / line); row < lines && row * line < to; row++) {
    const start = Math.max(from, row * line) - row * line;
    const width = (Math.min(to, (row + 1) * line) - row * line - start) * byte;
    const x = LEFT + start * byte;
    const room = Math.floor((width - 6) / LETTER);
    drawn.push(
      svg(
        'g',
        {},
        svg('title', {}, `${name}${kind === 'unused' ? ' bytes unused' : ''}: ${hex(from)} to ${hex(to)}`),
        svg('rect', { x: x + 0.5, y: row * ROW + 2, width: Math.max(0.5, width - 1), height: ROW - 4, class: kind }),
        room < Math.min(2, name.length)
          ? undefined
          : svg('text', { x: x + 4, y: row * ROW + 19 }, name.length <= room ? name : `${name.slice(0, room - 1)}…`),
      ),
    );
  }
  return drawn;
}
