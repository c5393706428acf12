import { COMMON_OPTIONS, type Command } from './command.js';
import type { CommandTable } from './commands.js';

/** `kelf --help`. */
export function overview(commands: CommandTable): string {
  const names = Object.keys(commands);
  const width = Math.max(...names.map(name => name.length));
  return [
    'usage: kelf COMMAND [OPTION…] [FILE] [NAME…]',
    '',
    'Reads Linux kernels and BPF objects from their files.',
    '',
    ...names.map(name => `  ${name.padEnd(width)}  ${commands[name]![0]}`),
    '',
    ...wrap(
      "'kelf COMMAND --help' says more. Exit codes: 0 fine, 1 findings, 2 usage error, 3 unreadable or malformed input, 4 the input lacks what the " +
        'question needs, or nothing has the name, 70 internal error, 74 the output could not be written.',
    ),
    '',
    ...wrap("'kelf completion bash|zsh|fish' prints what the shell reads to complete commands and options."),
    '',
  ].join('\n');
}

/** `kelf COMMAND --help`. */
export function commandHelp(name: string, command: Command): string {
  const rows = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([option, { short, value, help }]) => [
    `${short === undefined ? '    ' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);
  const width = Math.max(...rows.map(row => row[0]!.length));
  return [
    ...wrap(`usage: kelf ${name} ${command.usage}`).map((line, i) => (i === 0 ? line : `  ${line}`)),
    '',
    ...paragraphs(command.about).flatMap(paragraph => wrap(paragraph)),
    '',
    ...rows.flatMap(([left, right]) =>
      wrap(right!, COLUMNS - width - 4).map((line, i) => `  ${(i === 0 ? left! : '').padEnd(width)}  ${line}`),
    ),
    '',
    'examples:',
    ...command.examples.flatMap(example => exampleLines(`kelf ${name} ${example}`)),
    '',
  ].join('\n');
}

/** What a command is about, without the breaks of its source. */
export function paragraphs(about: string): string[] {
  return about.replace(/(?<![.:])\n/g, ' ').split('\n');
}

/** A call, continued as a shell reads it where it is longer than a line. */
function exampleLines(call: string): string[] {
  const lines = wrap(call, COLUMNS - 6);
  return lines.map((line, i) => `  ${i === 0 ? '' : '  '}${line}${i < lines.length - 1 ? ' \\' : ''}`);
}

/** Of a terminal. */
const COLUMNS = 80;

/** Words in lines of at most so many characters; a longer word is a line. */
function wrap(text: string, columns = COLUMNS): string[] {
  return text
    .split('\n')
    .flatMap(paragraph => paragraph.match(new RegExp(`\\S{${columns},}|\\S.{0,${columns - 1}}(?=\\s|$)`, 'g')) ?? ['']);
}
