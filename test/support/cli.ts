import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Output } from '../../lib/cli/output.js';
import { expectAnswer } from './answer-schemas.js';

/** The command as it is shipped: rollup.config.js. */
export const KELF: string = fileURLToPath(new URL('../../cli/kelf.cjs', import.meta.url));

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

// What the environment of the tests says of colours is of no account.
for (const name of ['FORCE_COLOR', 'NO_COLOR']) delete process.env[name];

/** Runs `kelf` inside this process. */
export function cli(...args: string[]): Promise<CliResult> {
  return cliOn(undefined, ...args);
}

/** The same on a terminal of so many columns. */
export async function cliOn(columns: number | undefined, ...args: string[]): Promise<CliResult> {
  const main = await loadMain();
  const parts: Uint8Array[] = [];
  const notes: string[] = [];
  const out = new Output(
    bytes => parts.push(bytes.slice()),
    () => columns,
  );
  const code = await main(args, out, line => notes.push(line));
  out.flush();
  const stdout = Buffer.concat(parts).toString('utf8');
  // Of several kernels there is a document for each.
  if (stdout.startsWith('{"$schema":"kelf/')) stdout.split(/\n(?=\{"\$schema")/).forEach(expectAnswer);
  return { code, stdout, stderr: notes.map(line => `${line}\n`).join('') };
}

type Main = typeof import('../../lib/cli/main.js').main;

let loading: Promise<Main> | undefined;

/** Once: calls at the same time wait for the same. */
function loadMain(): Promise<Main> {
  loading ??= importMain();
  return loading;
}

async function importMain(): Promise<Main> {
  const before = process.env['KELF_NO_MAIN'];
  process.env['KELF_NO_MAIN'] = '1';
  try {
    return (await import('../../lib/cli/main.js')).main;
  } finally {
    // Processes that other tests start are to run.
    if (before === undefined) delete process.env['KELF_NO_MAIN'];
    else process.env['KELF_NO_MAIN'] = before;
  }
}

/** Runs `kelf` as a process of its own: for exit codes and pipes. Each takes as long as Node does to start. */
export function spawnCli(...args: string[]): CliResult {
  return spawnCliTo('pipe', ...args);
}

/** The same with its standard output elsewhere: a file descriptor. */
export function spawnCliTo(output: number | 'pipe', ...args: string[]): CliResult {
  const { KELF_NO_MAIN: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [KELF, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', output, 'pipe'],
    timeout: 60_000,
    env,
  });
  return { code: status ?? -1, stdout: stdout ?? '', stderr };
}
