import { MECHANISM_WORDS } from '../../fleet/rows/mechanisms.js';
import { percent } from './bars.js';
import { type Context, columnOf, linkTo, mechanismOf } from './context.js';
import { type Child, drawingWidth, h, kindOf, select, sentence, svg } from './dom.js';
import { type Tile, treemap } from './treemap.js';

/** Functions of a directory or a file. */
interface Folder {
  readonly name: string;
  readonly path: string;
  readonly isFile: boolean;
  functions: number;
  accepted: number;
}

/** A tile has a label where there is room for one. */
const LABEL_HEIGHT = 18;
const LETTER_WIDTH = 7.5;

/** A treemap of functions by source directory, coloured by how many of them a mechanism traces. */
export async function sourcesView(context: Context): Promise<Child[]> {
  const { subject, query } = context;
  const mechanism = mechanismOf(query.get('mechanism'));
  const under = query.get('under') ?? '';
  const unit = await columnOf(context, 'unit');
  const verdicts = await columnOf(context, mechanism);
  const folders = foldersOf(
    unit,
    verdicts.codes,
    verdicts.values.map(({ outcome }) => kindOf(outcome) === 'accepted'),
    under,
  );
  const head = [
    h('h1', {}, 'Functions by source directory'),
    h(
      'div',
      { class: 'tools' },
      select(
        'mechanism',
        MECHANISM_WORDS,
        mechanism,
        value => void (location.hash = linkTo(subject, 'sources', { mechanism: value, under })),
      ),
    ),
    under === '' ? undefined : h('p', {}, ...crumbs(context, under, mechanism)),
  ];
  if (folders.length === 0)
    return [...head, sentence('Only debug information tells directories: this kernel has none, or none of its functions is in them.')];
  const width = drawingWidth();
  const height = Math.max(360, Math.round(width * 0.48));
  const tiles = treemap(folders, ({ functions }) => functions, width, height);
  const hrefOf = ({ isFile, path }: Folder): string =>
    isFile ? linkTo(subject, 'functions', { mechanism, under: path }) : linkTo(subject, 'sources', { mechanism, under: path });
  const largest = folders.toSorted((a, b) => b.functions - a.functions);
  return [
    ...head,
    h(
      'p',
      { class: 'legend' },
      'The area is the number of functions; the colour is how many ',
      MECHANISM_WORDS[mechanism],
      ' traces by name:',
      ...[0, 1, 2, 3, 4].map(level =>
        h('span', { class: `key share${level}` }, ['under 20%', '20 to 40%', '40 to 60%', '60 to 80%', '80% and more'][level]!),
      ),
    ),
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, class: 'treemap', role: 'img', 'aria-label': 'The table below has the same figures.' },
      ...tiles.map(tile => drawn(tile, hrefOf(tile.item))),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Directories' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h('tr', {}, ...['directory or file', 'functions', 'accepted', 'share'].map(title => h('th', { scope: 'col' }, title))),
        ),
        h(
          'tbody',
          {},
          ...largest.map(folder =>
            h(
              'tr',
              {},
              h('td', { class: 'code' }, h('a', { href: hrefOf(folder) }, folder.isFile ? folder.name : `${folder.name}/`)),
              h('td', { class: 'number' }, folder.functions),
              h('td', { class: 'number' }, folder.accepted),
              h('td', { class: 'number' }, percent(folder.accepted / folder.functions)),
            ),
          ),
        ),
      ),
    ),
  ];
}

function foldersOf(
  unit: { readonly codes: ArrayLike<number>; readonly values: readonly (string | null)[] },
  verdicts: ArrayLike<number>,
  accepted: readonly boolean[],
  under: string,
): Folder[] {
  const prefix = under === '' ? '' : `${under}/`;
  const folders = new Map<string, Folder>();
  const ofUnit = unit.values.map((path): Folder | undefined => {
    if (path === null || !path.startsWith(prefix)) return undefined;
    const rest = path.slice(prefix.length);
    const end = rest.indexOf('/');
    const name = end < 0 ? rest : rest.slice(0, end);
    const key = `${prefix}${name}`;
    let folder = folders.get(key);
    if (folder === undefined) folders.set(key, (folder = { name, path: key, isFile: end < 0, functions: 0, accepted: 0 }));
    return folder;
  });
  for (let row = 0; row < unit.codes.length; row++) {
    const folder = ofUnit[unit.codes[row]!];
    if (folder === undefined) continue;
    folder.functions++;
    if (accepted[verdicts[row]!]) folder.accepted++;
  }
  return [...folders.values()].filter(({ functions }) => functions > 0);
}

function drawn({ item, x, y, width, height }: Tile<Folder>, href: string): SVGElement {
  const share = item.accepted / item.functions;
  const text = `${item.name}: ${item.functions.toLocaleString('en')} functions, ${percent(share)} accepted`;
  const room = Math.floor((width - 8) / LETTER_WIDTH);
  const label =
    room >= 3 && height >= LABEL_HEIGHT
      ? svg('text', { x: x + 4, y: y + 14 }, item.name.length <= room ? item.name : `${item.name.slice(0, room - 1)}…`)
      : undefined;
  const second = room >= 4 && height >= 2 * LABEL_HEIGHT ? svg('text', { x: x + 4, y: y + 30, class: 'small' }, percent(share)) : undefined;
  const box = svg('rect', { x, y, width, height, class: `share${Math.min(4, Math.floor(share * 5))}` });
  return svg('a', { href, tabindex: '-1' }, svg('title', {}, text), box, label, second);
}

function crumbs({ subject }: Context, under: string, mechanism: string): Child[] {
  const parts = under === '' ? [] : under.split('/');
  const link = (text: string, path: string): HTMLElement => h('a', { href: linkTo(subject, 'sources', { mechanism, under: path }) }, text);
  return [link('all', ''), ...parts.flatMap((part, i) => [' / ', link(part, parts.slice(0, i + 1).join('/'))])];
}
