import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kernel, openKernel, type Verdict } from 'kelf';
import { withTable } from '../../lib/dataset/folder.js';
import { indexKernels } from '../../lib/dataset/index-kernels.js';
import type { Cell } from '../../lib/fleet/dataset/columns.js';
import { columnOf } from '../../lib/fleet/dataset/tables.js';
import { MECHANISMS, type Mechanism } from '../../lib/fleet/rows/mechanisms.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** A kernel in a dataset, against the answers for each name of the same kernel. */
export async function fleetRows(files: KernelFiles, check: Check): Promise<void> {
  await check('the verdicts of kelf index are those of kelf trace, for every function', [], async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-fleet-'));
    try {
      const [indexed] = await indexKernels([files.vmlinuz], folder);
      await using kernel = await openKernel(files.vmlinuz);
      return await sameVerdicts(kernel, folder, indexed!.id!);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function sameVerdicts(kernel: Kernel, folder: string, set: string): Promise<Outcome> {
  const columns = MECHANISMS.map(columnOf).flatMap(name => [name, `${name}_code`, `${name}_errno`]);
  let compared = 0;
  let functions = 0;
  let failure: string | undefined;
  await withTable(folder, set, 'functions', file =>
    file.eachGroup(['name', ...columns], ([names, ...cells], rows) => {
      for (let row = 0; row < rows && failure === undefined; row++) {
        functions++;
        failure = differenceOf(kernel, String(names![row]), at => cells[at]![row]!);
        if (failure === undefined) compared += MECHANISMS.length;
      }
    }),
  );
  return { ok: failure === undefined && compared > 0, figures: failure ?? `${compared} verdicts of ${functions} functions` };
}

/** The first verdict of a function that `kelf trace` has otherwise. @param cell the cells of the row, three to a mechanism */
function differenceOf(kernel: Kernel, name: string, cell: (at: number) => Cell): string | undefined {
  const { kprobe, kretprobe, fentry, fexit, fmodRet, kprobeMulti } = kernel.traceability(name);
  const told: Record<Mechanism, Verdict> = {
    kprobe: kprobe.byName,
    kretprobe: kretprobe.byName,
    fentry: fentry.attach,
    fexit: fexit.attach,
    fmodRet: fmodRet.attach,
    kprobeMulti: kprobeMulti.byName,
  };
  for (const [i, mechanism] of MECHANISMS.entries()) {
    const { outcome, code, errno } = told[mechanism];
    const found = [cell(3 * i), cell(3 * i + 1), cell(3 * i + 2)];
    if (found.join(' ') !== [outcome, code, errno].join(' ')) return `${mechanism} of ${name}: ${found}, not ${[outcome, code, errno]}`;
  }
  return undefined;
}
