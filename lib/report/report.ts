import { printable } from '../../elf/escape.js';
import { type Gate, gateTables } from './gate.js';
import { githubLines } from './github.js';
import { jsonLines, ndjsonLines } from './json.js';
import { junitLines } from './junit.js';
import { sarifLines } from './sarif.js';
import { csvLines, markdownLines, type ReportTable } from './tables.js';

/** One answer, and how it is written. A model is plain data; addresses in it are bigints. */
export interface Report<M extends object> {
  /** What `--json` calls it. */
  readonly schema: `kelf/${string}`;
  readonly version: number;
  /** The list of a table: JSON has a row of it a line. Its rows hold texts and numbers alone, and can be made while they are written. */
  readonly rows?: string;
  /** The lists of an answer about many things, where it is no table: NDJSON has a line for each. */
  readonly lists?: readonly string[];
  /** The model as JSON has it, where the text says more. */
  json?(model: M): object;
  text(model: M): Iterable<Line>;
  /** The text is to be copied: C, lines for a shell, a listing. A terminal is given it as a file is. */
  readonly verbatim?: boolean;
  /** Of an answer that is a gate: JUnit, SARIF, annotations and the summary in Markdown are made of it. */
  gate?(model: M): Gate;
  /** Of an answer that is rows: Markdown and CSV are made of them. */
  tables?(model: M): Iterable<ReportTable>;
}

/**
 * A line of text: in one piece, or in cells that tabs separate. Whatever names are in it, it is written as one line, and as so many cells: they are
 * escaped here and nowhere else.
 */
export type Line = string | readonly string[];

/** Writes any report: its lines. */
export type Format = <M extends object>(report: Report<M>, model: M) => Iterable<string>;

/** Every format. The command line has an option of the name for each but text: a switch, or one that takes a file. */
export const FORMATS: Readonly<Record<string, Format>> & Readonly<Record<'text' | 'json', Format>> = {
  text: (report, model) => textLines(report.text(model)),
  json: (report, model) => jsonLines(documentOf(report, model), report.rows),
  ndjson: (report, model) => ndjsonLines(written(report, model), report.lists ?? [report.rows!]),
  junit: (report, model) => junitLines(gateOf(report, model)),
  sarif: (report, model) => sarifLines(gateOf(report, model)),
  github: (report, model) => githubLines(gateOf(report, model)),
  markdown: (report, model) => markdownLines(tablesOf(report, model)),
  csv: (report, model) => csvLines(tablesOf(report, model)),
};

/** What `--json` prints: the model, under the name and version of its schema. */
export function documentOf<M extends object>(report: Report<M>, model: M): object {
  const { schema, version } = report;
  return { $schema: schemaPath(report), schema, version, ...written(report, model) };
}

function written<M extends object>({ json }: Report<M>, model: M): object {
  return json?.(model) ?? model;
}

/** Where the package has the JSON Schema of an answer, as Node and bundlers import it: `kelf/schemas/bpf-check.2.json` */
export function schemaPath({ schema, version }: { readonly schema: string; readonly version: number }): string {
  return `${schema.replace('/', '/schemas/')}.${version}.json`;
}

function gateOf<M extends object>({ schema, gate }: Report<M>, model: M): Gate {
  if (gate === undefined) throw new TypeError(`${schema} is no gate`);
  return gate(model);
}

function tablesOf<M extends object>({ schema, tables, gate }: Report<M>, model: M): Iterable<ReportTable> {
  if (tables !== undefined) return tables(model);
  if (gate !== undefined) return gateTables(gate(model));
  throw new TypeError(`${schema} has no tables`);
}

function* textLines(lines: Iterable<Line>): Generator<string> {
  for (const line of lines) yield typeof line === 'string' ? printable(line) : line.map(printable).join('\t');
}

/** The lines of a text whose names are safe already, a document or C: its line ends and tabs are its own. */
export function linesOf(text: string): Line[] {
  return text.split('\n').map(line => (line.includes('\t') ? line.split('\t') : line));
}

/** What identifies a kernel in a report. */
export interface KernelId {
  readonly name: string;
  readonly release?: string;
  readonly buildId?: string;
}

export function kernelId(kernel: {
  readonly name: string;
  readonly release: string | undefined;
  readonly buildId: string | undefined;
}): KernelId {
  const { name, release, buildId } = kernel;
  return { name, ...(release === undefined ? {} : { release }), ...(buildId === undefined ? {} : { buildId }) };
}
