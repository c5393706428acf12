import { COMMON_OPTIONS, type Command, type OptionSpec, UsageError } from './command.js';
import { COMMANDS } from './commands.js';
import { paragraphs } from './help.js';

// Completions and the man page: of the same tables as the parser and --help.

/** A command with its options. */
interface Described {
  readonly name: string;
  readonly summary: string;
  readonly command: Command;
  readonly options: readonly (readonly [name: string, spec: OptionSpec])[];
}

/** Every command, loaded. */
async function described(): Promise<Described[]> {
  return Promise.all(
    Object.entries(COMMANDS).map(async ([name, [summary, load]]) => {
      const command = await load();
      return { name, summary, command, options: Object.entries({ ...command.options, ...COMMON_OPTIONS }) };
    }),
  );
}

const SHELLS: Readonly<Record<string, (commands: readonly Described[]) => string[]>> = { bash, zsh, fish };

/** What a shell reads to complete `kelf`. @throws UsageError for a shell that there is none for */
export async function completion(shell: string | undefined): Promise<string> {
  if (shell === undefined || !Object.hasOwn(SHELLS, shell))
    throw new UsageError(`completion: name a shell: ${Object.keys(SHELLS).join(', ')}`);
  return [...SHELLS[shell]!(await described()), ''].join('\n');
}

/** `btf` and `bpf`, each with the second words that follow it. */
function groupsOf(commands: readonly Described[]): Map<string, Described[]> {
  const groups = new Map<string, Described[]>();
  for (const command of commands) {
    const [first, second] = command.name.split(' ');
    if (second !== undefined) groups.set(first!, [...(groups.get(first!) ?? []), command]);
  }
  return groups;
}

function flags(name: string, { short }: OptionSpec): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
}

/** `kelf`'s first words, and those that follow them; then options, and files where none is asked for. */
function bash(commands: readonly Described[]): string[] {
  const groups = groupsOf(commands);
  const first = new Set(commands.map(({ name }) => name.split(' ')[0]!));
  // Commands of two words come first: `btf dump` is no `btf`.
  const ordered = [...commands].sort((a, b) => Number(b.name.includes(' ')) - Number(a.name.includes(' ')));
  return [
    '# kelf completion bash: source it, or put it into /etc/bash_completion.d',
    '_kelf() {',
    `  local cur="\${COMP_WORDS[COMP_CWORD]}" words=""`,
    '  COMPREPLY=()',
    '  if ((COMP_CWORD == 1)); then',
    `    words='${[...first].join(' ')}'`,
    '  else',
    `    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in`,
    ...ordered.flatMap(({ name, options }) => [
      `    '${name}'${name.includes(' ') ? '' : "' '*"})`,
      `      [[ $cur == -* ]] && words='${options.flatMap(([option, spec]) => flags(option, spec)).join(' ')}' ;;`,
    ]),
    ...[...groups].map(
      ([group, all]) => `    '${group} '*) ((COMP_CWORD == 2)) && words='${all.map(({ name }) => name.split(' ')[1]).join(' ')}' ;;`,
    ),
    '    esac',
    '  fi',
    '  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '}',
    'complete -o default -F _kelf kelf',
  ];
}

