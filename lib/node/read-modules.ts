import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Btf } from '../../btf/btf.js';
import { encodeBlob } from '../../btf/encode.js';
import { PACKED_SUFFIXES } from '../../elf/compression/packing.js';
import { InputError } from '../errors.js';
import { moduleIn } from '../facts/module/module-in.js';
import { ModuleTable } from '../facts/module-table/module-table.js';
import { buffersOf, type ModulePart, type OpenModule, readPart } from '../facts/module-table/part.js';
import { rememberPaths } from './inputs.js';
import { pathOf, systemPath } from './paths.js';
import { openSource } from './source.js';
import { inThreads, type Job, workerBeside } from './threads.js';

/** Options of {@link readModules}. */
export interface ReadModulesOptions {
  /** The kernel's BTF, which that of the modules is split over. */
  readonly base?: Btf | undefined;
  /** Whether the names of the types in their BTF are kept, for {@link ModuleTable.withType}. */
  readonly types?: boolean;
  /** How many threads read; as many as there are processors where not given, and none beside the caller's for a few modules. */
  readonly threads?: number;
  /** Called whenever some more modules were read. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a thread is given: the kernel's BTF as bytes. */
interface ModulesData {
  readonly base: { readonly bytes: Uint8Array; readonly name: string; readonly pointerSize: 4 | 8 } | undefined;
  readonly types: boolean;
}

/** Reads the functions of modules: a batch is some paths. */
export const READ_MODULES: Job<ModulesData, readonly string[], ModulePart> = {
  script: workerBeside(import.meta.url, './read-modules-worker.js'),
  start: ({ base: given, types }) => {
    const base = given === undefined ? undefined : Btf.parse(given.bytes, { name: given.name, pointerSize: given.pointerSize });
    return paths => readPart(paths, opener(base), types);
  },
  transfer: part => buffersOf(part),
};

/** Modules that a thread is handed at a time. */
const BATCH = 16;

/**
 * Reads the functions of every module under a folder, such as /lib/modules/RELEASE.
 * A module that can't be read is one of the table's `problems`; the others are read all the same.
 * @throws InputError for a folder that can't be read, or that has no module in it
 */
export async function readModules(folder: string, options: ReadModulesOptions = {}): Promise<ModuleTable> {
  const paths = findModules(folder);
  if (paths.length === 0) throw new InputError(folder, 'no-modules', 'contains no module (*.ko, *.ko.xz, *.ko.zst, *.ko.gz)');
  rememberPaths(paths);
  const { base, onProgress, types = false } = options;
  const open = opener(base);
  // Split over split is not handed on: no kernel's BTF is.
  const own = base?.base === undefined ? base : undefined;
  const batches = Array.from({ length: Math.ceil(paths.length / BATCH) }, (_, i) => paths.slice(i * BATCH, (i + 1) * BATCH));
  let done = 0;
  const onDone = (index: number): void => {
    done += batches[index]!.length;
    onProgress?.(done, paths.length);
  };
  if (batches.length <= 2 || options.threads === 0) {
    const parts = batches.map((batch, index) => {
      const part = readPart(batch, opener(own), types);
      onDone(index);
      return part;
    });
    return new ModuleTable(parts, open);
  }
  const blob = own && { bytes: encodeBlob(own), name: own.name, pointerSize: own.pointerSize };
  return new ModuleTable(await inThreads(READ_MODULES, batches, { data: { base: blob, types }, threads: options.threads, onDone }), open);
}

/** A module's file, packed or not. */
function isModule(name: string): boolean {
  return name.endsWith('.ko') || PACKED_SUFFIXES.some(suffix => name.endsWith(`.ko${suffix}`));
}

/** Opens modules whose BTF is split over a kernel's. */
function opener(base: Btf | undefined): OpenModule {
  return path => moduleIn(openSource(path), base === undefined ? {} : { base });
}

/** The modules under a folder, packed or not, by their paths. @throws InputError for a folder that can't be read */
export function findModules(folder: string): string[] {
  const found: string[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of list(at)) {
      const path = join(at, pathOf(entry.name));
      if (entry.isDirectory()) folders.push(path);
      else if (isModule(path)) found.push(path);
    }
  }
  return found.sort();
}

function list(folder: string): Dirent<Buffer>[] {
  try {
    return readdirSync(systemPath(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    const text: Record<string, string> = { ENOENT: 'no such folder', ENOTDIR: 'is not a folder', EACCES: 'permission denied' };
    throw new InputError(folder, code, text[code] ?? code, { cause: error });
  }
}
