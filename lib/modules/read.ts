import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Btf } from '../../btf/btf.js';
import { encodeBlob } from '../../btf/encode.js';
import { PACKED_SUFFIXES } from '../../elf/compression/packing.js';
import { InputError } from '../source/node.js';
import { inThreads } from '../threads.js';
import { type ModulePart, readPart } from './part.js';
import { ModuleTable } from './table.js';

/** A kernel's BTF as it is handed to a thread. */
export interface BaseBlob {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly pointerSize: 4 | 8;
}

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

/** Modules that a thread is handed at a time. */
const BATCH = 16;

/**
 * Reads the functions of every module under a folder, such as /lib/modules/RELEASE.
 * A module that can't be read is one of the table's `problems`; the others are read all the same.
 * @throws InputError for a folder that can't be read, or that has no module in it
 */
export async function readModules(folder: string, options: ReadModulesOptions = {}): Promise<ModuleTable> {
  const paths = findModules(folder);
  if (paths.length === 0) throw new InputError(folder, 'no-modules', 'there is no module (*.ko, *.ko.xz, *.ko.zst, *.ko.gz) under it');
  const { base, onProgress, types } = options;
  // Split over split is not handed on: no kernel's BTF is.
  const own = base?.base === undefined ? base : undefined;
  const batches = Array.from({ length: Math.ceil(paths.length / BATCH) }, (_, i) => paths.slice(i * BATCH, (i + 1) * BATCH));
  let done = 0;
  const report = (batch: readonly string[]): void => {
    done += batch.length;
    onProgress?.(done, paths.length);
  };
  if (batches.length <= 2 || options.threads === 0) {
    const parts = batches.map(batch => {
      const part = readPart(batch, { base: own, types });
      report(batch);
      return part;
    });
    return new ModuleTable(parts);
  }
  const blob: BaseBlob | undefined = own && { bytes: encodeBlob(own), name: own.name, pointerSize: own.pointerSize };
  const parts = await inThreads<readonly string[], ModulePart>(batches, {
    script: new URL('./worker.js', import.meta.url),
    data: { base: blob, types },
    threads: options.threads,
    onDone: index => report(batches[index]!),
  });
  return new ModuleTable(parts);
}

/** A module's file, packed or not. */
const MODULE = new RegExp(`\\.ko(${PACKED_SUFFIXES.map(suffix => suffix.replace('.', '\\.')).join('|')})?$`);

/**
 * The modules under a folder, in the order of their paths. Links to folders are not followed: `build` and `source` lead to the kernel's sources.
 * @throws InputError
 */
export function findModules(folder: string): string[] {
  const found: string[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of list(at)) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (MODULE.test(entry.name)) found.push(path);
    }
  }
  return found.sort();
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    const text: Record<string, string> = { ENOENT: 'no such folder', ENOTDIR: 'is no folder', EACCES: 'permission denied' };
    throw new InputError(folder, code, text[code] ?? code, { cause: error });
  }
}
