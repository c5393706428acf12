import { type PackedAnswers, unpackAnswer } from '../packed-answers.js';
import type { FunctionAnswers, Opened, Question, StructData, StructRows, Subject } from '../page-data.js';

/** Where the parts of subjects come from. */
export interface Store {
  /** @throws an error whose message is a sentence */
  load<T>(subject: Subject, part: string): Promise<T>;
}

/** What is inlined under an id, unpacked. */
export async function inlined(id: string): Promise<string | undefined> {
  const element = document.getElementById(id);
  if (element === null) return undefined;
  const bytes = bytesOf(element.textContent);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return await new Response(stream).text();
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The parts of a report, which has them inlined. */
export class ReportStore implements Store {
  readonly #parts = new Map<string, Promise<unknown>>();

  async load<T>({ id }: Subject, part: string): Promise<T> {
    const [, list, name] = /^(answers|struct)\/(.*)$/s.exec(part) ?? [];
    if (list === 'answers') return (await this.#answers(id, name!)) as T;
    if (list === 'struct') return (await this.#struct(id, Number(name))) as T;
    return this.#part(`${id}/${part}`);
  }

  #part<T>(id: string): Promise<T> {
    let part = this.#parts.get(id);
    if (part === undefined) this.#parts.set(id, (part = this.#read(id)));
    return part as Promise<T>;
  }

  async #read(id: string): Promise<unknown> {
    const json = await inlined(id);
    if (json === undefined) throw new Error('the report does not have it');
    return JSON.parse(json);
  }

  /** Answers are packed, many together; of each row of functions it is known in which pack. */
  async #answers(id: string, name: string): Promise<FunctionAnswers> {
    const names = await this.#part<readonly string[]>(`${id}/functions/name`);
    const packs = await this.#part<readonly number[]>(`${id}/answers`);
    const pack = packs[names.indexOf(name)];
    const packed = pack === undefined ? undefined : await this.#part<PackedAnswers>(`${id}/answers/${pack}`);
    const at = packed?.answers.findIndex(([each]) => each === name) ?? -1;
    if (at < 0)
      throw new Error(`no function is called ${name}; the report has functions alone: kelf trace is asked about places and tracepoints`);
    return unpackAnswer(packed!, at) as unknown as FunctionAnswers;
  }

  async #struct(id: string, type: number): Promise<StructData> {
    const { id: ids } = await this.#part<StructRows>(`${id}/structs`);
    for (let pack = 0, left = ids.indexOf(type); left >= 0; pack++) {
      const some = await this.#part<readonly StructData[]>(`${id}/structs/${pack}`);
      if (left < some.length) return some[left]!;
      left -= some.length;
    }
    throw new Error(`type ${type} is no named struct`);
  }
}

/** Parts that a worker makes of files that were opened; what it made is kept. */
export class WorkerStore implements Store {
  readonly #code: string;
  readonly #kept = new Map<string, Promise<unknown>>();
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #worker: Worker | undefined;
  #count = 0;

  /** @param code the worker's */
  constructor(code: string) {
    this.#code = code;
  }

  open(files: readonly File[]): Promise<Opened> {
    this.#kept.clear();
    return this.#ask({ ask: 'open', files: files.map(blob => ({ name: blob.name, blob })) });
  }

  load<T>({ id }: Subject, part: string): Promise<T> {
    const key = `${id}/${part}`;
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = this.#ask({ ask: 'load', subject: id, part });
      this.#kept.set(key, kept);
      // What was cancelled can be asked for again.
      kept.catch(() => this.#kept.delete(key));
    }
    return kept as Promise<T>;
  }

  /** Ends the worker, in the middle of what it does: what was open is so no more. */
  cancel(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#kept.clear();
    for (const { reject } of this.#waiting.values()) reject(new Cancelled());
    this.#waiting.clear();
  }

  #ask<T>(question: Question): Promise<T> {
    this.#worker ??= this.#start();
    const number = this.#count++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve: value => resolve(value as T), reject });
      this.#worker!.postMessage({ ...question, number });
    });
  }

  #start(): Worker {
    const url = URL.createObjectURL(new Blob([this.#code], { type: 'text/javascript' }));
    const worker = new Worker(url);
    URL.revokeObjectURL(url);
    worker.onmessage = ({ data }: MessageEvent<{ number: number; value?: unknown; problem?: string }>) => {
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if (data.problem === undefined) waiting?.resolve(data.value);
      else waiting?.reject(new Error(data.problem));
    };
    worker.onerror = event => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the worker failed: ${event.message}`));
      this.#waiting.clear();
    };
    return worker;
  }
}

/** Nobody waits for the answer any more. */
export class Cancelled extends Error {
  override readonly name: string = 'Cancelled';

  constructor() {
    super('cancelled');
  }
}
