import { openSource } from '#host';
import { isSource, wrong } from '../../elf/arguments.js';
import { type ByteSource, checkRange, MemorySource } from '../../elf/source.js';

/**
 * What can be opened: a path where there are files (in Node), bytes, a Blob such as a File that was dropped on a page, or any source of
 * bytes.
 */
export type Input = string | Uint8Array | Blob | ByteSource;

/** Options of everything that opens an input. */
export interface InputOptions {
  /** The name in messages for anything but a path; by default the name of a File, else `input`. */
  readonly name?: string;
  /** Bytes that the page cache of a path, or of a Blob that is read in slices, may hold; by default 16 MiB. */
  readonly cacheBytes?: number;
}

/** An input that can be read synchronously. @throws InputError for a path that can't be opened */
export function sourceOf(input: Exclude<Input, Blob>, options: InputOptions = {}): ByteSource {
  if (typeof input === 'string') return openSource(input, options.cacheBytes === undefined ? {} : { cacheBytes: options.cacheBytes });
  if (input instanceof Uint8Array) return new MemorySource(input, options.name ?? 'input');
  expectInput(input);
  return input;
}

/** @throws TypeError */
export function expectInput(input: Input): void {
  if (typeof input === 'string' || input instanceof Uint8Array || input instanceof Blob || isSource(input)) return;
  throw wrong('input', 'a path, a Uint8Array, a Blob or a source of bytes', input);
}

/** Any input: a Blob is read in slices in a worker of a browser, where that can be done synchronously, and whole elsewhere. */
export async function openInput(input: Input, options: InputOptions = {}): Promise<ByteSource> {
  if (!(input instanceof Blob)) return sourceOf(input, options);
  const name = options.name ?? ('name' in input && typeof input.name === 'string' ? input.name : 'input');
  if ('FileReaderSync' in globalThis) return new BlobSource(input, name, options.cacheBytes);
  return new MemorySource(new Uint8Array(await input.arrayBuffer()), name);
}

/** FileReaderSync of the File API: in workers alone. */
interface SyncReader {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** What is read at once for scattered reads: a function's code, a string. A read of a Blob asks another process. */
const PAGE = 1 << 14;
/** Pages that are kept where the caller does not say. */
const KEPT = 16 << 20;

/** A Blob by slices, behind a page cache: a vmlinux of 600 MB is not read into memory. Tables are read whole, past the cache. */
class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: Blob;
  readonly #most: number;
  readonly #reader: SyncReader;
  /** The pages that were read last, the latest at the end. */
  readonly #pages = new Map<number, Uint8Array>();
  #lastIndex = -1;
  #last: Uint8Array = new Uint8Array(0);

  constructor(blob: Blob, name: string, cacheBytes: number = KEPT) {
    this.#blob = blob;
    this.name = name;
    this.size = blob.size;
    this.#most = Math.max(2, Math.floor(cacheBytes / PAGE));
    this.#reader = new (globalThis as unknown as { FileReaderSync: new () => SyncReader }).FileReaderSync();
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    if (length >= PAGE) return this.#slice(offset, length);
    const start = offset % PAGE;
    const index = (offset - start) / PAGE;
    if (start + length <= PAGE) return this.#page(index).subarray(start, start + length);
    const bytes = new Uint8Array(length);
    bytes.set(this.#page(index).subarray(start));
    bytes.set(this.#page(index + 1).subarray(0, start + length - PAGE), PAGE - start);
    return bytes;
  }

  close(): void {
    this.#pages.clear();
    this.#lastIndex = -1;
  }

  #page(index: number): Uint8Array {
    if (index === this.#lastIndex) return this.#last;
    const page = this.#pages.get(index) ?? this.#slice(index * PAGE, Math.min(PAGE, this.size - index * PAGE));
    this.#pages.delete(index);
    this.#pages.set(index, page);
    if (this.#pages.size > this.#most) this.#pages.delete(this.#pages.keys().next().value!);
    this.#lastIndex = index;
    this.#last = page;
    return page;
  }

  #slice(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#reader.readAsArrayBuffer(this.#blob.slice(offset, offset + length)));
  }
}
