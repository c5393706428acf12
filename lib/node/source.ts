import { closeSync, constants, fstatSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { FormatError } from '../../elf/errors.js';
import { type ByteSource, checkRange, MemorySource } from '../../elf/source.js';
import { InputError } from '../errors.js';
import { rememberInput } from './inputs.js';
import { systemPath } from './paths.js';

/** What is read at once for scattered reads: a function's code, a string. */
const PAGE = 1 << 14;

/** What is read at once: a whole packed kernel, or a table. No kernel is larger; a sparse file of any size costs nothing to make. */
const MOST_READ = 2 ** 31 - 1;
const PIECE = 2 ** 30;

/**
 * A file of holes costs nothing to make. What is larger than this is not searched from end to end; and a part of at least so many bytes is not read where
 * it is so many times what is stored.
 */
const LARGEST = 2 ** 32;
const SPARSE = 1 << 26;
const MOST_HOLES = 16;
/** st_blocks counts these (stat(2)). */
const BLOCK = 512;
/** Of a file of /proc: /proc/kallsyms of a kernel with all of its modules is a tenth. /proc/kmsg, /proc/kcore and others have no end. */
const MOST_OF_PROC = 1 << 27;
/** f_type of procfs, sysfs, debugfs and tracefs (statfs(2)). */
const PSEUDO = new Set([0x9fa0, 0x62656572, 0x64626720, 0x74726163]);

/** Options of {@link openSource}. */
export interface SourceOptions {
  /** Bytes that the page cache may hold; 16 MiB where not given. */
  readonly cacheBytes?: number;
}

/** What was read of FIFOs and of stdin, by device and inode: what has been read once can't be read again, and commands open a file more than once. */
const streams = new Map<string, Uint8Array>();
/** Of what is no file: the largest image with its debug information is smaller. */
const MOST_OF_STREAM = 2 ** 31 - 1;
/** How long a FIFO waits for the first byte, where nobody has it open to write. */
const MOST_WAIT = 500;

/**
 * Opens a file for reading. `-` is stdin; it, a FIFO and `<(…)` of a shell are read whole into memory.
 * @throws InputError for what can't be opened, a directory, a device, a FIFO that nobody writes to
 */
export function openSource(path: string, options: SourceOptions = {}): ByteSource {
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO without a writer is refused below, not waited for.
    fd = path === '-' ? STDIN : openSync(systemPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw systemError(path, error);
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    rememberInput(stat);
    if (stat.isFIFO() || (stat.isSocket() && fd === STDIN)) {
      const identity = `${stat.dev}:${stat.ino}`;
      const bytes = streams.get(identity) ?? readWhole(fd, path, MOST_OF_STREAM);
      if (bytes.length === 0)
        throw new InputError(path, 'not-a-file', fd === STDIN ? 'is empty' : `is ${kindOf(stat)} that nobody writes to`);
      streams.set(identity, bytes);
      close(fd);
      return new MemorySource(bytes, path);
    }
    if (!stat.isFile()) throw new InputError(path, 'not-a-file', `is ${kindOf(stat)}, not a file`);
    // Files of /proc and /sys tell no size, a page, or that of all addresses: they are read whole.
    const size = Number(stat.size);
    if (size === 0 || isPseudo(path)) {
      const source = new MemorySource(readWhole(fd, path, MOST_OF_PROC), path);
      close(fd);
      return source;
    }
    return new FileSource(path, fd, { size, stored: Number(stat.blocks) * BLOCK }, options.cacheBytes ?? 16 << 20);
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Whether a path is read once only, by this thread: stdin, a FIFO. */
export function isStream(path: string): boolean {
  return path === '-' || statSync(systemPath(path), { throwIfNoEntry: false })?.isFIFO() === true;
}

const STDIN = 0;

/** stdin stays open: it may be asked for again. */
function close(fd: number): void {
  if (fd !== STDIN) closeSync(fd);
}

/** A file behind a page cache. Tables are read whole, past the cache; it serves the scattered small reads. */
class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #cacheBytes: number;
  readonly #stored: number;
  #pages: Map<number, Uint8Array> | LRUCache<number, Uint8Array> = new Map();
  #fd: number;
  #lastPage = -1;
  #last: Uint8Array = new Uint8Array(0);

  /** @param sizes in bytes: of the file, and of what is stored of it, 0 where that is not told */
  constructor(name: string, fd: number, { size, stored }: { readonly size: number; readonly stored: number }, cacheBytes: number) {
    this.name = name;
    this.#fd = fd;
    this.size = size;
    this.#stored = stored;
    this.#cacheBytes = cacheBytes;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    const start = offset % PAGE;
    if (start + length > PAGE) return this.#pread(offset, length);
    const page = this.#page((offset - start) / PAGE);
    return page.subarray(start, start + length);
  }

  readInto(offset: number, target: Uint8Array): void {
    checkRange(this, offset, target.length);
    this.#fill(offset, target);
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
    this.#pages.clear();
    this.#lastPage = -1;
  }

  /** @throws FormatError `limit` for a part of the file that can only be holes mostly */
  expectStored(offset: number, length: number): void {
    if (length <= SPARSE || this.#stored === 0 || this.#stored * MOST_HOLES >= length) return;
    throw new FormatError(
      'limit',
      { name: this.name, offset },
      `${length} bytes are too many for one read: of this sparse file, ${this.#stored} are stored`,
    );
  }

  #page(index: number): Uint8Array {
    if (index === this.#lastPage) return this.#last;
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = this.#pread(index * PAGE, Math.min(PAGE, this.size - index * PAGE));
      if ((this.#pages.size + 1) * PAGE > this.#cacheBytes && this.#pages instanceof Map)
        this.#pages = bounded(this.#pages, this.#cacheBytes);
      this.#pages.set(index, page);
    }
    this.#lastPage = index;
    this.#last = page;
    return page;
  }

  #pread(offset: number, length: number): Uint8Array {
    this.expectStored(offset, length);
    if (length > MOST_READ)
      throw new FormatError('limit', { name: this.name, offset }, `${length} bytes are too many for one read: at most ${MOST_READ}`);
    // Not zeroed first: every byte is read, or the read fails. As a Uint8Array, whose slice() is a copy.
    const room = Buffer.allocUnsafeSlow(length);
    const bytes = new Uint8Array(room.buffer, room.byteOffset, length);
    this.#fill(offset, bytes);
    return bytes;
  }

  #fill(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      let count: number;
      try {
        count = readSync(this.#fd, target, done, Math.min(target.length - done, PIECE), offset + done);
      } catch (error) {
        throw systemError(this.name, error);
      }
      if (count === 0) throw new FormatError('truncated', { name: this.name, offset: offset + done }, 'the file shrank while kelf read it');
      done += count;
    }
  }
}

/** For what goes through all of a file. @throws FormatError `limit` for one that is larger than any that is worth it, or mostly holes */
export function expectSearchable(source: ByteSource): void {
  if (source.size > LARGEST)
    throw new FormatError('limit', { name: source.name }, `is larger than ${LARGEST / 2 ** 20} MiB: it is not searched`);
  if (source instanceof FileSource) source.expectStored(0, source.size);
}

/** The pages in a cache that drops the least recently used ones, once there are more than it may hold. */
function bounded(pages: Map<number, Uint8Array>, bytes: number): LRUCache<number, Uint8Array> {
  const cache = new LRUCache<number, Uint8Array>({ maxSize: Math.max(bytes, PAGE), sizeCalculation: page => page.length });
  for (const [index, page] of pages) cache.set(index, page);
  return cache;
}

function readWhole(fd: number, path: string, most: number): Uint8Array {
  let bytes = new Uint8Array(PAGE);
  let length = 0;
  const started = Date.now();
  try {
    // A read gives a page, however much is asked for.
    for (;;) {
      const count = readWaiting(fd, bytes.subarray(length));
      if (count === 0 && length === 0 && most === MOST_OF_STREAM && fd !== STDIN && Date.now() - started < MOST_WAIT) {
        Atomics.wait(idle, 0, 0, 5);
        continue;
      }
      if (count === 0) return bytes.subarray(0, length);
      length += count;
      if (length > most) throw new InputError(path, 'limit', `goes on after ${Math.floor(most / 2 ** 20)} MiB`);
      if (length < bytes.length) continue;
      const larger = new Uint8Array(Math.min(length * 2, most + 1));
      larger.set(bytes);
      bytes = larger;
    }
  } catch (error) {
    throw error instanceof InputError ? error : systemError(path, error);
  }
}

/** What is there now; where a writer has nothing yet, waits for it. */
function readWaiting(fd: number, target: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, target, 0, target.length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(idle, 0, 0, 1);
    }
  }
}

const idle = new Int32Array(new SharedArrayBuffer(4));

function isPseudo(path: string): boolean {
  try {
    return PSEUDO.has(statfsSync(systemPath(path)).type);
  } catch {
    return false;
  }
}

function systemError(path: string, error: unknown): InputError {
  const { code = 'EIO' } = error as NodeJS.ErrnoException;
  const text: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EISDIR: 'is a directory, not a file',
  };
  return new InputError(path, code, text[code] ?? code, { cause: error });
}

function kindOf(stat: { isDirectory(): boolean; isFIFO(): boolean; isSocket(): boolean }): string {
  if (stat.isDirectory()) return 'a directory';
  if (stat.isFIFO()) return 'a FIFO';
  return stat.isSocket() ? 'a socket' : 'a device';
}
