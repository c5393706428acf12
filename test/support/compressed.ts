import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../../fixtures/compressed/', import.meta.url);

/** One of the files of fixtures/compressed, with what the tool that made it was given. */
export interface Vector {
  readonly file: string;
  readonly packed: Uint8Array;
  readonly sha256: string;
  readonly size: number;
}

export function vector(file: string): Vector {
  const found = vectors().find(vector => vector.file === file);
  if (found === undefined) throw new Error(`no ${file} in fixtures/compressed/SHA256`);
  return found;
}

export function vectors(): Vector[] {
  return readFileSync(new URL('SHA256', FOLDER), 'utf8')
    .trim()
    .split('\n')
    .map(line => {
      const [sha256, size, file] = line.split(' ');
      return { file: file!, packed: new Uint8Array(readFileSync(new URL(file!, FOLDER))), sha256: sha256!, size: Number(size) };
    });
}

/** Byte arrays one after the other. */
export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => [...part]));
}
