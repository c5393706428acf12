/**
 * `npm start`, in a clone: audits the running kernel where it can be read, and otherwise the small one of fixtures/; says which and why. What
 * follows `npm start --` goes to `kelf audit`.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { obstacleToRunningKernel } from '../node/live.js';

const obstacle = obstacleToRunningKernel();
const fixture = relative('', fileURLToPath(new URL('../../../fixtures/kernel/vmlinux-amd64', import.meta.url)));
console.error(
  obstacle === undefined
    ? 'kelf: auditing the running kernel: /sys/kernel/btf/vmlinux and /proc/kallsyms can be read'
    : `kelf: auditing ${fixture}, a small kernel made for the tests: the running one can't be audited, since ${obstacle}`,
);
process.argv.splice(2, 0, 'audit', ...(obstacle === undefined ? [] : [fixture]));
await import('./main.js');
