import { type Kernel, openKernel, type Verdict } from 'kelf';
import { cellOf } from '../../lib/fleet/rows/columns.js';
import { functionRows, MECHANISMS, type Mechanism } from '../../lib/fleet/rows/functions.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** The rows of a fleet, against the answers for each name of the same kernel. */
export async function fleetRows(files: KernelFiles, check: Check): Promise<void> {
  await check('the verdicts of rows are those of kelf trace, for every function', [], async () => {
    await using kernel = await openKernel(files.vmlinuz);
    return sameVerdicts(kernel);
  });
}

function sameVerdicts(kernel: Kernel): Outcome {
  const rows = functionRows(kernel);
  let compared = 0;
  for (let row = 0; row < rows.count; row++) {
    const { kprobe, kretprobe, fentry, fexit, fmodRet, kprobeMulti } = kernel.traceability(rows.name[row]!);
    const told: Record<Mechanism, Pick<Verdict, 'code' | 'errno' | 'outcome'>> = {
      kprobe: kprobe.byName,
      kretprobe: kretprobe.byName,
      fentry: fentry.attach,
      fexit: fexit.attach,
      fmodRet: fmodRet.attach,
      kprobeMulti: kprobeMulti.byName,
    };
    for (const mechanism of MECHANISMS) {
      const { code, errno, outcome } = cellOf(rows.verdicts[mechanism], row);
      const expected = told[mechanism];
      if (code === expected.code && errno === expected.errno && outcome === expected.outcome) compared++;
      else
        return {
          ok: false,
          figures: `${mechanism} of ${rows.name[row]}: ${code} ${errno ?? ''}, not ${expected.code} ${expected.errno ?? ''}`,
        };
    }
  }
  return { ok: compared > 0, figures: `${compared} verdicts of ${rows.count} functions` };
}
