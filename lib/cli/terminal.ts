import { isReasonCode } from '../reasons.js';
import { UsageError } from './command.js';
import type { Output } from './output.js';

/** How a text is shown: within so many columns, where that many are known, and in colour. */
export interface Look {
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** When there is colour: what `--color` takes. */
export type When = 'auto' | 'always' | 'never';
const WHENS: readonly string[] = ['auto', 'always', 'never'] satisfies When[];

/** @throws UsageError */
export function whenColoured(option: unknown): When {
  const when = String(option ?? 'auto');
  if (!WHENS.includes(when)) throw new UsageError(`--color: '${when}' is not one of ${WHENS.join(', ')}`);
  return when as When;
}

/**
 * Text is fitted to a terminal and whole elsewhere. `--color` decides on colour; then FORCE_COLOR, which Node's own tools put above NO_COLOR
 * (no-color.org); then whether it is a terminal that knows colours.
 */
export function lookOf(out: Output, when: When, env: NodeJS.ProcessEnv): Look {
  const columns = out.columns();
  return { columns, colour: when === 'always' || (when !== 'never' && isColourful(columns !== undefined, env)) };
}

function isColourful(terminal: boolean, { FORCE_COLOR, NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return terminal && !NO_COLOR && TERM !== 'dumb';
}

/** Lines as they are shown. What is in them is escaped before: only what is put here tells a terminal anything. */
export function* linesOn({ columns, colour }: Look, lines: Iterable<string>): Generator<string> {
  for (const line of lines) for (const part of columns === undefined ? [line] : fitted(line, columns)) yield colour ? coloured(part) : part;
}

/** In fewer columns nothing is readable, however it is broken. */
const FEWEST = 20;

/**
 * A line in lines of so many columns, broken between words; those that follow are indented to its last cell, if that begins in the first half. A word
 * that is longer than a line is broken anywhere: none is left out. Cells between tabs are the terminal's to place.
 */
function fitted(line: string, columns: number): string[] {
  if (line.length <= columns || columns < FEWEST || line.includes('\t')) return [line];
  // Words, each behind the blanks before it.
  const [first, ...parts] = line.split(/( +)/);
  const words = [['', first!], ...Array.from({ length: parts.length / 2 }, (_, i) => [parts[i * 2]!, parts[i * 2 + 1]!])];
  const hang = ' '.repeat(hangOf(words, columns));
  const lines: string[] = [];
  let current = '';
  let empty = true;
  for (const [blanks, word] of words) {
    if (word === '') continue;
    if (!empty && current.length + blanks!.length + word!.length > columns) {
      lines.push(current);
      current = hang;
      empty = true;
    }
    // A line that is continued begins at its indentation.
    current += (empty && lines.length > 0 ? '' : blanks!) + word!;
    empty = false;
    while (current.length > columns) {
      lines.push(current.slice(0, columns));
      current = hang + current.slice(columns);
    }
  }
  return [...lines, current];
}

/** Where lines that follow begin: at the last cell that begins in the first half and leaves its words room, or a little further in than the line. */
function hangOf(words: readonly (readonly string[])[], columns: number): number {
  const longest = words.reduce((most, [, word]) => Math.max(most, word!.length), 0);
  let at = 0;
  let hang: number | undefined;
  for (const [blanks, word] of words) {
    at += blanks!.length;
    if (at > columns / 2) break;
    if (hang === undefined && word !== '') hang = at + 2;
    else if (blanks!.length > 1 && word !== '' && at + longest <= columns) hang = at;
    at += word!.length;
  }
  return Math.min(hang ?? 2, columns / 2);
}

const GREEN = 32;
const RED = 31;
const YELLOW = 33;

/** Words for outcomes, which stand in a cell by themselves. */
const COLOURS: Readonly<Record<string, number>> = {
  yes: GREEN,
  accepted: GREEN,
  passed: GREEN,
  passes: GREEN,
  no: RED,
  refused: RED,
  failed: RED,
  fails: RED,
  open: YELLOW,
};

/** A cell that is a word, or begins with one that a colon or a parenthesis follows; or any word that may be a code. */
const WORDS = /(?<=^| {2})([a-z]+)(?=$|:| {2}| \()|(?<![\w-])[\w-]+/g;

/** Outcomes in their colours, codes of reasons bold. */
function coloured(line: string): string {
  return line.replace(WORDS, (word, outcome?: string) => {
    if (outcome !== undefined && Object.hasOwn(COLOURS, outcome)) return `\x1b[${COLOURS[outcome]}m${word}\x1b[39m`;
    return word.includes('-') && isReasonCode(word) ? `\x1b[1m${word}\x1b[22m` : word;
  });
}
