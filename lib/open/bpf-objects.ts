import { openSource } from '#host';
import { isFormatError } from '../../elf/errors.js';
import type { ByteSource } from '../../elf/source.js';
import { type FoundObjects, objectsIn } from '../bpf/preflight/inputs.js';
import { InputError, MissingError } from '../errors.js';

/** The objects of the file at a path; where it can't be read, one that says why. */
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

/** What an error says about a file. @throws the error, where it is of something else: a fault of kelf's own */
export function unreadable(error: unknown): string {
  if (isFormatError(error) || error instanceof InputError || error instanceof MissingError) return error.message;
  throw error;
}
