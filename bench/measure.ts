import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';

/** A command line: the program, then its arguments. */
export type Argv = readonly string[];

/** The middle one of an odd number of values, the mean of the middle two of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const order = [...values].sort((a, b) => a - b);
  const half = order.length >> 1;
  return order.length % 2 === 1 ? order[half]! : (order[half - 1]! + order[half]!) / 2;
}

const NULL = openSync('/dev/null', 'r+');
/**
 * What measured programs see: nothing that changes how long they take to start, as NODE_EXTRA_CA_CERTS does. Debian keeps bpftool in /usr/sbin,
 * which is not in everyone's PATH.
 */
const ENV: NodeJS.ProcessEnv = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, HOME: process.env['HOME'] };

/** Whether a program is installed. */
export function installed(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program], { env: ENV, stdio: 'ignore' }).status === 0;
}

/** The first line that `program --version` prints, for the record; undefined where it prints none. */
export function versionOf(program: string): string | undefined {
  const { stdout } = spawnSync(program, ['--version'], { env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return stdout
    ?.split('\n')
    .find(line => /\d\.\d/.test(line))
    ?.trim();
}

/**
 * Runs a command with its output to /dev/null. (A pipe would add the reader's time, a file the disk's.)
 * @returns the wall time in milliseconds, from the spawn until the process is reaped
 * @throws Error where the command ends otherwise than with `exit`: its figure would be of something else
 */
export function time(argv: Argv, exit = 0): number {
  const [program, ...args] = argv;
  const start = process.hrtime.bigint();
  const { status, error, stderr } = spawnSync(program!, args, { env: ENV, stdio: [NULL, NULL, 'pipe'], encoding: 'utf8' });
  const end = process.hrtime.bigint();
  if (error !== undefined || status !== exit) throw new Error(`${argv.join(' ')}: ${error?.message ?? `exit ${status}: ${stderr.trim()}`}`);
  return Number(end - start) / 1e6;
}

/** Median times of two commands, in milliseconds, run in turns: what slows the machine for a while slows both. */
export function timePair(ours: Argv, theirs: Argv, pairs: number): { readonly ours: number; readonly theirs: number } {
  time(ours);
  time(theirs);
  const times = Array.from({ length: pairs }, () => [time(ours), time(theirs)] as const);
  return { ours: median(times.map(([first]) => first)), theirs: median(times.map(([, second]) => second)) };
}

/** The median time of one command, after a run that warms the caches. */
export function timeAlone(argv: Argv, runs: number, exit = 0): number {
  time(argv, exit);
  return median(Array.from({ length: runs }, () => time(argv, exit)));
}

/** At its exit, a process tells on descriptor 3 the peak of its resident memory in KiB and its processor time in microseconds. */
const TELL_USE = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => {
  let { maxRSS: peak, userCPUTime, systemCPUTime } = process.resourceUsage();
  try { peak = Number(/^VmHWM:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]); } catch {}
  writeSync(3, peak + ' ' + (userCPUTime + systemCPUTime));
});`)}`;

/**
 * The peak of resident memory of a Node program, in MiB, as the kernel counts it (VmHWM; ru_maxrss where there is no /proc: it also counts what
 * the process was before its exec, so a large parent would show).
 * @param argv the script and its arguments, without node
 */
export function peakMemory(argv: Argv, exit = 0): number {
  return use(argv, exit).kib / 1024;
}

/** The processor time of a Node program, of all its threads, in milliseconds; the median of some runs. */
export function processorTime(argv: Argv, runs: number, exit = 0): number {
  return median(Array.from({ length: runs }, () => use(argv, exit).microseconds / 1000));
}

function use(argv: Argv, exit: number): { readonly kib: number; readonly microseconds: number } {
  const { status, output } = spawnSync(process.execPath, ['--import', TELL_USE, ...argv], {
    env: ENV,
    stdio: [NULL, NULL, NULL, 'pipe'],
    encoding: 'utf8',
  });
  const [kib = 0, microseconds = 0] = (output?.[3] ?? '').split(' ').map(Number);
  if (status !== exit || !(kib > 0)) throw new Error(`${argv.join(' ')}: exit ${status}, did not report what it used`);
  return { kib, microseconds };
}
