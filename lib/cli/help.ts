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
    "'kelf COMMAND --help' says more. Exit codes: 0 fine, 1 findings, 2 wrong call, 3 unreadable or malformed input,",
    '4 the input lacks what the question needs, 70 an error of kelf itself, 74 the output could not be written.',
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
    `usage: kelf ${name} ${command.usage}`,
    '',
    command.about,
    '',
    ...rows.map(([left, right]) => `  ${left!.padEnd(width)}  ${right}`),
    '',
  ].join('\n');
}
