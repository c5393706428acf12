import { button, type Child, h } from './dom.js';

/** A column of a table. */
export interface TableColumn {
  readonly title: string;
  /** Sorts by it where a title is pressed. */
  readonly sort?: string;
  readonly className?: string;
}

/** What of a table is shown. */
export interface Shown {
  readonly sort: string;
  readonly from: number;
}

/** Rows of a table that are in the document at once: each of some tens of thousands would take seconds. */
const PAGE_ROWS = 100;

/** A table of which some rows are shown, with buttons for the others. @param rowOf the cells of a row */
export function pagedTable(
  label: string,
  columns: readonly TableColumn[],
  rows: ArrayLike<number>,
  rowOf: (row: number) => readonly Child[],
  { sort, from }: Shown,
  show: (change: Partial<Shown>) => void,
): Child[] {
  const last = Math.min(from + PAGE_ROWS, rows.length);
  const shown = Array.from({ length: Math.max(0, last - from) }, (_, i) => rows[from + i]!);
  const step = (text: string, to: number, possible: boolean): HTMLElement =>
    button(text, () => show({ from: Math.max(0, to) }), possible ? {} : { disabled: '' });
  const head = columns.map(({ title, sort: key, className = '' }) => {
    const sorted = key !== undefined && key === sort ? { 'aria-sort': 'other' } : {};
    return h(
      'th',
      { scope: 'col', class: className, ...sorted },
      key === undefined ? title : button(title, () => show({ sort: key, from: 0 })),
    );
  });
  const cells = (row: number): HTMLElement =>
    h('tr', {}, ...rowOf(row).map((child, i) => h('td', { class: columns[i]!.className ?? '' }, child)));
  const position =
    rows.length === 0
      ? 'Nothing fits.'
      : `${(from + 1).toLocaleString('en')} to ${last.toLocaleString('en')} of ${rows.length.toLocaleString('en')}`;
  return [
    h(
      'div',
      { class: 'tools' },
      h('span', { role: 'status' }, position),
      ...(rows.length <= PAGE_ROWS
        ? []
        : [step('Previous', from - PAGE_ROWS, from > 0), step('Next', from + PAGE_ROWS, last < rows.length)]),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
      h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...shown.map(cells))),
    ),
  ];
}
