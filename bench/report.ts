import { median, type Pair } from './measure.js';

/** What was measured of one case on one kernel. */
export interface Row {
  readonly what: string;
  readonly kernel: string;
  /** With its unit. */
  readonly kelf: string;
  /** Beside a peer: what the clock says. */
  readonly wall?: string;
  /** The peer's command and its figures; undefined where there is none. */
  readonly peer?: { readonly title: string; readonly figure: string; readonly wall: string };
  /** Between which ratios the middle half of the pairs is. */
  readonly spread?: string;
  /** The ratio by the clock. */
  readonly clock?: string;
  /** What is compared with the target: a ratio, or a figure with its own unit. */
  readonly result: number;
  readonly target?: number;
  /** How to write result and target. */
  show(value: number): string;
}

/** A row of two commands in turns: their processor time, and the median of its ratios. */
export function pairRow(what: string, kernel: string, title: string, { ours, theirs, ratios }: Pair, target?: number): Row {
  const show = (value: number): string => value.toFixed(2);
  const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;
  const quarter = ratios.length >> 2;
  return {
    what,
    kernel,
    kelf: milliseconds(ours.processor),
    wall: milliseconds(ours.clock),
    peer: { title, figure: milliseconds(theirs.processor), wall: milliseconds(theirs.clock) },
    result: median(ratios),
    spread: `${show(ratios[quarter]!)}–${show(ratios[ratios.length - 1 - quarter]!)}`,
    clock: show(ours.clock / theirs.clock),
    ...(target === undefined ? {} : { target }),
    show,
  };
}

const HEAD = ['', 'kernel', 'kelf', 'wall', 'peer', '', 'wall', 'kelf ÷ peer', 'half of the pairs', 'by the clock', 'target', ''];
/** Figures are aligned at the right. */
const FIGURES = new Set([2, 3, 5, 6, 7, 8, 9, 10]);

/** A table in Markdown, aligned so that it can be read as it is. */
export function reportTable(rows: readonly Row[]): string[] {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(3, ...cells.map(row => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (FIGURES.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (FIGURES.has(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(HEAD), line(rule), ...cells.slice(1).map(line)];
}

function cellsOf({ what, kernel, kelf, wall, peer, spread, clock, result, target, show }: Row): string[] {
  return [
    what,
    kernel,
    kelf,
    wall ?? '',
    peer?.title ?? '',
    peer?.figure ?? '',
    peer?.wall ?? '',
    peer === undefined ? '' : show(result),
    spread ?? '',
    clock ?? '',
    target === undefined ? '' : `≤ ${show(target)}`,
    target === undefined ? '' : result <= target ? 'met' : 'not met',
  ];
}
