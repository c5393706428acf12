#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { printable } from '../../elf/escape.js';
import { OutputError } from '../errors.js';
import { argumentsOf } from '../node/paths.js';
import { toJson } from '../report/json.js';
import { COMMON_OPTIONS, type Command, type Context, EXIT, type OptionTable, parseArgsConfig, UsageError } from './command.js';
import { COMMANDS } from './commands.js';
import { handOver } from './hand-over.js';
import { commandHelp, overview } from './help.js';
import { isClosedPipe, type Output, outputTo } from './output.js';

/** Runs `kelf` with its arguments. @param say writes a line on stderr @returns the exit code */
export async function main(argv: readonly string[], out: Output, say: (line: string) => void): Promise<number> {
  const note = (line: string): void => say(printable(line));
  let debug = argv.includes('--debug');
  const json = argv.includes('--json');
  try {
    const found = findCommand(argv);
    if (found === undefined) {
      if (argv[0] === '--version') out.line(version());
      else if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h' || argv[0] === 'help') out.text(overview(COMMANDS));
      else {
        const group = Object.entries(COMMANDS).filter(([name]) => name.startsWith(`${argv[0]} `));
        if (group.length === 0) throw new UsageError(`no command '${argv[0]}'; 'kelf --help' lists them`);
        if (argv.length > 1 && !['--help', '-h'].includes(argv[1]!))
          throw new UsageError(`no command '${argv[0]} ${argv[1]}'; 'kelf ${argv[0]}' lists the ${argv[0]} commands`);
        out.text(overview(Object.fromEntries(group)));
      }
      return EXIT.ok;
    }
    const { name, rest } = found;
    const command: Command = await COMMANDS[name]![1]();
    const table = { ...command.options, ...COMMON_OPTIONS };
    const { values, positionals } = parse(rest, table);
    debug = values['debug'] === true;
    if (values['help'] === true) {
      out.text(commandHelp(name, command));
      return EXIT.ok;
    }
    const [least, most] = command.arity;
    if (positionals.length < least || positionals.length > most) {
      throw new UsageError(`usage: kelf ${name} ${command.usage}   ('kelf ${name} --help' says more)`);
    }
    const options = values as Context['options'];
    return (await command.run({ args: positionals, options, out, note, write: handOver(options, out) })) ?? EXIT.ok;
  } catch (error) {
    if (isClosedPipe(error)) return EXIT.ok;
    if (!(error instanceof Error)) throw error;
    const code = exitCode(error);
    if (json && code !== EXIT.output) out.line(toJson({ error: { code: errorCode(error), message: error.message } }));
    note(`kelf: ${code === EXIT.internal ? 'internal error, please report it: ' : ''}${error.message}`);
    if (debug || code === EXIT.internal) for (const line of (error.stack ?? '').split('\n')) note(line);
    return code;
  }
}

/** The longest run of leading words that is a command: `btf dump` before `btf`. */
function findCommand(argv: readonly string[]): { name: string; rest: readonly string[] } | undefined {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(' ');
    if (argv.length >= words && Object.hasOwn(COMMANDS, name)) return { name, rest: argv.slice(words) };
  }
  return undefined;
}

function parse(args: readonly string[], options: OptionTable): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options: parseArgsConfig(options), allowPositionals: true, strict: true });
  } catch (error) {
    // Node's own have two lines at times.
    throw new UsageError((error as Error).message.replaceAll('\n', ' '));
  }
}

function exitCode(error: Error): number {
  if (error.name === 'UsageError' || error.name === 'RequirementsError') return EXIT.usage;
  if (error.name === 'MissingError') return EXIT.missing;
  if (error.name === 'FormatError' || error.name === 'InputError') return EXIT.input;
  if (error.name === 'OutputError') return EXIT.output;
  return EXIT.internal;
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
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
];

if (process.env['KELF_NO_MAIN'] === undefined) {
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  // Until it has run to its end.
  process.exitCode = EXIT.internal;
  void run().then(code => {
    process.exitCode = code;
  });
}
