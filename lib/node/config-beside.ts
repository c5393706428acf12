import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FormatError } from '../../elf/errors.js';
import { type KernelConfig, parseConfig } from '../facts/config.js';

/** A larger file is no .config: Debian's have 300 kB. */
const LARGEST = 1 << 23;

/**
 * The .config that distributions put beside an image: `config-RELEASE` in its folder, or in /boot.
 * @param release of the image: as part of a file's name it is taken only where it is one word
 */
export function configBeside(image: string, release: string): KernelConfig | undefined {
  if (!/^\d[\w.+~-]*$/.test(release)) return undefined;
  for (const folder of new Set([dirname(image), '/boot'])) {
    const path = join(folder, `config-${release}`);
    const config = readConfig(path);
    if (config !== undefined) return config;
  }
  return undefined;
}

function readConfig(path: string): KernelConfig | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= LARGEST ? parseConfig(readFileSync(path, 'utf8'), path) : undefined;
  } catch (error) {
    // Nobody named the file: where it is not there, not readable or no .config, there is none.
    if (error instanceof FormatError || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw error;
  }
}
