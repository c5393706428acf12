import { openSource } from '#host';
import { isFormatError } from '../../elf/errors.js';
import type { ByteSource } from '../../elf/source.js';
import { type FoundObject, type FoundObjects, objectsIn } from '../bpf/preflight/inputs.js';
import type { Loader } from '../bpf/preflight/loaders.js';
import { type ObjectCheck, Preflight } from '../bpf/preflight/preflight.js';
import { InputError, MissingError } from '../errors.js';
import type { KernelFacts } from '../facts/kernel-facts.js';

/** The objects in the file at a path; if it can't be read, one entry with the reason. */
export function objectsOf(path: string): FoundObjects {
  let source: ByteSource;
  try {
    source = openSource(path);
  } catch (error) {
    return { objects: [{ path, offset: 0, problem: unreadable(error) }], notes: [] };
  }
  try {
    return objectsIn(source, path);
  } catch (error) {
    return { objects: [{ path, offset: 0, problem: unreadable(error) }], notes: [] };
  } finally {
    source.close();
  }
}

/** In the place of an answer where the object, or the kernel, can't be read: a message that names the file and the damage. */
export interface Unreadable {
  readonly unreadable: string;
}

/** What a kernel says of objects, in their order; of one that can't be read, why. */
export function checksOf(kernel: KernelFacts, objects: readonly FoundObject[], loader: Loader): (ObjectCheck | Unreadable)[] {
  const preflight = new Preflight(kernel, loader);
  return objects.map(({ object, problem }) => {
    if (object === undefined) return { unreadable: problem };
    try {
      return preflight.check(object);
    } catch (error) {
      return { unreadable: unreadable(error) };
    }
  });
}

/** The message of an error about a file. @throws any other error: a bug of kelf */
export function unreadable(error: unknown): string {
  if (isFormatError(error) || error instanceof InputError || error instanceof MissingError) return error.message;
  throw error;
}
