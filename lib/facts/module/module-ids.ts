import { Btf } from '../../../btf/btf.js';
import type { ReadIds } from '../read-ids.js';
import type { Module } from './module.js';

/** The section that resolve_btfids fills, of a module. */
export const IDS_SECTION = '.BTF_ids';

/** The sets of BTF ids of a module. */
export interface ModuleIds {
  readonly read: ReadIds;
  readonly littleEndian: boolean;
  /** Where the sets of a kind begin, by their names. */
  readonly labels: (kind: 'set' | 'set8') => ReadonlyMap<string, bigint>;
  /** From an id as it is stored to one of {@link Module.btf}, which goes on from the kernel's ids and not from those of `.BTF.base`. */
  readonly moved: (id: number) => number;
}

/** @param btf the module's. @throws FormatError */
export function moduleIds(module: Module, btf: Btf): ModuleIds {
  const { file } = module;
  const index = file.sections.findIndex(({ name }) => name === IDS_SECTION);
  const bytes = index < 0 ? new Uint8Array(0) : file.sections[index]!.data();
  const read: ReadIds = (at, size) => {
    const from = Number(at);
    return from < 0 || from + size > bytes.length ? undefined : new DataView(bytes.buffer, bytes.byteOffset + from, size);
  };
  const labels = (kind: 'set' | 'set8'): ReadonlyMap<string, bigint> => {
    const prefix = `__BTF_ID__${kind}__`;
    const found = new Map<string, bigint>();
    for (const { name, sectionIndex, value } of file.symbols ?? []) {
      if (sectionIndex === index && name.startsWith(prefix)) found.set(name.slice(prefix.length), value);
    }
    return found;
  };
  const distilled = module.btfBase === 'relocated' ? Btf.parse(file.section('.BTF.base')!.data()).count : btf.firstId;
  return { read, littleEndian: file.littleEndian, labels, moved: id => (id < distilled ? 0 : id - distilled + btf.firstId) };
}
