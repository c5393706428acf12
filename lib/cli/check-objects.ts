import type { ByteSource } from '../../elf/source.js';
import type { FoundObject } from '../bpf/preflight/inputs.js';
import type { Loader } from '../bpf/preflight/loaders.js';
import { NOT_TOLD } from '../bpf/preflight/preflight.js';
import { kernelsIn } from '../image/unwrap.js';
import { openSource } from '../node/source.js';
import { checksOf, objectsOf, unreadable } from '../open/bpf-objects.js';
import { type OpenKernelOptions, openKernel, openRunningKernel } from '../open/open-kernel.js';
import type { BpfCheckModel, KernelCheck } from '../report/bpf-check.js';
import { kernelId } from '../report/report.js';
import { MissingError } from './command.js';
import { readModulesOf, sayNotes } from './with-kernel.js';

/** What a kernel is read from: a file, or where there is none the running one. */
export interface KernelInput {
  readonly path: string | undefined;
  readonly beside: Pick<OpenKernelOptions, 'config' | 'symbols'>;
  readonly modules: string | undefined;
}

/** What one kernel says of each object, in their order. */
interface Column {
  readonly checks: readonly KernelCheck[];
  /** Why the kernel can't be read. */
  readonly error?: unknown;
}

/**
 * The objects of files on kernels: what is damaged is told of, and the rest is asked.
 * @throws MissingError where no file has an object, and what is wrong with the first kernel where none can be read
 */
export async function checkObjects(
  files: readonly string[],
  kernels: readonly KernelInput[],
  loader: Loader,
  note: (line: string) => void,
): Promise<{ readonly model: BpfCheckModel; readonly objects: readonly FoundObject[] }> {
  const found = files.map(objectsOf);
  const objects = found.flatMap(each => each.objects);
  const notes = found.flatMap(each => each.notes);
  if (objects.length === 0) throw new MissingError(notes.join('; '));
  for (const line of notes) note(`kelf: ${line}`);
  const columns: Column[] = [];
  for (const kernel of kernels) {
    for (const input of kernel.path === undefined ? [undefined] : inputsOf(kernel.path))
      columns.push(await columnOf(input, kernel, objects, loader, note));
  }
  // Nothing was asked then.
  if (columns.every(({ error }) => error !== undefined)) throw columns[0]!.error;
  for (const { error } of columns) if (error !== undefined) note(`kelf: ${unreadable(error)}`);
  const checked = objects.map(({ path, offset }, i) => ({ path, offset, kernels: columns.map(({ checks }) => checks[i]!) }));
  return { model: { loader: loader.name, objects: checked, notTold: NOT_TOLD }, objects };
}

/** The kernels of a path: an archive of BTF may have many. A path that can't be read is one: what opens it says why. */
function inputsOf(path: string): (string | ByteSource)[] {
  try {
    const source = openSource(path);
    const kernels = kernelsIn(source);
    if (kernels.length !== 1 || kernels[0] !== source) return kernels;
    source.close();
    return [path];
  } catch {
    return [path];
  }
}

/** What one kernel says of the objects; nothing of those that can't be read, and of none where it can't be read itself. */
async function columnOf(
  input: string | ByteSource | undefined,
  { beside, modules }: KernelInput,
  objects: readonly FoundObject[],
  loader: Loader,
  note: (line: string) => void,
): Promise<Column> {
  try {
    const kernel = input === undefined ? openRunningKernel() : await openKernel(input, beside);
    try {
      if (modules !== undefined) kernel.modules = await readModulesOf(kernel, modules, true);
      const checks = checksOf(kernel, objects, loader);
      sayNotes(kernel, note);
      const id = kernelId(kernel);
      return { checks: checks.map(check => ({ kernel: id, ...check })) };
    } finally {
      kernel.close();
    }
  } catch (error) {
    const why = unreadable(error);
    const kernel = { name: (typeof input === 'string' ? input : input?.name) ?? 'the running kernel, as the first column' };
    return { checks: objects.map(({ problem = why }) => ({ kernel, unreadable: problem })), error };
  }
}
