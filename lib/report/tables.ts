import { printable } from '../../elf/escape.js';

// Tables as other programs take them in. Names of the input are escaped as in text, and then as the format asks.

/** Rows under headings. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly (string | number)[]>;
}

/** Tables of GitHub's Markdown, each under a heading. */
export function* markdownLines(tables: Iterable<ReportTable>): Generator<string> {
  let first = true;
  for (const { title, columns, rows } of tables) {
    if (!first) yield '';
    first = false;
    yield `## ${markdownText(title)}`;
    yield '';
    yield markdownRow(columns);
    yield `|${' --- |'.repeat(columns.length)}`;
    for (const row of rows) yield markdownRow(row);
  }
}

function markdownRow(cells: readonly (string | number)[]): string {
  return `| ${cells.map(cell => markdownText(String(cell))).join(' | ')} |`;
}

/** What Markdown would read as its own, HTML included. */
function markdownText(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>|&~#]/g, '\\$&');
}

/** RFC 4180; the lines of several tables follow each other, each under its own heading. */
export function* csvLines(tables: Iterable<ReportTable>): Generator<string> {
  let first = true;
  for (const { columns, rows } of tables) {
    if (!first) yield '';
    first = false;
    yield csvRow(columns);
    for (const row of rows) yield csvRow(row);
  }
}

function csvRow(cells: readonly (string | number)[]): string {
  return cells.map(cell => csvText(String(cell))).join(',');
}

/** A spreadsheet takes a text that begins with one of `=+-@` for a formula: an apostrophe keeps it text. Numbers stay. */
function csvText(text: string): string {
  const safe = /^[=+\-@]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  const shown = printable(safe);
  return /[",]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}
