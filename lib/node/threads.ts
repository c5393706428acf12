import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';

/** Work that threads share: a thread is started with its data, and answers one batch after the other. */
export interface Job<Data, Batch, Answer> {
  /** The module of {@link workerBeside} that serves the job; undefined if it is not found. */
  readonly script: URL | undefined;
  /** What one thread does first; the function it gives answers a batch. */
  start(data: Data): Answering<Batch, Answer> | Promise<Answering<Batch, Answer>>;
  /** What of an answer is handed over and not copied. */
  transfer?(answer: Answer): ArrayBuffer[];
}

type Answering<Batch, Answer> = (batch: Batch) => Answer | Promise<Answer>;

/** Options of {@link inThreads}. */
export interface ThreadOptions<Data, Answer = unknown> {
  /** What each thread is started with. */
  readonly data: Data;
  /** How many threads at most; as many as there are processors where not given, up to 8. With 0 the caller's own thread does the work. */
  readonly threads?: number | undefined;
  /** Called for each batch that was answered. */
  readonly onDone?: ((batch: number, answer: Answer) => void) | undefined;
}

/** Where no number is given. More threads rarely work faster: the disk and the caller's own work are the limit. */
const MOST_THREADS = 8;

/** The module beside another one; undefined if it is not there, as in a bundle, which has everything in one file. */
export function workerBeside(url: string | undefined, name: string): URL | undefined {
  if (url === undefined || !url.startsWith('file:')) return undefined;
  const script = new URL(name, url);
  return existsSync(fileURLToPath(script)) ? script : undefined;
}

/**
 * Hands batches to threads, each a new one when it has answered the last. Where the script of a thread is not found, the caller's does the
 * work.
 * @returns the answers, in the order of the batches
 */
export async function inThreads<Data, Batch, Answer>(
  { script, start }: Job<Data, Batch, Answer>,
  batches: readonly Batch[],
  { data, threads = Math.min(availableParallelism(), MOST_THREADS), onDone }: ThreadOptions<Data, Answer>,
): Promise<Answer[]> {
  const answers = new Array<Answer>(batches.length);
  let next = 0;
  const work = function* (): Generator<Batch, void, Answer> {
    while (next < batches.length) {
      const index = next++;
      const answer = yield batches[index]!;
      answers[index] = answer;
      onDone?.(index, answer);
    }
  };
  if (script === undefined || threads === 0) {
    const answer = await start(data);
    const queue = work();
    for (let step = queue.next(); !step.done; ) step = queue.next(await answer(step.value));
    return answers;
  }
  const count = Math.max(1, Math.min(threads, batches.length));
  const workers: Worker[] = [];
  try {
    await Promise.all(Array.from({ length: count }, () => runThread(() => startWorker(workers, script, data), work())));
  } finally {
    // Where one failed the others are at work: they are to write nothing once the caller knows.
    await Promise.all(workers.map(worker => worker.terminate()));
  }
  return answers;
}

/** What the script of a job does in its thread. Batches that come before it has started wait for it. */
export function serve<Data, Batch, Answer>({ start, transfer }: Job<Data, Batch, Answer>): void {
  const port = parentPort!;
  const started = Promise.resolve(start(workerData as Data));
  port.on('message', async (batch: Batch) => {
    try {
      const answer = await (await started)(batch);
      port.postMessage({ answer } satisfies Reply<Answer>, transfer?.(answer) ?? []);
    } catch (error) {
      port.postMessage({ failure: failureOf(error) } satisfies Reply<Answer>);
    }
  });
}

/** What a thread sends: of an error, what a copy of it would lose. */
type Reply<Answer> = { readonly answer: Answer } | { readonly failure: Failure };
type Failure = Pick<Error, 'name' | 'message' | 'stack'> & { readonly code?: unknown };

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  return { name, message, ...(stack === undefined ? {} : { stack }), ...('code' in error ? { code: error.code } : {}) };
}

function startWorker(workers: Worker[], script: URL, data: unknown): Worker {
  const worker = new Worker(script, { workerData: data });
  workers.push(worker);
  return worker;
}

/** Runs one thread for as long as there are batches for it. */
function runThread<Batch, Answer>(begin: () => Worker, work: Generator<Batch, void, Answer>): Promise<void> {
  const first = work.next();
  if (first.done) return Promise.resolve();
  const worker = begin();
  return new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', code => reject(new Error(`a thread ended with ${code}`)));
    worker.on('message', (reply: Reply<Answer>) => {
      if ('failure' in reply) return reject(Object.assign(new Error(reply.failure.message), reply.failure));
      const { done, value } = work.next(reply.answer);
      if (done) resolve();
      else worker.postMessage(value);
    });
    worker.postMessage(first.value);
  }).finally(() => worker.terminate());
}
