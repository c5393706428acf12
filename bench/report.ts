/** What was measured of one case on one kernel. */
export interface Row {
  readonly what: string;
  readonly kernel: string;
  /** With its unit. */
  readonly kelf: string;
  /** The peer's command and its figure; undefined where there is none. */
  readonly peer?: { readonly title: string; readonly figure: string };
  /** What is compared with the target: a ratio, or a figure with its own unit. */
  readonly result: number;
  readonly target?: number;
  /** How to write result and target. */
  show(value: number): string;
}

const HEAD = ['', 'kernel', 'kelf', 'peer', '', 'kelf ÷ peer', 'target', ''];
/** Figures are aligned at the right. */
const FIGURES = new Set([2, 4, 5, 6]);

/** A table in Markdown, aligned so that it can be read as it is. */
export function reportTable(rows: readonly Row[]): string[] {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(3, ...cells.map(row => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (FIGURES.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (FIGURES.has(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(HEAD), line(rule), ...cells.slice(1).map(line)];
}

function cellsOf({ what, kernel, kelf, peer, result, target, show }: Row): string[] {
  return [
    what,
    kernel,
    kelf,
    peer?.title ?? '',
    peer?.figure ?? '',
    peer === undefined ? '' : show(result),
    target === undefined ? '' : `≤ ${show(target)}`,
    target === undefined ? '' : result <= target ? 'met' : 'not met',
  ];
}
