import { InputError } from '../errors.js';
import { openSource } from '../node/source.js';

/** A file as text. @param most bytes @throws InputError for a larger one */
export function textOf(path: string, most: number): string {
  const source = openSource(path);
  try {
    if (source.size > most) throw new InputError(path, 'limit', `is larger than ${most >> 20} MiB`);
    return new TextDecoder().decode(source.read(0, source.size));
  } finally {
    source.close();
  }
}

/** Bytes of a list of requirements. */
export const MOST_OF_LIST: number = 1 << 20;
