/**
 * Asks kelf about each file of test/support/evil/files.ts, 1.9 MB of it, in a process of its own: processor time and memory. Exit code 1 where one takes
 * more than SECURITY.md promises; on a machine that is at work, times are longer.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KELF } from '../support/cli.js';
import { argumentsFor, EVIL_FILES } from '../support/evil/files.js';

const SIZE = 1_900_000;
const MOST_SECONDS = 1;
const MOST_MEGABYTES = 200;
const KERNEL = fileURLToPath(new URL('../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
const [, , wanted = ''] = process.argv;

/** Prints what the process took, behind what it printed itself. */
const REPORT = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  require('node:fs').writeSync(3, JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024 }));
});`;

const folder = mkdtempSync(join(tmpdir(), 'kelf-hostile-'));
let beyond = 0;
try {
  writeFileSync(join(folder, 'report.cjs'), REPORT);
  for (const evil of EVIL_FILES.filter(({ name }) => name.includes(wanted))) {
    const file = join(folder, 'file');
    const bytes = evil.bytes(SIZE);
    writeFileSync(file, bytes);
    for (const call of evil.calls) {
      const args = ['-r', join(folder, 'report.cjs'), KELF, ...argumentsFor(call, { file, kernel: KERNEL, folder })];
      const run = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], timeout: 60_000 });
      const report = run.output[3]?.toString() ?? '';
      const { seconds, megabytes } =
        report === '' ? { seconds: 60, megabytes: 0 } : (JSON.parse(report) as { seconds: number; megabytes: number });
      const fine = seconds <= MOST_SECONDS && megabytes <= MOST_MEGABYTES && [0, 1, 2, 3, 4].includes(run.status ?? -1);
      if (!fine) beyond++;
      const what = `${evil.name}: ${call.filter(part => part !== 'FILE').join(' ')}`;
      console.log(
        `${fine ? '  ' : '! '}${seconds.toFixed(2).padStart(6)} s ${megabytes.toFixed(0).padStart(5)} MB  exit ${run.status}  ${what}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${beyond} beyond ${MOST_SECONDS} s or ${MOST_MEGABYTES} MB`);
process.exitCode = beyond === 0 ? 0 : 1;
