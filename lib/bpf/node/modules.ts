import type { Btf } from '../../../btf/btf.js';
import { isFormatError } from '../../../elf/errors.js';
import { openModule } from '../../open/module.js';
import { InputError } from '../../source/node.js';
import type { ModuleContents } from '../preflight/modules.js';

/** Reads what a BPF object may find in the module at a path; nothing where that can't be read, or its BTF is of another kernel. */
export function readModuleContents(path: string, base: Btf | undefined): ModuleContents {
  try {
    using module = openModule(path, base === undefined ? {} : { base });
    const symbols = new Set<string>();
    for (const { name } of module.file.symbols ?? []) symbols.add(name);
    return { btf: module.btf, symbols };
  } catch (error) {
    if (!isFormatError(error) && !(error instanceof InputError)) throw error;
    return { btf: undefined, symbols: new Set() };
  }
}
