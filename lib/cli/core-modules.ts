import { statSync } from 'node:fs';
import { Btf } from '../../btf/btf.js';
import { isFormatError } from '../../elf/errors.js';
import { missingTypes } from '../bpf/load/missing-types.js';
import type { BpfObject } from '../bpf/object/object.js';
import { InputError } from '../errors.js';
import { readModules } from '../node/read-modules.js';
import { openBtf } from './btf-input.js';
import { Progress } from './progress.js';

/** `--modules`, of the commands that apply CO-RE relocations. */
export const CORE_MODULES_OPTION = {
  type: 'string',
  multiple: true,
  value: 'DIR',
  help: 'also search modules for types that the kernel does not have: every .ko under DIR, or one module or its BTF; repeatable',
} as const;

/**
 * The BTF of the modules that have types which objects ask for and the kernel does not have, in the order of their paths; of a file that is named,
 * its BTF whatever it has.
 */
export async function modulesFor(
  paths: readonly string[],
  kernel: { readonly path: string; readonly btf: Btf },
  objects: readonly BpfObject[],
  note: (line: string) => void,
): Promise<Btf[]> {
  const names = [...new Set(objects.flatMap(object => missingTypes(object, kernel.btf)))];
  const found = await Promise.all(
    paths.map(async path => (isFolder(path) ? await inFolder(path, kernel.btf, names, note) : [openBtf(path, kernel.path, Btf.parse)])),
  );
  return found.flat();
}

async function inFolder(folder: string, base: Btf, names: readonly string[], note: (line: string) => void): Promise<Btf[]> {
  const progress = new Progress('reading modules');
  const table = await readModules(folder, { base, types: true, onProgress: (done, total) => progress.update(done, total) }).finally(() =>
    progress.end(),
  );
  const indices = [...new Set(names.flatMap(name => table.withType(name)))].sort((a, b) => a - b);
  return indices.flatMap(index => {
    const { path } = table.modules[index]!;
    try {
      using module = table.open(path);
      return module.btf ?? [];
    } catch (error) {
      if (!isFormatError(error) && !(error instanceof InputError)) throw error;
      note(`kelf: ${error.message}`);
      return [];
    }
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
