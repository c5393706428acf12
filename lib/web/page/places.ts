import type { Places, Problem } from '../page-data.js';
import { type Context, expected } from './context.js';
import { type Child, code, drawingWidth, facts, h, sentence, svg } from './dom.js';

const LANE = 90;
const AXIS = 26;

/** Where functions, ftrace's sites, what is freed after boot and what is blacklisted lie in the text of a kernel. */
export async function placesView({ store, subject }: Context): Promise<Child[]> {
  const { from, step, functions, sites, blacklisted, areas } = expected(await store.load<Places | Problem>(subject, 'places'));
  const width = drawingWidth();
  const bytes = step * functions.length;
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  const x = (at: number): number => (at / bytes) * width;
  const named = areas.filter(({ bytes: size }) => size > 0);
  return [
    h('h1', {}, 'Where they lie in the kernel’s text'),
    h(
      'p',
      {},
      `From left to right ${(bytes / 2 ** 20).toFixed(1)} MiB from `,
      code(from),
      ` on; a bar is ${(step / 1024).toFixed(0)} KiB. Gaps are data.`,
    ),
    lane('Functions', functions, `${total(functions).toLocaleString('en')} functions`, 'bar'),
    sites.length === 0
      ? sentence('No ftrace sites are known.')
      : lane('ftrace sites', sites, `${total(sites).toLocaleString('en')} places where ftrace can attach`, 'accepted'),
    lane('Blacklisted for kprobes', blacklisted, `${total(blacklisted).toLocaleString('en')} bytes that kprobes refuse`, 'refused'),
    h(
      'figure',
      {},
      h('figcaption', {}, 'Areas by the labels of the linker script'),
      svg(
        'svg',
        { viewBox: `0 0 ${width} ${named.length * AXIS}`, class: 'strip', role: 'img', 'aria-label': 'Areas: the table below has them.' },
        ...named.flatMap(({ name, at, bytes: size }, i) => [
          svg('rect', {
            x: x(at),
            y: i * AXIS + 3,
            width: Math.max(2, x(size)),
            height: AXIS - 6,
            class: name === 'init' ? 'open' : name === 'text' ? 'bar' : 'refused',
          }),
          x(at + size) < width - 150
            ? svg('text', { x: x(at + size) + 6, y: i * AXIS + 18 }, name)
            : svg('text', { x: Math.max(4, x(at) - 6), y: i * AXIS + 18, 'text-anchor': x(at) > 150 ? 'end' : 'start' }, name),
        ]),
      ),
    ),
    facts(
      named.map(({ name, at, bytes: size }) => [name, code(`+0x${at.toString(16)}`), `${size.toLocaleString('en')} bytes`, meaning(name)]),
    ),
  ];
}

function meaning(name: string): string {
  if (name === 'text') return 'what core_kernel_text() takes for text';
  return name === 'init' ? 'freed after boot: its ftrace sites are gone then' : 'no kprobe is set in it';
}

function lane(title: string, counts: readonly number[], says: string, kind: string): HTMLElement {
  const most = counts.reduce((longest, count) => Math.max(longest, count), 1);
  const room = drawingWidth();
  const width = room / counts.length;
  const rects = counts.flatMap((count, i) =>
    count === 0
      ? []
      : [
          svg('rect', {
            x: i * width,
            y: LANE * (1 - count / most),
            width: width * 0.85,
            height: Math.max(1, (LANE * count) / most),
            class: kind,
          }),
        ],
  );
  return h(
    'figure',
    {},
    h('figcaption', {}, h('strong', {}, title), ` ${says}`),
    svg('svg', { viewBox: `0 0 ${room} ${LANE}`, class: 'strip', role: 'img', 'aria-label': `${title}: ${says}` }, ...rects),
  );
}
