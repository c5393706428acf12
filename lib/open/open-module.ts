import type { Module, ModuleOptions } from '../facts/module/module.js';
import { moduleIn } from '../facts/module/module-in.js';
import { type Input, type InputOptions, openInput, sourceOf } from './input.js';

/** Options of {@link openModule}. */
export interface OpenModuleOptions extends ModuleOptions, InputOptions {}

/**
 * Opens a kernel module, packed (`.ko.xz`, `.ko.zst`, `.ko.gz`) or not; for a Blob it returns a promise.
 * @throws FormatError if the input is not a relocatable ELF file, InputError if the path can't be read
 */
export function openModule(input: Exclude<Input, Blob>, options?: OpenModuleOptions): Module;
export function openModule(input: Blob, options?: OpenModuleOptions): Promise<Module>;
export function openModule(input: Input, options: OpenModuleOptions = {}): Module | Promise<Module> {
  const named = { name: 'module', ...options };
  if (input instanceof Blob) return openInput(input, options).then(source => moduleIn(source, options));
  return moduleIn(sourceOf(input, named), options);
}
