import { type ByteSource, MemorySource } from '../../elf/source.js';
import { Module, type ModuleOptions } from '../module/module.js';
import { openSource } from '../source/node.js';
import { openElf } from './elf.js';
import { unpackSource } from './packed.js';

/** Options of {@link openModule}. */
export interface OpenModuleOptions extends ModuleOptions {
  /** The name in messages where bytes are given; the path otherwise. */
  readonly name?: string;
}

/**
 * Opens a kernel module.
 * @param input the path of a `.ko` file, packed or not, or its bytes
 * @throws FormatError for what is no module, InputError for what can't be read
 */
export function openModule(input: string | Uint8Array, options: OpenModuleOptions = {}): Module {
  const source: ByteSource = typeof input === 'string' ? openSource(input) : new MemorySource(input, options.name ?? 'module');
  try {
    return new Module(openElf(unpackSource(source)), options);
  } catch (error) {
    source.close();
    throw error;
  }
}
