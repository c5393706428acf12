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
 * What a run took, in milliseconds: by the clock, and of processors, in all its threads and children. They differ: of a command with helper
 * threads, as Node's, a machine with nothing else to do hides a part, and a busy one does not.
 */
export interface Took {
  readonly clock: number;
  readonly processor: number;
}

/** The shell's own `time`, for Node does not say what a child took: seconds by the clock, in user mode and in the kernel. */
const TIMED = `TIMEFORMAT='%3R %3U %3S'; { time "$@" 2>&4; } 2>&3`;

/**
 * Runs a command with its output to /dev/null. (A pipe would add the reader's time, a file the disk's.)
 * @throws Error where the command ends otherwise than with `exit`: its figure would be of something else
 */
export function time(argv: Argv, exit = 0): Took {
  const { status, error, output } = spawnSync('bash', ['-c', TIMED, 'bash', ...argv], {
    env: ENV,
    stdio: [NULL, NULL, NULL, 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  const [, , , figures = '', stderr = ''] = output ?? [];
  if (error !== undefined || status !== exit)
    throw new Error(`${argv.join(' ')}: ${error?.message ?? `exit ${status}: ${(stderr ?? '').trim()}`}`);
  const [clock = Number.NaN, user = Number.NaN, system = Number.NaN] = (figures ?? '').split(' ').map(seconds => Number(seconds) * 1000);
  return { clock, processor: user + system };
}

/** The median of what some runs took. */
function medians(runs: readonly Took[]): Took {
  return { clock: median(runs.map(({ clock }) => clock)), processor: median(runs.map(({ processor }) => processor)) };
}

/** What two commands took that ran in turns. */
export interface Pair {
  readonly ours: Took;
  readonly theirs: Took;
  /** Our processor time over theirs in each pair, ascending. */
  readonly ratios: readonly number[];
}

/** Two commands in turns: what slows the machine for a while slows both. The first run of each warms the caches. */
export function timePair(ours: Argv, theirs: Argv, pairs: number): Pair {
  time(ours);
  time(theirs);
  const times = Array.from({ length: pairs }, () => [time(ours), time(theirs)] as const);
  return {
    ours: medians(times.map(([first]) => first)),
    theirs: medians(times.map(([, second]) => second)),
    ratios: times.map(([first, second]) => first.processor / second.processor).sort((a, b) => a - b),
  };
}

/** So many runs tell which of several programs takes least. */
const FEW = 3;

/** Of some commands, the one that takes the least processor time; none of none. */
export function strongest<T>(commands: readonly T[], argvOf: (command: T) => Argv): T[] {
  if (commands.length < 2) return [...commands];
  const took = commands.map(command => ({ command, took: timeAlone(argvOf(command), FEW).processor }));
  return [took.reduce((best, other) => (other.took < best.took ? other : best)).command];
}

/** The medians of one command, after a run that warms the caches. */
export function timeAlone(argv: Argv, runs: number, exit = 0): Took {
  time(argv, exit);
  return medians(Array.from({ length: runs }, () => time(argv, exit)));
}

/** At its exit, a process tells on descriptor 3 the peak of its resident memory in KiB. */
const TELL_PEAK = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => {
  let peak = process.resourceUsage().maxRSS;
  try { peak = Number(/^VmHWM:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]); } catch {}
  writeSync(3, String(peak));
});`)}`;

/**
 * The peak of resident memory of a Node program, in MiB, as the kernel counts it (VmHWM; ru_maxrss where there is no /proc: it also counts what
 * the process was before its exec, so a large parent would show).
 * @param argv the script and its arguments, without node
 */
export function peakMemory(argv: Argv, exit = 0): number {
  const { status, output } = spawnSync(process.execPath, ['--import', TELL_PEAK, ...argv], {
    env: ENV,
    stdio: [NULL, NULL, NULL, 'pipe'],
    encoding: 'utf8',
  });
  const kib = Number(output?.[3] ?? '');
  if (status !== exit || !(kib > 0)) throw new Error(`${argv.join(' ')}: exit ${status}, did not report its memory`);
  return kib / 1024;
}
