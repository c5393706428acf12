import { execFileSync } from 'node:child_process';

/** The outcome of one comparison: how much was compared, or the first difference. */
export interface Outcome {
  /** `nothing` where the kernel has nothing of what is compared: a line says so. */
  readonly ok: boolean | 'nothing';
  readonly figures: string;
}

/** Runs one comparison, where the peers it needs are installed, and prints its line. */
export type Check = (what: string, peers: readonly string[], compare: () => Promise<Outcome> | Outcome) => Promise<void>;

/** Comparisons as they are run: a line for each on stdout. */
export class Checks {
  #failed = 0;
  readonly #missing = new Set<string>();

  /** The comparisons of one kernel. */
  of(kernel: string): Check {
    return (what, peers, compare) => this.#run(kernel, what, peers, compare);
  }

  /** Says which peers were missing; the process is to exit with 1 where a comparison failed. */
  end(): void {
    if (this.#missing.size > 0) console.log(`skip  not installed: ${[...this.#missing].join(', ')}`);
    if (this.#failed > 0) process.exitCode = 1;
  }

  async #run(kernel: string, what: string, peers: readonly string[], compare: () => Promise<Outcome> | Outcome): Promise<void> {
    const absent = peers.filter(peer => !isInstalled(peer));
    for (const peer of absent) this.#missing.add(peer);
    let line: string;
    if (absent.length > 0) {
      line = `skip  ${kernel}  ${what}  needs ${absent.join(', ')}`;
    } else {
      try {
        const { ok, figures } = await compare();
        if (!ok) this.#failed++;
        line = `${ok === 'nothing' ? 'skip' : ok ? 'ok  ' : 'FAIL'}  ${kernel}  ${what}  ${figures}`;
      } catch (error) {
        this.#failed++;
        line = `FAIL  ${kernel}  ${what}  ${(error as Error).stack}`;
      }
    }
    console.log(line);
  }
}

const installed = new Map<string, boolean>();

/** Whether a program is on the PATH. */
export function isInstalled(tool: string): boolean {
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