function zsh(commands: readonly Described[]): string[] {
  const groups = groupsOf(commands);
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const entry = (word: string, summary: string): string => quoted(`${word.replaceAll(':', '\\:')}:${summary}`);
  const first = [
    ...commands.filter(({ name }) => !name.includes(' ')).map(({ name, summary }) => entry(name, summary)),
    ...[...groups.keys()].map(group => entry(group, `the ${group} commands`)),
  ];
  const option = (name: string, spec: OptionSpec): string[] =>
    flags(name, spec).map(flag => {
      const help = spec.help.replace(/[[\]:\\]/g, '\\$&');
      const value = spec.type === 'boolean' ? '' : `:${spec.value ?? 'VALUE'}:_files`;
      return quoted(`${spec.multiple === true ? '*' : ''}${flag}${value !== '' && flag.startsWith('--') ? '=' : ''}[${help}]${value}`);
    });
  return [
    '#compdef kelf',
    '# kelf completion zsh: put it as _kelf into a folder of $fpath',
    '_kelf() {',
    '  local -a commands',
    '  if ((CURRENT == 2)); then',
    `    commands=(${first.join(' ')})`,
    '    _describe command commands',
    '    return',
    '  fi',
    '  case "$words[2]" in',
    ...[...groups].flatMap(([group, all]) => [
      `  ${group})`,
      '    if ((CURRENT == 3)); then',
      `      commands=(${all.map(({ name, summary }) => entry(name.split(' ')[1]!, summary)).join(' ')})`,
      '      _describe command commands',
      '      return',
      '    fi ;;',
    ]),
    '  esac',
    '  case "$words[2] $words[3]" in',
    ...[...commands]
      .sort((a, b) => Number(b.name.includes(' ')) - Number(a.name.includes(' ')))
      .flatMap(({ name, options }) => [
        `  '${name}'${name.includes(' ') ? '' : "' '*"})`,
        `    _arguments ${[...options.flatMap(([each, spec]) => option(each, spec)), "'*:file:_files'"].join(' ')} ;;`,
      ]),
    '  esac',
    '}',
    '_kelf "$@"',
  ];
}

function fish(commands: readonly Described[]): string[] {
  const groups = [...groupsOf(commands)];
  const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
  const none = `not __fish_seen_subcommand_from ${[...new Set(commands.map(({ name }) => name.split(' ')[0]))].join(' ')}`;
  const within = (name: string): string => {
    const [first, second] = name.split(' ');
    if (second !== undefined) return `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    return `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${groups.map(([group]) => group).join(' ')}`;
  };
  return [
    '# kelf completion fish: put it as kelf.fish into ~/.config/fish/completions',
    ...commands.map(({ name, summary }) => {
      const [first, second] = name.split(' ');
      return second === undefined
        ? `complete -c kelf -n '${none}' -a ${first} -d ${quoted(summary)}`
        : `complete -c kelf -n '__fish_seen_subcommand_from ${first}' -a ${second} -d ${quoted(summary)}`;
    }),
    ...groups.map(([group]) => `complete -c kelf -n '${none}' -a ${group} -d 'the ${group} commands'`),
    ...commands.flatMap(({ name, options }) =>
      options.map(
        ([option, { type, short, help }]) =>
          `complete -c kelf -n '${within(name)}' -l ${option}${short === undefined ? '' : ` -s ${short}`}${type === 'string' ? ' -r' : ''} -d ${quoted(help)}`,
      ),
    ),
  ];
}

/** kelf(1), for man(7). */
export async function manPage(version: string): Promise<string> {
  const commands = await described();
  return [
    `.TH KELF 1 "" "kelf ${version}" "User Commands"`,
    '.SH NAME',
    'kelf \\- reads Linux kernels and BPF objects from their files',
    '.SH SYNOPSIS',
    '.B kelf',
    roff('COMMAND [OPTION…] [FILE] [NAME…]'),
    '.SH DESCRIPTION',
    'Options stand before or behind the command. \\- in the place of a file is stdin; in the place of a name, the names on stdin.',
    '.SH COMMANDS',
    ...commands.flatMap(({ name, command, options }) => [
      `.SS ${roff(`kelf ${name} ${command.usage}`)}`,
      ...paragraphs(command.about).flatMap((paragraph, i) => [...(i === 0 ? [] : ['.PP']), roff(paragraph)]),
      ...options.flatMap(([option, spec]) => [
        '.TP',
        `.B ${roff(`${flags(option, spec).join(', ')}${spec.value === undefined ? '' : ` ${spec.value}`}`)}`,
        roff(spec.help),
      ]),
      '.PP',
      'Examples:',
      '.nf',
      ...command.examples.map(example => roff(`kelf ${name} ${example}`)),
      '.fi',
    ]),
    '.SH EXIT STATUS',
    ...[
      ['0', 'fine'],
      ['1', 'findings'],
      ['2', 'usage error'],
      ['3', 'unreadable or malformed input'],
      ['4', 'the input lacks what the question needs, or nothing has the name'],
      ['70', 'internal error'],
      ['74', 'the output could not be written'],
    ].flatMap(([code, says]) => ['.TP', `.B ${code}`, says!]),
    '',
  ].join('\n');
}

/** A line of text as roff has it. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^(?=[.'])/, '\\&');
}
