import type { Btf } from '../../../btf/btf.js';
import { essentialName } from '../../../btf/core-compat.js';
import type { BpfObject } from '../object/object.js';

/** The names of types that an object's CO-RE relocations are about and the kernel's own BTF lacks: libbpf looks for them in modules. */
export function missingTypes(object: BpfObject, kernel: Btf): string[] {
  const { btf } = object;
  if (btf === undefined) return [];
  const names = new Set(
    object.coreRelocations.filter(({ spec }) => spec !== undefined).map(({ typeId }) => essentialName(btf.nameOf(typeId))),
  );
  return [...names].filter(name => name !== '' && kernel.find(name).length === 0);
}
