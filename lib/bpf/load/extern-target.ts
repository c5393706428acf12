import type { Btf } from '../../../btf/btf.js';
import { CoreTypes, essentialName } from '../../../btf/core-compat.js';
import type { KsymExtern } from '../object/externs.js';

/** The name under which libbpf looks for a typed extern: a function's without a flavor (`bpf_foo___v2`). */
export function externName({ name, kind }: KsymExtern): string {
  return kind === 'kfunc' ? essentialName(name) : name;
}

/** The first VAR or FUNC of that name which a BTF itself has: it alone is looked at (find_ksym_btf_id of libbpf). */
export function externTarget(extern: KsymExtern, btf: Btf): number | undefined {
  return btf.find(externName(extern), extern.kind === 'kfunc' ? 'FUNC' : 'VAR').find(id => id >= btf.firstId);
}

/** Whether the type that an object declares is that of the kernel: bpf_object__resolve_ksym_var_btf_id and …_func_btf_id of libbpf. */
export function isCompatible(local: Btf | undefined, { typeId }: KsymExtern, btf: Btf, targetId: number): boolean {
  const declared = local?.type(typeId);
  const target = btf.type(targetId);
  if (local === undefined || declared === undefined || !('typeId' in declared) || !('typeId' in target)) return false;
  const types = new CoreTypes(local, btf);
  if (declared.kind === 'FUNC') return types.typesAreCompatible(declared.typeId, target.typeId);
  // Of variables, modifiers and typedefs do not count.
  return types.typesAreCompatible(local.resolve(declared.typeId), btf.resolve(target.typeId));
}
