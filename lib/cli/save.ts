import { writeFileSync } from 'node:fs';
import { UsageError } from './command.js';

/** Writes what `--junit FILE` asks for. @throws UsageError where the file can't be written */
export function saveJUnit(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`--junit: ${(error as Error).message}`);
  }
}
