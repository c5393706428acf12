import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { isFormatError } from '../../elf/errors.js';
import { identifier } from '../../elf/escape.js';
import { carve } from '../bpf/carve/carve.js';
import type { ByteRange, Carved, CarvedObject, Find } from '../bpf/carve/find.js';
import { InputError } from '../errors.js';
import { rememberPaths } from './inputs.js';
import { pathOf, systemPath } from './paths.js';
import { saveUnder } from './save.js';
import { expectSearchable, openSource } from './source.js';
import { inThreads, type Job, workerBeside } from './threads.js';

/** Options of {@link carveFiles}. */
export interface CarveOptions {
  /** Objects are written to files under this folder, which is made; nothing is written without. */
  readonly out?: string | undefined;
  readonly threads?: number | undefined;
  /** Called now and then with how many bytes of how many were searched. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Files that a thread is handed at a time: so many bytes, or so many files. */
const BATCH_BYTES = 1 << 25;
const BATCH_FILES = 256;

/** A file, and what it is called under the folder that was asked for. */
export interface Member {
  readonly path: string;
  readonly name: string;
}

/**
 * Carves files, and every file under folders; symbolic links in folders are not followed.
 * @throws InputError for a path that can't be read; a file in a folder that can't be is one of the `problems`. OutputError for what can't
 * be written
 */
export async function carveFiles(paths: readonly string[], options: CarveOptions = {}): Promise<Carved & { readonly files: number }> {
  const { out, threads, onProgress } = options;
  const problems: string[] = [];
  const batches: Member[][] = [];
  const sizes: number[] = [];
  let files = 0;
  let total = 0;
  const named = new Map<string, number>();
  const members = paths.flatMap(path => membersOf(path, problems));
  const inputs = members.map(({ path }) => path);
  if (out !== undefined) rememberPaths(inputs);
  for (const { size, path, name } of members) {
    // Files of several folders may have one name: the second `bin/tool` is `bin/tool~2`.
    const count = (named.get(name) ?? 0) + 1;
    named.set(name, count);
    if (batches.length === 0 || sizes.at(-1)! + size > BATCH_BYTES || batches.at(-1)!.length === BATCH_FILES) {
      batches.push([]);
      sizes.push(0);
    }
    batches.at(-1)!.push({ path, name: count === 1 ? name : `${name}~${count}` });
    sizes[sizes.length - 1]! += size;
    files++;
    total += size;
  }
  let done = 0;
  const report = (batch: number): void => {
    done += sizes[batch]!;
    onProgress?.(done, total);
  };
  const parts =
    batches.length === 1
      ? [carveBatch(batches[0]!, out)]
      : await inThreads(CARVE, batches, { data: { out, inputs: out === undefined ? [] : inputs }, threads, onDone: report });
  return {
    files,
    objects: parts.flatMap(part => part.objects),
    problems: [...problems, ...parts.flatMap(part => part.problems)],
  };
}

/** Carves files: a batch is some of them. */
export const CARVE: Job<{ readonly out: string | undefined; readonly inputs: readonly string[] }, readonly Member[], Carved> = {
  script: workerBeside(import.meta.url, './carve-worker.js'),
  start: ({ out, inputs }) => {
    rememberPaths(inputs);
    return members => carveBatch(members, out);
  },
};

function carveBatch(members: readonly Member[], out: string | undefined): Carved {
  const objects: CarvedObject[] = [];
  const problems: string[] = [];
  for (const { path, name } of members) {
    try {
      const source = openSource(path);
      try {
        expectSearchable(source);
        for (const found of carve(source)) {
          const { bytes, loader, ...find } = found;
          const written = out === undefined ? undefined : write(out, name, found);
          objects.push({
            path,
            ...find,
            length: bytes.length,
            sha256: createHash('sha256').update(bytes).digest('hex'),
            ...(loader === undefined ? {} : { loader: { offset: loader.offset, length: loader.bytes.length } }),
            ...(written === undefined ? {} : { written }),
          });
        }
      } finally {
        source.close();
      }
    } catch (error) {
      if (!(error instanceof Error) || !(isFormatError(error) || error.name === 'InputError')) throw error;
      problems.push(error.message);
    }
  }
  return { objects, problems };
}

/** `OUT/usr/sbin/opensnoop@0x1a2b0.bpf.o` for an object in `usr/sbin/opensnoop`; a folder `…@0x1a2b0.light` for a light skeleton. */
function write(out: string, name: string, find: Find): string {
  const { form, offset, bytes } = find;
  const light = form === 'light skeleton';
  const file = `${name}@0x${offset.toString(16)}.${light ? 'light' : 'bpf.o'}`;
  if (light) for (const [part, content] of partsOf(find)) saveUnder(out, join(file, part), content);
  else saveUnder(out, file, bytes);
  return join(out, file);
}

/** The files of a light skeleton. Programs may have one name, which is cut to 15 characters: they are numbered. */
function partsOf({ bytes, btf, programs, loader }: Find): [string, Uint8Array][] {
  const part = ({ offset, length }: ByteRange): Uint8Array => bytes.subarray(offset, offset + length);
  return [
    ['data', bytes],
    ...(btf === undefined ? [] : [['btf', part(btf)] as [string, Uint8Array]]),
    ...programs.flatMap(({ name, instructions }, i): [string, Uint8Array][] =>
      instructions === undefined ? [] : [[`${i}.${identifier(name)}.insns`, part(instructions)]],
    ),
    ...(loader === undefined ? [] : [['loader.insns', loader.bytes] as [string, Uint8Array]]),
  ];
}

function membersOf(path: string, problems: string[]): (Member & { readonly size: number })[] {
  if (!isFolder(path)) {
    // Refuses devices and the like, as it does for every command.
    const source = openSource(path);
    source.close();
    return [{ path, name: basename(path), size: source.size }];
  }
  const found: (Member & { readonly size: number })[] = [];
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of list(folder, folder === path, problems)) {
      const at = join(folder, pathOf(entry.name));
      if (entry.isDirectory()) folders.push(at);
      else if (entry.isFile())
        found.push({ path: at, name: relative(path, at), size: statSync(systemPath(at), { throwIfNoEntry: false })?.size ?? 0 });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Not where there is nothing, or what can't be reached: opening it says why. */
function isFolder(path: string): boolean {
  try {
    return statSync(systemPath(path)).isDirectory();
  } catch {
    return false;
  }
}

function list(folder: string, given: boolean, problems: string[]): Dirent<Buffer>[] {
  try {
    return readdirSync(systemPath(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    const why = code === 'EACCES' ? 'permission denied' : code;
    if (given) throw new InputError(folder, code, why, { cause: error });
    problems.push(`${folder}: ${why}`);
    return [];
  }
}
