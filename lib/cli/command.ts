import type { ParseArgsConfig } from 'node:util';
import type { Report } from '../report/report.js';
import type { Output } from './output.js';

/** An option of a command. The table drives the parser and `--help`. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the usage line: `FILE`, `N`. */
  readonly value?: string;
  readonly help: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;
/** What was given for each option: a string, a list where `multiple`, true for a switch. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]?: T[K]['type'] extends 'boolean' ? boolean : T[K]['multiple'] extends true ? string[] : string;
};

/** Writes a report, as the options of the command ask for it. */
export type Write = <M extends object>(report: Report<M>, model: M) => void;

/** What a command is given to work with. */
export interface Context<T extends OptionTable = OptionTable> {
  readonly args: readonly string[];
  readonly options: OptionValues<T>;
  /** For dumps, whose text is the bytes of a table; answers are handed over to `write`. */
  readonly out: Output;
  readonly write: Write;
  /** Warnings and notes, each a line on stderr. */
  note(line: string): void;
}

/** One command of `kelf`. Its module is loaded only when it is called. */
export interface Command<T extends OptionTable = OptionTable> {
  /** The arguments in the usage line: `FILE NAME…`. */
  readonly usage: string;
  /** How many positional arguments it takes: at least, at most. */
  readonly arity: readonly [number, number];
  /** Under the usage line. A line that ends a sentence ends a paragraph; `--help` breaks the others anew. */
  readonly about: string;
  /** Two calls, as `--help` and the man page show them: what follows `kelf COMMAND`. */
  readonly examples: readonly [string, string];
  readonly options: T;
  /** @returns the exit code, 0 where nothing is returned */
  run(context: Context<T>): Promise<number | undefined> | number | undefined;
}

/** The identity, for inference of the options' types. */
export function command<const T extends OptionTable>(definition: Command<T>): Command<T> {
  return definition;
}

/** A usage error: exit 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** Exit 4. */
export { MissingError } from '../errors.js';

export const EXIT = {
  ok: 0,
  findings: 1,
  usage: 2,
  input: 3,
  missing: 4,
  internal: 70,
  /** EX_IOERR of sysexits.h. */
  output: 74,
} as const;

/** `--json`, of the commands whose answer is all that is printed. */
export const JSON_OPTION = { type: 'boolean', help: 'print JSON' } as const;

/** `--ndjson`, of answers about many things. */
export const NDJSON_OPTION = { type: 'boolean', help: 'print JSON, one line per item' } as const;

/** `--kernel`, of the commands that ask each kernel in turn. */
export const EACH_KERNEL_OPTION = {
  type: 'string',
  short: 'k',
  multiple: true,
  value: 'FILE',
  help: 'ask this kernel; repeatable. All arguments are names then, and an answer for each kernel is printed',
} as const;

/** `--markdown` and `--csv`, of answers that are rows. */
export const MARKDOWN_OPTION = { type: 'boolean', help: 'print tables in Markdown' } as const;
export const CSV_OPTION = { type: 'boolean', help: 'print CSV' } as const;

/** Options every command has. */
export const COMMON_OPTIONS: OptionTable = {
  help: { type: 'boolean', short: 'h', help: 'print this help and exit' },
  color: { type: 'string', value: 'WHEN', help: 'colour text: always, never, or auto (only on a terminal)' },
  quiet: { type: 'boolean', short: 'q', help: 'print no notes on stderr; errors are printed' },
  debug: { type: 'boolean', help: 'print the stack trace of an error' },
};

export function parseArgsConfig(options: OptionTable): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  );
}
