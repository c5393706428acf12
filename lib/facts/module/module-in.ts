import { ElfFile } from '../../../elf/file.js';
import type { ByteSource } from '../../../elf/source.js';
import { unpackSource } from '../../image/packed.js';
import { Module, type ModuleOptions } from './module.js';

/** The module that a source holds, packed or not. The source is closed with it, and where it is not a module. @throws FormatError */
export function moduleIn(source: ByteSource, options: ModuleOptions = {}): Module {
  try {
    return new Module(ElfFile.open(unpackSource(source)), options);
  } catch (error) {
    source.close();
    throw error;
  }
}
