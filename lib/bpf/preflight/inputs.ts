import { EM } from '../../../elf/constants.js';
import { isFormatError } from '../../../elf/errors.js';
import { isElf } from '../../../elf/header.js';
import type { ByteSource } from '../../../elf/source.js';
import { carve } from '../carve/carve.js';
import { type BpfObject, readBpfObject } from '../object/object.js';

/** e_ident[EI_DATA] of big endian files. */
const ELFDATA2MSB = 2;

/** An object, as it is or in an executable; or a file in which one can't be read, and why. */
export type FoundObject = { readonly path: string; readonly offset: number } & (
  | { readonly object: BpfObject; readonly problem?: never }
  | { readonly object?: never; readonly problem: string }
);

/** The objects of one file, and notes about it. */
export interface FoundObjects {
  readonly objects: readonly FoundObject[];
  readonly notes: readonly string[];
}

/**
 * The objects of a file: what is damaged is one of them, and does not keep the others from being read.
 * @param path what the file is called
 */
export function objectsIn(source: ByteSource, path: string): FoundObjects {
  const notes: string[] = [];
  const finds = carve(source);
  // What is an object by its header, and can't be carved whole, tells itself what is wrong with it.
  if (finds.length === 0 && isObject(source)) return { objects: [opened(path, 0, source.read(0, source.size))], notes };
  if (finds.length === 0) notes.push(`${path}: contains no BPF object`);
  const objects = finds.flatMap(({ form, bytes, offset }): FoundObject[] => {
    if (form !== 'light skeleton') return [opened(path, offset, bytes)];
    notes.push(`${path}+0x${offset.toString(16)}: a light skeleton: it builds its programs when it loads`);
    return [];
  });
  return { objects, notes };
}

function opened(path: string, offset: number, bytes: Uint8Array): FoundObject {
  try {
    return { path, offset, object: readBpfObject(bytes, { name: path }) };
  } catch (error) {
    if (!isFormatError(error)) throw error;
    return { path, offset, problem: error.message };
  }
}

/** By e_machine alone: the rest may be damaged. */
function isObject(source: ByteSource): boolean {
  if (source.size < 20) return false;
  const start = source.read(0, 20);
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  return isElf(start) && view.getUint16(18, start[5] !== ELFDATA2MSB) === EM.BPF;
}
