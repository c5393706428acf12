#!/usr/bin/env node
import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { printable } from '../../elf/escape.js';
import { InputError, OutputError } from '../errors.js';
import { argumentsOf } from '../node/paths.js';
import { errorModel, errorReport } from '../report/error.js';
import { FORMATS } from '../report/report.js';
import { didYouMean } from '../similar-names.js';
import {
  COMMON_OPTIONS,
  type Command,
  type Context,
  EACH_KERNEL_OPTION,
  EXIT,
  type OptionTable,
  parseArgsConfig,
  UsageError,
} from './command.js';
import { COMMANDS } from './commands.js';
import { formatsOfGate, isGate } from './gate.js';
import { handOver } from './hand-over.js';
import { commandHelp, overview } from './help.js';
import { isClosedPipe, type Output, outputTo } from './output.js';

/** Runs `kelf` with its arguments. @param say writes a line on stderr @returns the exit code */
export async function main(argv: readonly string[], out: Output, say: (line: string) => void): Promise<number> {
  const note = (line: string): void => say(printable(line));
  let debug = argv.includes('--debug');
  const json = argv.some(
    (word, i) => ['--json', '--ndjson', '--format=json'].includes(word) || (word === 'json' && argv[i - 1] === '--format'),
  );
  let given: readonly string[] = [];
  try {
    const found = await findCommand(argv);
    if (found === undefined) {
      out.text(argv[0] === 'completion' ? await (await import('./shells.js')).completion(argv[1]) : withoutCommand(argv));
      return EXIT.ok;
    }
    const { name, command, rest } = found;
    const table = { ...command.options, ...COMMON_OPTIONS };
    const { values, positionals } = parse(name, rest, table);
    debug = values['debug'] === true;
    given = positionals;
    if (values['help'] === true) {
      out.text(commandHelp(name, command));
      return EXIT.ok;
    }
    expectArity(name, command, positionals.length + (asksEach(command) && values['kernel'] !== undefined ? 1 : 0));
    const options = values as Context['options'];
    const quiet = values['quiet'] === true;
    const write = handOver(isGate(command.options) ? formatsOfGate(options) : options, out);
    const context: Context = { args: positionals, options, out, note: quiet ? () => {} : note, write };
    const kernels = asksEach(command) ? (options['kernel'] as readonly string[] | undefined) : undefined;
    return (
      (await (kernels === undefined
        ? command.run(context)
        : (await import('./each-kernel.js')).askEach(command, kernels, context, note))) ?? EXIT.ok
    );
  } catch (error) {
    if (isClosedPipe(error)) return EXIT.ok;
    if (!(error instanceof Error)) throw error;
    const code = exitCode(error);
    if (json && code !== EXIT.output) for (const line of FORMATS.json(errorReport, errorModel(error))) out.line(line);
    const message = `${code === EXIT.internal ? 'internal error, please report it: ' : ''}${error.message}${hintOf(error, given)}`;
    // A list has a line for each of its problems.
    for (const line of error.name === 'RequirementsError' ? message.split('\n') : [message]) note(`kelf: ${line}`);
    if (debug || code === EXIT.internal) for (const line of (error.stack ?? '').split('\n')) note(line);
    return code;
  }
}

/** Whether --kernel asks each kernel in turn: of gates it is a column of one answer. */
function asksEach({ options }: Command): boolean {
  return options['kernel'] === EACH_KERNEL_OPTION;
}

interface Found {
  readonly name: string;
  readonly command: Command;
  readonly rest: readonly string[];
}

/** The command, which options may stand before: the longest run of words that is one, `btf dump` before `btf`. `kelf help trace` is its help. */
async function findCommand(argv: readonly string[]): Promise<Found | undefined> {
  if (argv[0] === 'help' && argv.length > 1) return findCommand([...argv.slice(1), '--help']);
  for (let at = 0; at < argv.length && argv[at] !== '--'; at++) {
    const found = await commandAt(argv, at);
    if (found !== undefined && !isValue(argv[at - 1], found.command)) return found;
    // A word behind an option may be its value; which it has is known with the command.
    if (!argv[at]!.startsWith('-') && !argv[at - 1]?.startsWith('-')) return undefined;
  }
  return undefined;
}

async function commandAt(argv: readonly string[], at: number): Promise<Found | undefined> {
  for (const words of [2, 1]) {
    const name = argv.slice(at, at + words).join(' ');
    if (argv.length < at + words || !Object.hasOwn(COMMANDS, name)) continue;
    return { name, command: await COMMANDS[name]![1](), rest: [...argv.slice(0, at), ...argv.slice(at + words)] };
  }
  return undefined;
}

/** Whether what follows a word is the value of an option. */
function isValue(before: string | undefined, { options }: Command): boolean {
  if (before === undefined) return false;
  const [, long, short] = /^(?:--([\w-]+)|-(\w))$/.exec(before) ?? [];
  return Object.entries(options).some(
    ([name, option]) => option.type === 'string' && (name === long || (short !== undefined && option.short === short)),
  );
}

