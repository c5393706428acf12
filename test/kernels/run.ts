import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { answers } from './answers.js';
import { btfDumps } from './btf.js';
import { documentedOutputs } from './docs.js';
import { elfTables, relocationTypeNames } from './elf.js';
import { modules } from './modules.js';
import { shippedForms } from './shipped.js';

// `npm run test:kernels`: what kelf reads of real kernels, compared with what the peers print for them. A line for each comparison; exit 1 where
// one fails. The kernels are those of fixtures/fetch-kernels.sh, in the folder KELF_KERNELS or fixtures/kernels.

/** The files of one kernel. */
export interface KernelFiles {
  /** `amd64-6.1` */
  readonly name: string;
  readonly vmlinux: string;
  readonly config: string;
  readonly vmlinuz: string;
  /** The folder of its modules. */
  readonly modules: string;
}

/** The outcome of one comparison: how much was compared, or the first difference. */
export interface Outcome {
  readonly ok: boolean;
  readonly figures: string;
}

/** Runs one comparison, where the peers it needs are installed, and prints its line. */
export type Check = (what: string, peers: readonly string[], compare: () => Promise<Outcome> | Outcome) => Promise<void>;

/** All the comparisons of a part. */
export type Comparisons = (kernel: KernelFiles, check: Check) => Promise<void>;

/** What is compared for each kernel. */
const ALL: readonly Comparisons[] = [elfTables, answers, shippedForms, btfDumps, documentedOutputs, modules];
/** What peers alone are enough for. */
const WITHOUT_KERNEL: readonly ((check: Check) => Promise<void>)[] = [relocationTypeNames];

let failed = 0;
const missing = new Set<string>();

async function main(): Promise<void> {
  for (const comparisons of WITHOUT_KERNEL) await comparisons((what, peers, compare) => runOne('-', what, peers, compare));
  const folder = process.env['KELF_KERNELS'] ?? fileURLToPath(new URL('../../../fixtures/kernels', import.meta.url));
  const kernels = existsSync(folder) ? readdirSync(folder).filter(name => existsSync(`${folder}/${name}/complete`)) : [];
  if (kernels.length === 0) {
    console.log(`skip  no kernels in ${folder}: fixtures/fetch-kernels.sh gets them, or KELF_KERNELS says where they are`);
    return;
  }
  for (const name of kernels) {
    const at = `${folder}/${name}`;
    const files = { name, vmlinux: `${at}/vmlinux`, config: `${at}/config`, vmlinuz: `${at}/vmlinuz`, modules: `${at}/modules` };
    for (const comparisons of ALL) await comparisons(files, (what, peers, compare) => runOne(name, what, peers, compare));
  }
  if (missing.size > 0) console.log(`skip  not installed: ${[...missing].join(', ')}`);
  if (failed > 0) process.exitCode = 1;
}

async function runOne(kernel: string, what: string, peers: readonly string[], compare: () => Promise<Outcome> | Outcome): Promise<void> {
  const absent = peers.filter(peer => !isInstalled(peer));
  for (const peer of absent) missing.add(peer);
  let line: string;
  if (absent.length > 0) {
    line = `skip  ${kernel}  ${what}  needs ${absent.join(', ')}`;
  } else {
    try {
      const { ok, figures } = await compare();
      if (!ok) failed++;
      line = `${ok ? 'ok  ' : 'FAIL'}  ${kernel}  ${what}  ${figures}`;
    } catch (error) {
      failed++;
      line = `FAIL  ${kernel}  ${what}  ${(error as Error).stack}`;
    }
  }
  console.log(line);
}

const installed = new Map<string, boolean>();

function isInstalled(tool: string): boolean {
  let known = installed.get(tool);
  if (known === undefined) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
      known = true;
    } catch {
      known = false;
    }
    installed.set(tool, known);
  }
  return known;
}

await main();
