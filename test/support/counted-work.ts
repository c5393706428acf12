import { Session } from 'node:inspector/promises';

/** Where what is counted stands: this project, its tests left out. */
const OURS = /\/dist\/(?!test\/)/;

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

/** Counts what runs, by V8's counters of blocks: the same on each machine, however busy it is. */
export class WorkCounter {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that were entered since the last call. */
  async take(): Promise<number> {
    const { result } = (await this.#session.post('Profiler.takePreciseCoverage')) as Coverage;
    let sum = 0;
    for (const { url, functions } of result)
      if (OURS.test(url)) for (const { ranges } of functions) for (const { count } of ranges) sum += count;
    return sum;
  }

  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}
