import { mkdirSync, writeFileSync } from 'node:fs';
import { OutputError } from './errors.js';

/** Writes a file that was asked for. @throws OutputError */
export function saveFile(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new OutputError(`${path}: can't be written`, error as Error);
  }
}

/** Makes a folder, and those above it, where there is none. @throws OutputError */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new OutputError(`${path}: can't be made`, error as Error);
  }
}
