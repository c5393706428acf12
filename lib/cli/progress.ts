/** Work shorter than this shows no progress. */
const QUIET_MS = 1000;
/** How often the bar is drawn anew, at most. */
const PACE_MS = 50;
const WIDTH = 30;

/** A bar on stderr for work that takes over a second; nothing where stderr is no terminal. */
export class Progress {
  readonly #what: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => number;
  readonly #start: number;
  #drawn: number | undefined;

  /**
   * @param what is done: `reading modules`
   * @param now a clock, in milliseconds
   */
  constructor(what: string, stream: NodeJS.WriteStream = process.stderr, now: () => number = () => performance.now()) {
    this.#what = what;
    this.#stream = stream;
    this.#now = now;
    this.#start = now();
  }

  update(done: number, total: number): void {
    const now = this.#now();
    if (!this.#stream.isTTY || now - this.#start < QUIET_MS) return;
    if (this.#drawn !== undefined && now - this.#drawn < PACE_MS) return;
    // A bar that can't be drawn is no error.
    if (this.#drawn === undefined) this.#stream.on?.('error', () => {});
    this.#drawn = now;
    const filled = Math.round((WIDTH * done) / Math.max(total, 1));
    this.#stream.write(`\r${this.#what} [${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${total}`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn !== undefined) this.#stream.write('\r\x1b[K');
  }
}
