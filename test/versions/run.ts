import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// `npm run test:versions`: the tests on every Node that kelf supports, and its types in a program under the oldest and the newest TypeScript. Both
// are packages of npm; a version that can't be had is reported, and the exit code is 75 (EX_TEMPFAIL) where nothing failed but that.

const NODES = ['20', '22', '24', '26'];
/** The oldest that the README names, and the newest. */
const COMPILERS = ['5.7', 'latest'];
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A program of somebody's, which uses each entry point. */
const PROGRAM = `
import { type Kernel, openKernel } from 'kelf';
import { openBpfObject, Preflight } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { isFormatError } from 'kelf/elf';
import { parseKallsyms } from 'kelf/kallsyms';

const kernel: Kernel = await openKernel(new Uint8Array(), { name: 'vmlinux' });
const outcome: 'accepted' | 'refused' | 'open' = kernel.traceability('tty_write').kprobe.byName.outcome;
console.log(outcome, new Preflight(kernel).check(openBpfObject(new Uint8Array())), isFormatError, Btf, parseKallsyms);
`;

type Outcome = 'passed' | 'failed' | 'not to be had';

const outcomes = new Map<string, Outcome>();
for (const version of NODES) outcomes.set(`tests on Node ${version}`, onNode(version));
for (const version of COMPILERS) outcomes.set(`types under TypeScript ${version}`, underCompiler(version));
for (const [what, outcome] of outcomes) console.log(`${outcome.padEnd(13)}  ${what}`);
const all = [...outcomes.values()];
process.exitCode = all.includes('failed') ? 1 : all.includes('not to be had') ? 75 : 0;

function onNode(version: string): Outcome {
  const node = ['-y', `--package=node@${version}`, '--'];
  if (!runs('npx', [...node, 'node', '--version'], ROOT)) return 'not to be had';
  return runs('npx', [...node, 'node', 'node_modules/mocha/bin/mocha.js', '--reporter', 'dot'], ROOT) ? 'passed' : 'failed';
}

/** The program, with kelf as a package of it. */
function underCompiler(version: string): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-types-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    if (!runs('npm', ['install', '--no-save', '--silent', `typescript@${version}`], folder)) return 'not to be had';
    mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
    // Copies: types that stand outside of the folder are looked up there.
    for (const name of ['@types/node', 'undici-types'])
      cpSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
    symlinkSync(ROOT, join(folder, 'node_modules/kelf'));
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023', '--types', 'node'];
    return runs('node', ['node_modules/typescript/bin/tsc', ...options, 'program.ts'], folder) ? 'passed' : 'failed';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runs(program: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
