import { encodeBlob } from '../../btf/encode.js';
import { isFormatError } from '../../elf/errors.js';
import type { ByteSource } from '../../elf/source.js';
import { InputError, MissingError } from '../errors.js';
import { ONE_KERNEL } from '../fleet/dataset/encode.js';
import { fileOf, TABLES } from '../fleet/dataset/format.js';
import { MAKE } from '../fleet/dataset/tables.js';

import { kernelsIn } from '../image/unwrap.js';

import type { Kernel } from '../kernel.js';
import { endRun, hasSet, removeUnfinished, type SetWriter, saveSet, setWriter } from '../node/sets.js';
import { openSource } from '../node/source.js';
import { inThreads, type Job, workerBeside } from '../node/threads.js';
import { openKernel } from '../open/open-kernel.js';
import { encode, hexDigest, mergedKernels } from './folder.js';

/** What became of a kernel. */
export interface IndexedKernel {
  /** The file, and for one of an archive its name in it. */
  readonly source: string;
  readonly outcome: 'written' | 'there' | 'unreadable';
  /** What its files are named by; absent where it can't be read. */
  readonly id?: string;
  readonly release?: string;
  /** Of all files written for it. */
  readonly bytes?: number;
  /** Why it can't be read. */
  readonly problem?: string;
}

/** Options of {@link indexKernels}. */
export interface IndexOptions {
  /** How many threads read kernels; as many as there are processors where not given. */
  readonly jobs?: number | undefined;
  /** Called whenever the kernels of a path are done. */
  readonly onDone?: ((kernels: readonly IndexedKernel[]) => void) | undefined;
}

interface IndexData {
  readonly to: SetWriter;
  /** Kernels of the dataset that stand in sets with others. */
  readonly known: ReadonlySet<string>;
}

/** Reads the kernels of one path and writes their tables. */
export const INDEX: Job<IndexData, string, IndexedKernel[]> = {
  script: workerBeside(import.meta.url, './index-worker.js'),
  start: data => path => indexPath(path, data),
};

/**
 * Writes the tables of kernels to a dataset, a folder for each. Kernels that are there are left as they are; one that can't be read is one of
 * the results.
 * @throws OutputError for what can't be written, InputError for a dataset of another version
 */
export async function indexKernels(paths: readonly string[], out: string, { jobs, onDone }: IndexOptions = {}): Promise<IndexedKernel[]> {
  const known = await mergedKernels(out);
  removeUnfinished(out);
  const to = setWriter(out);
  try {
    const done = await inThreads(INDEX, paths, {
      data: { to, known },
      // One path alone takes no less time by a thread of its own.
      threads: paths.length === 1 ? 0 : jobs,
      onDone: (_, kernels) => onDone?.(kernels),
    });
    return done.flat();
  } finally {
    endRun(to);
  }
}

/** The kernels of one path: an archive of BTF may have many. */
async function indexPath(path: string, data: IndexData): Promise<IndexedKernel[]> {
  let inputs: readonly ByteSource[];
  try {
    const source = openSource(path);
    inputs = kernelsIn(source);
    // Opened by its path, a kernel finds the .config beside it.
    if (inputs.length === 1 && inputs[0] === source) {
      source.close();
      return [await indexOne(path, path, data)];
    }
  } catch (error) {
    return [unreadable(path, error)];
  }
  const kernels: IndexedKernel[] = [];
  for (const input of inputs) kernels.push(await indexOne(input, input.name, data));
  return kernels;
}

async function indexOne(input: string | ByteSource, source: string, { to, known }: IndexData): Promise<IndexedKernel> {
  try {
    using kernel = await openKernel(input);
    const { release } = kernel;
    const id = idOf(kernel);
    const of = { source, id, ...(release === undefined ? {} : { release }) };
    if (known.has(id) || hasSet(to.folder, id)) return { ...of, outcome: 'there' };
    let bytes = 0;
    const files = function* (): Generator<[string, Uint8Array]> {
      for (const table of TABLES) {
        const content = encode(table, MAKE[table](kernel, id), ONE_KERNEL);
        bytes += content.length;
        yield [fileOf(table), content];
      }
    };
    return saveSet(to, id, files()) ? { ...of, outcome: 'written', bytes } : { ...of, outcome: 'there' };
  } catch (error) {
    return unreadable(source, error);
  }
}

/** A kernel that can't be read is a line of the report, and so is one that kelf fails at: the others are read. @throws OutputError */
function unreadable(source: string, error: unknown): IndexedKernel {
  if (!(error instanceof Error) || error.name === 'OutputError') throw error;
  const told = isFormatError(error) || error instanceof InputError || error instanceof MissingError;
  return { source, outcome: 'unreadable', problem: told ? error.message : `internal error, please report it: ${error.message}` };
}

/**
 * What the files of a kernel are named by: its build id. Of BTF alone a digest of it, with the release that its file is called by: two releases may have
 * the same types. Of an image without a build id a digest of its file.
 */
function idOf(kernel: Kernel): string {
  const { buildId, btf, image, release = '' } = kernel;
  if (buildId !== undefined && buildId !== '') return buildId;
  if (image !== undefined) return hexDigest(image.source.read(0, image.source.size));
  const types = btf === undefined ? new Uint8Array(0) : encodeBlob(btf, btf.header.littleEndian);
  return hexDigest(joined(new TextEncoder().encode(release), types));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