/** What is printed where no command is named. @throws UsageError for one that is none */
function withoutCommand(argv: readonly string[]): string {
  const [first, ...more] = argv.filter(word => word !== '--help' && word !== '-h' && word !== 'help');
  if (first === undefined) return overview(COMMANDS);
  if (['--version', '-V', 'version'].includes(first)) return `${version()}\n`;
  const names = Object.keys(COMMANDS);
  const group = names.filter(name => name.startsWith(`${first} `));
  if (group.length === 0) {
    if (first.startsWith('-')) throw new UsageError(`no command given: ${first} is not one; 'kelf --help' lists them`);
    // Of the commands of two words, the second alone is asked for as well: `kelf disasm`.
    const second = names.filter(name => name.endsWith(` ${first}`));
    const meant =
      second.length > 0
        ? `; did you mean ${second.join(' or ')}?`
        : didYouMean(first, [...names, ...names.map(name => name.split(' ')[0]!)]);
    throw new UsageError(`no command '${first}'${meant}; 'kelf --help' lists them`);
  }
  if (more.length > 0) {
    const meant = didYouMean(`${first} ${more[0]}`, group);
    throw new UsageError(`no command '${first} ${more[0]}'${meant}; 'kelf ${first}' lists the ${first} commands`);
  }
  return overview(Object.fromEntries(group.map(name => [name, COMMANDS[name]!])));
}

/** @throws UsageError that says what is missing, or too much */
function expectArity(name: string, { arity: [least, most], usage }: Command, count: number): void {
  if (count >= least && count <= most) return;
  const takes = count < least ? `at least ${least}` : most === 0 ? 'no' : `at most ${most}`;
  const plural = takes === 'at least 1' || takes === 'at most 1' ? '' : 's';
  throw new UsageError(
    `${name} takes ${takes} argument${plural}, and ${count} ${count === 1 ? 'is' : 'are'} given; usage: kelf ${name} ${usage}   ('kelf ${name} --help' says more)`,
  );
}

/** What may have been meant, where the first argument is no file. */
function hintOf(error: Error, [first, ...others]: readonly string[]): string {
  if (!(error instanceof InputError) || error.code !== 'ENOENT' || error.path !== first) return '';
  const file = others.find(other => statSync(other, { throwIfNoEntry: false })?.isFile());
  return file === undefined ? '' : `; ${file} is a file: the file comes first, names behind it`;
}

function parse(name: string, args: readonly string[], options: OptionTable): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options: parseArgsConfig(options), allowPositionals: true, strict: true });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const unknown = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'(-[^']*)'/.exec(message)?.[1] : undefined;
    if (unknown !== undefined) {
      const meant = didYouMean(
        unknown,
        Object.keys(options).map(option => `--${option}`),
      );
      throw new UsageError(
        `${name} has no option ${unknown}${meant}; 'kelf ${name} --help' lists them, and -- comes before a name that begins with -`,
      );
    }
    // Node's own have two lines at times.
    throw new UsageError(message.replaceAll('\n', ' '));
  }
}

function exitCode(error: Error): number {
  if (error.name === 'UsageError' || error.name === 'RequirementsError') return EXIT.usage;
  if (error.name === 'MissingError') return EXIT.missing;
  if (error.name === 'FormatError' || error.name === 'InputError') return EXIT.input;
  if (error.name === 'OutputError') return EXIT.output;
  return EXIT.internal;
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  return `kelf ${version}`;
}

const stderr = outputTo(2);

/** A line on stderr. It is no part of the answer: where it can't be written, the answer stays what it is. */
function say(line: string): void {
  try {
    stderr.line(line).flush();
  } catch (error) {
    if (!(error instanceof OutputError) && !isClosedPipe(error)) throw error;
  }
}

async function run(): Promise<number> {
  const out = outputTo(1);
  const code = await main(argumentsOf(process.argv.slice(2)), out, say);
  try {
    out.flush();
  } catch (error) {
    if (isClosedPipe(error)) return code;
    if (!(error instanceof OutputError)) throw error;
    say(`kelf: ${error.message}`);
    return EXIT.output;
  }
  return code;
}

/** For a process of a quarter of a second, most of which V8 compiles. */
const V8_FLAGS = [
  // Functions are compiled into those that call them, up to 920 bytes for each, which takes longer than it saves. Processor time with 200 on a
  // kernel, Node 20: btf dump c 0.77, audit 0.85, addr 0.91, duplicates 0.93, why 0.95, trace and symbols 0.97.
  '--max-inlined-bytecode-size-cumulative=200',
  // While another thread compiles a loop, the interpreter goes on with it. Without: trace 0.89, duplicates 0.90, why 0.91, addr, audit and dumps
  // 0.96 to 0.98 on Node 20; trace and duplicates 0.86 on 24, 0.83 on 26. On 24, the second flag without the first doubles them.
  '--no-concurrent-recompilation',
  '--no-concurrent-osr',
  // The first turn of a loop is not compiled apart: btf dump c 0.93, trace and why 0.97, other dumps 0.98 to 1.00 on Node 20; no difference on 24.
  '--no-turbo-loop-peeling',
  // Where Maglev makes code first, in V8 13 of Node 24, TurboFan makes it better for a process that ends before: it is left to loops that go on. On
  // Node 24: btf dump c 0.80, audit 0.92, symbols 0.95, trace 0.98, btf dump raw 1.05, json 1.08, unpacking and the rest 0.98 to 1.02.
  ...(Number.parseInt(process.versions.v8, 10) >= 13 ? ['--invocation-count-for-turbofan=1000000'] : []),
];

if (process.env['KELF_NO_MAIN'] === undefined) {
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  // Until it has run to its end.
  process.exitCode = EXIT.internal;
  void run().then(code => {
    process.exitCode = code;
  });
}
