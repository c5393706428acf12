import type { Column, ShortVerdict } from '../page-data.js';
import { titleOf } from './context.js';
import { code, h, kindOf, svg } from './dom.js';

/** A bar: a reason, how many, and where what it counts is listed. */
export interface Bar {
  readonly code: string;
  readonly kind: string;
  readonly count: number;
  readonly href?: string;
}

/** Bars beside their reasons, the longest first. */
export function bars(list: readonly Bar[]): HTMLElement {
  const most = list.reduce((longest, { count }) => Math.max(longest, count), 1);
  const cells = list.flatMap(bar => [
    h(
      'div',
      {},
      bar.href === undefined ? code(bar.code) : h('a', { href: bar.href }, code(bar.code)),
      h('div', { class: 'dim' }, titleOf(bar.code)),
    ),
    svg(
      'svg',
      { 'aria-hidden': 'true' },
      svg('rect', { width: `${Math.max(0.3, (bar.count / most) * 100)}%`, height: '100%', class: bar.kind }),
    ),
    h('div', { class: 'number' }, bar.count),
  ]);
  return h('div', { class: 'bars' }, ...cells);
}

/** How often each verdict is given, the most frequent first. */
export function countVerdicts({
  codes,
  values,
}: Column<ShortVerdict>): { readonly code: string; readonly kind: string; readonly count: number }[] {
  const counts = new Uint32Array(values.length);
  for (let row = 0; row < codes.length; row++) counts[codes[row]!]!++;
  const byCode = new Map<string, { code: string; kind: string; count: number }>();
  for (const [i, { code: reason, outcome }] of values.entries()) {
    const known = byCode.get(reason);
    if (known === undefined) byCode.set(reason, { code: reason, kind: kindOf(outcome), count: counts[i]! });
    else known.count += counts[i]!;
  }
  return [...byCode.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}

/** The shares of accepted, refused and open in one bar. */
export function shares(column: Column<ShortVerdict>): HTMLElement {
  const sums: Record<string, number> = { accepted: 0, refused: 0, open: 0 };
  for (const { kind, count } of countVerdicts(column)) sums[kind]! += count;
  const all = Math.max(1, column.codes.length);
  let at = 0;
  const rects = Object.entries(sums).map(([kind, count]) => {
    const rect = svg('rect', { x: `${(at / all) * 100}%`, width: `${(count / all) * 100}%`, height: '100%', class: kind });
    at += count;
    return rect;
  });
  const words = Object.entries(sums).flatMap(([kind, count]) => (count === 0 ? [] : [`${percent(count / all)} ${kind}`]));
  return h(
    'div',
    { class: 'shares' },
    svg('svg', { role: 'img', 'aria-label': words.join(', ') }, ...rects),
    h('span', { class: 'dim' }, words.join(' · ')),
  );
}

/** Nothing is 100% or 0% that is not so. */
export function percent(share: number): string {
  if (share > 0.995 && share < 1) return 'over 99%';
  return share > 0 && share < 0.005 ? 'under 1%' : `${Math.round(share * 100)}%`;
}
