import { openSource } from '#host';
import { isFormatError } from '../../elf/errors.js';
import type { ByteSource } from '../../elf/source.js';
import { type FoundObjects, objectsIn } from '../bpf/preflight/inputs.js';
import { InputError, MissingError } from '../errors.js';

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

/** The message of an error about a file. @throws any other error: a bug of kelf */
export function unreadable(error: unknown): string {
  if (isFormatError(error) || error instanceof InputError || error instanceof MissingError) return error.message;
  throw error;
}
