import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FormatError } from '../../elf/errors.js';
import { type KernelConfig, parseConfig } from '../facts/config.js';
import { releaseOf } from '../releases.js';

/** A larger file is no .config: Debian's have 300 kB. */
const LARGEST = 1 << 23;

/**
 * The .config that distributions put beside an image: `config-RELEASE` in its folder, or in /boot; of the same build only, which the compiler
 * shows.
 * @param banner of the image; its release is part of the file's name only where it is one word
 */
export function configBeside(image: string, banner: string): KernelConfig | undefined {
  const release = releaseOf(banner);
  if (release === undefined || !/^\d[\w.+~-]*$/.test(release)) return undefined;
  for (const folder of new Set([dirname(image), '/boot'])) {
    const path = join(folder, `config-${release}`);
    const config = readConfig(path);
    if (config !== undefined && banner.includes(config.get('CONFIG_CC_VERSION_TEXT') ?? '')) return config;
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
