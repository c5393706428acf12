import type { ElfFile } from '../../elf/file.js';
import type { KernelFacts } from './kernel-facts.js';
import { flaggedIdsAt, idsAt, type ReadIds } from './read-ids.js';

/** The sets of functions for fmod_ret, which kernels register with register_btf_fmodret_id_set() (5b481acab4ce, 6.2). */
export const FMODRET_SETS: readonly string[] = [
  'bpf_mptcp_fmodret_ids',
  'hid_bpf_fmodret_ids',
  'bpf_rstat_ids',
  'bpf_test_modify_return_ids',
  'fmodret_ids',
];

/** The bytes of an image whose ids are those of the BTF that was read; undefined of another BTF, and without an image. */
export function idsOfImage({ image, btfSource }: KernelFacts): { readonly read: ReadIds; readonly littleEndian: boolean } | undefined {
  return image === undefined || btfSource !== '.BTF' ? undefined : { read: readOf(image), littleEndian: image.memory.littleEndian };
}

function readOf({ memory }: ElfFile): ReadIds {
  return (at, size) => {
    if (!memory.has(at, size)) return undefined;
    const bytes = memory.read(at, size);
    return new DataView(bytes.buffer, bytes.byteOffset, size);
  };
}

/** A set of BTF ids in the image. */
export function idSet(kernel: KernelFacts, label: string): Set<number> | undefined {
  const at = kernel.pieces.labels(label);
  const ids = idsOfImage(kernel);
  const set = at === undefined || ids === undefined ? undefined : idsAt(ids.read, at, ids.littleEndian);
  return set === undefined ? undefined : new Set(set);
}

/** The same of a set whose ids have flags beside them. */
export function idSet8(kernel: KernelFacts, label: string): Set<number> | undefined {
  const at = kernel.pieces.labels(label);
  const ids = idsOfImage(kernel);
  const set = at === undefined || ids === undefined ? undefined : flaggedIdsAt(ids.read, at, ids.littleEndian);
  return set === undefined ? undefined : new Set(set.entries.map(({ id }) => id));
}
