import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { answers } from './answers.js';
import { againstBinutils } from './binutils.js';
import { bpfObjects } from './bpf.js';
import { coreRelocations, loadedAndEmbedded } from './bpf-load.js';
import { btfDumps } from './btf.js';
import { type Check, Checks } from './check.js';
import { kernelDiffs } from './diff.js';
import { documentedOutputs } from './docs.js';
import { dwarf } from './dwarf.js';
import { elfTables, relocationTypeNames } from './elf.js';
import { fleetRows } from './fleet.js';
import { instructions } from './instructions.js';
import { modules } from './modules.js';
import { kernelNotations } from './notation.js';
import { attachPrograms } from './recipes.js';
import { shippedForms } from './shipped.js';
import { reasonsOfPahole } from './why.js';

// `npm run test:kernels`: what kelf reads of real kernels, compared with what the peers print for them. A line for each comparison; exit 1 where
// one fails. Kernels may be named (`npm run test:kernels -- arm64-6.12`), else all are compared. They are those of fixtures/fetch-kernels.sh, in the folder KELF_KERNELS or fixtures/kernels.

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

/** All the comparisons of a part. */
export type Comparisons = (kernel: KernelFiles, check: Check) => Promise<void>;

/** What is compared for each kernel. */
const ALL: readonly Comparisons[] = [
  elfTables,
  againstBinutils,
  answers,
  shippedForms,
  btfDumps,
  documentedOutputs,
  modules,
  instructions,
  dwarf,
  coreRelocations,
  reasonsOfPahole,
  attachPrograms,
  fleetRows,
  kernelDiffs,
];
/** What peers alone are enough for. */
const WITHOUT_KERNEL: readonly ((check: Check) => Promise<void>)[] = [relocationTypeNames, bpfObjects, kernelNotations, loadedAndEmbedded];

const checks = new Checks();

async function main(): Promise<void> {
  for (const comparisons of WITHOUT_KERNEL) await comparisons(checks.of('-'));
  const folder = process.env['KELF_KERNELS'] ?? fileURLToPath(new URL('../../../fixtures/kernels', import.meta.url));
  const kernels = existsSync(folder)
    ? readdirSync(folder).filter(name => existsSync(`${folder}/${name}/complete`) && existsSync(`${folder}/${name}/vmlinux`))
    : [];
  if (kernels.length === 0) {
    console.log(`skip  no kernels in ${folder}: fixtures/fetch-kernels.sh gets them, or KELF_KERNELS says where they are`);
    return;
  }
  const named = process.argv.slice(2).filter(word => !word.startsWith('-'));
  for (const name of kernels.filter(name => named.length === 0 || named.includes(name))) {
    const at = `${folder}/${name}`;
    const files = { name, vmlinux: `${at}/vmlinux`, config: `${at}/config`, vmlinuz: `${at}/vmlinuz`, modules: `${at}/modules` };
    for (const comparisons of ALL) await comparisons(files, checks.of(name));
  }
  checks.end();
}

await main();
