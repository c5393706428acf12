import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { OutputError } from '../errors.js';

/** Writes a file that was asked for. @throws OutputError */
export function saveFile(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new OutputError(`${path}: can't be written`, error as Error);
  }
}

/**
 * Makes a folder, and those above it, where there is none. mkdirSync()'s own `recursive` never ends below folders such as /proc, where
 * nothing can be made and the error is ENOENT.
 * @throws OutputError
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Several threads make the same folders.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new OutputError(`${path}: can't be made`, error as Error);
    }
  }
}
