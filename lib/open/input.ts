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
  /** Bytes that the page cache of a path may hold; by default 16 MiB. */
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
  if ('FileReaderSync' in globalThis) return new BlobSource(input, name);
  return new MemorySource(new Uint8Array(await input.arrayBuffer()), name);
}

/** FileReaderSync of the File API: in workers alone. */
interface SyncReader {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** The size of one read when a caller needs few bytes. */
const PAGE = 1 << 16;

/** A Blob by slices: a vmlinux of 600 MB is not read into memory. */
class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #blob: Blob;
  readonly #reader: SyncReader;
  #pageStart = 0;
  #page: Uint8Array = new Uint8Array(0);

  constructor(blob: Blob, name: string) {
    this.#blob = blob;
    this.name = name;
    this.size = blob.size;
    this.#reader = new (globalThis as unknown as { FileReaderSync: new () => SyncReader }).FileReaderSync();
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    if (length >= PAGE) return this.#slice(offset, length);
    if (offset < this.#pageStart || offset + length > this.#pageStart + this.#page.length) {
      this.#pageStart = offset - (offset % PAGE);
      // Two pages: what begins in one may end in the next.
      this.#page = this.#slice(this.#pageStart, Math.min(2 * PAGE, this.size - this.#pageStart));
    }
    return this.#page.subarray(offset - this.#pageStart, offset - this.#pageStart + length);
  }

  close(): void {
    this.#page = new Uint8Array(0);
  }

  #slice(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#reader.readAsArrayBuffer(this.#blob.slice(offset, offset + length)));
  }
}
