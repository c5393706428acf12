import type { Kernel } from '../../kernel.js';
import { Preflight } from '../preflight/preflight.js';
import { readModuleContents } from './modules.js';

/**
 * Asks one kernel about objects, as {@link Preflight} does; the files of its modules are opened where only they tell.
 * @param kernel with `modules` where what these have counts too: read them with `types`
 */
export function openPreflight(kernel: Kernel): Preflight {
  return new Preflight(kernel, { readModule: readModuleContents });
}
