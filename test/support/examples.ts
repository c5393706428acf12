import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KELF } from './cli.js';

/** The root of the package, from dist/test/support. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

/** A command of the documents and the output that is shown below it. */
export interface Example {
  readonly file: string;
  readonly command: string;
  readonly shown: readonly string[];
  /** The kernel that it is about: what a comment behind the command says, or, on the page of a reason, the last one that was mentioned. */
  readonly machine: 'amd64' | 'arm64';
}

/** The documents that show output. */
export function documents(): string[] {
  const folder = (name: string): string[] =>
    readdirSync(`${ROOT}${name}`)
      .filter(file => file.endsWith('.md'))
      .map(file => `${name}/${file}`);
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...folder('docs/guide'), ...folder('docs/reasons')];
}

/** The examples of a document: in a fenced block or an indented one, `$ kelf …` and the lines up to the next command or the end of the block. */
export function examplesOf(file: string): Example[] {
  const examples: { file: string; command: string; shown: string[]; machine: 'amd64' | 'arm64' }[] = [];
  let fenced = false;
  let open = false;
  let mentioned = 'amd64';
  for (const line of readFileSync(`${ROOT}${file}`, 'utf8').split('\n')) {
    if (line.startsWith('```')) {
      fenced = !fenced;
      open = false;
      continue;
    }
    const code = fenced ? line : line.startsWith('    ') ? line.slice(4) : undefined;
    if (code === undefined) {
      if (line !== '') open = false;
      if (file.startsWith('docs/reasons/')) mentioned = /.*(amd64|arm64)/.exec(line)?.[1] ?? mentioned;
    } else if (code.startsWith('$ ')) {
      open = code.startsWith('$ kelf ');
      const [command, comment = mentioned] = code.slice(2).split(/\s+# /);
      if (open) examples.push({ file, command: command!, shown: [], machine: comment.includes('arm64') ? 'arm64' : 'amd64' });
    } else if (open) {
      examples.at(-1)!.shown.push(code);
    }
  }
  return examples.filter(({ shown }) => shown.some(line => line !== ''));
}

/** What a command prints in a folder; with `2>&1` in the command, stderr too. */
export function outputOf(command: string, folder: string): string[] {
  const script = `kelf() { "$KELF_NODE" "$KELF_CLI" "$@"; }; ${command}`;
  const env = { ...process.env, KELF_NODE: process.execPath, KELF_CLI: KELF };
  return spawnSync('bash', ['-c', script], { cwd: folder, env, encoding: 'utf8', maxBuffer: 1 << 28 }).stdout.split('\n');
}

/** The first line shown that the output lacks, or that it has and the example leaves out without a mark; undefined where they agree. */
export function difference(shown: readonly string[], output: readonly string[]): string | undefined {
  const actual = output.map(line => line.trimEnd()).filter(line => line !== '');
  let at = 0;
  let skipping = false;
  for (const line of shown.map(text => text.trimEnd()).filter(text => text !== '')) {
    if (line.trim() === '…') {
      skipping = true;
      continue;
    }
    const start = line.endsWith('…') ? line.slice(0, -1).trimEnd() : undefined;
    const same = (text: string | undefined): boolean => text === line || (start !== undefined && text?.startsWith(start) === true);
    if (skipping) while (at < actual.length && !same(actual[at])) at++;
    if (!same(actual[at])) return `shown: ${line}\nprinted: ${actual[at] ?? '(nothing more)'}`;
    at++;
    skipping = false;
  }
  return skipping || at === actual.length ? undefined : `printed and not shown: ${actual[at]}`;
}
