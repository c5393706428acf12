import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Options of {@link inThreads}. */
export interface ThreadOptions {
  /** The module that each thread runs: it answers every message, which is a batch, with one message. */
  readonly script: URL;
  /** What each thread is given at its start, its `workerData`. */
  readonly data: unknown;
  /** How many threads at most; as many as there are processors where not given. */
  readonly threads?: number | undefined;
  /** Called for each batch that was answered. */
  readonly onDone?: ((batch: number) => void) | undefined;
}

/** More threads work no faster: the disk and the caller's own work are the limit. */
const MOST_THREADS = 8;

/**
 * Hands batches to threads, each a new one when it has answered the last.
 * @returns the answers, in the order of the batches
 */
export async function inThreads<Batch, Answer>(batches: readonly Batch[], options: ThreadOptions): Promise<Answer[]> {
  const { script, data, threads = availableParallelism(), onDone } = options;
  const answers = new Array<Answer>(batches.length);
  let next = 0;
  const work = function* (): Generator<Batch, void, Answer> {
    while (next < batches.length) {
      const index = next++;
      answers[index] = yield batches[index]!;
      onDone?.(index);
    }
  };
  const count = Math.max(1, Math.min(threads, MOST_THREADS, batches.length));
  const workers: Worker[] = [];
  try {
    await Promise.all(Array.from({ length: count }, () => runThread(() => start(workers, script, data), work())));
  } finally {
    // Where one failed the others are at work: they are to write nothing once the caller knows.
    await Promise.all(workers.map(worker => worker.terminate()));
  }
  return answers;
}

function start(workers: Worker[], script: URL, data: unknown): Worker {
  const worker = new Worker(script, { workerData: data });
  workers.push(worker);
  return worker;
}

/** Runs one thread for as long as there are batches for it. */
function runThread<Batch, Answer>(startWorker: () => Worker, work: Generator<Batch, void, Answer>): Promise<void> {
  const first = work.next();
  if (first.done) return Promise.resolve();
  const worker = startWorker();
  return new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', code => reject(new Error(`a thread ended with ${code}`)));
    worker.on('message', (answer: Answer) => {
      const { done, value } = work.next(answer);
      if (done) resolve();
      else worker.postMessage(value);
    });
    worker.postMessage(first.value);
  }).finally(() => worker.terminate());
}
