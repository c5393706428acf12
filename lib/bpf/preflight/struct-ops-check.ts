import type { Btf } from '../../../btf/btf.js';
import { essentialName } from '../../../btf/core-compat.js';
import { accepted, refused, said, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { BpfObject } from '../object/object.js';
import type { BpfStructOps } from '../object/struct-ops.js';
import { structOpsMembers } from '../object/struct-ops-members.js';
import type { PreflightModules } from './modules.js';

/** A struct_ops on a kernel: whether it has the type, and the members that the object sets (bpf_map__init_kern_struct_ops). */
export function structOpsVerdict(object: BpfObject, ops: BpfStructOps, kernel: KernelFacts, modules: PreflightModules): Verdict {
  const { btf, btfSource, name: kernelName } = kernel;
  const source = btfSource ?? '.BTF';
  if (btf === undefined) return refused('no-btf', 'EINVAL', said(source, `${kernelName} has no BTF`));
  const name = essentialName(ops.typeName);
  const id = structOf(btf, name);
  const registered = `${REGISTERED}${name}`;
  if (id !== undefined && structOf(btf, registered) !== undefined) return membersVerdict(object, ops, btf, id, source);
  // A module may register a type of its own, or one of the kernel's.
  for (const found of modules.withType(registered)) {
    const struct = structOf(found.btf, name);
    if (struct === undefined || structOf(found.btf, registered) === undefined) continue;
    return modules.in(found.module.name, membersVerdict(object, ops, found.btf, struct, `${found.module.path}: .BTF`));
  }
  return modules.unless(refused('no-struct-ops', 'ENOENT', said(source, `no STRUCT is named ${id === undefined ? name : registered}`)));
}

/** What the name of the map's value begins with. */
export const REGISTERED = 'bpf_struct_ops_';

/** The struct_ops of a BTF: what the map's value holds in `data`, after what all values have in common (struct bpf_struct_ops_NAME). */
export function structOpsOf(btf: Btf): { readonly name: string; readonly id: number }[] {
  const found: { readonly name: string; readonly id: number }[] = [];
  for (let id = btf.firstId; id < btf.count; id++) {
    if (btf.kindOf(id) !== 'STRUCT' || !btf.nameOf(id).startsWith(REGISTERED)) continue;
    const name = btf.nameOf(id).slice(REGISTERED.length);
    const value = btf.type(id);
    const data = value.kind === 'STRUCT' ? value.members.find(member => member.name === 'data') : undefined;
    if (data !== undefined && btf.nameOf(data.typeId) === name) found.push({ name, id: data.typeId });
  }
  return found;
}

function structOf(btf: Btf, name: string): number | undefined {
  return btf.find(name, 'STRUCT')[0];
}

function membersVerdict(object: BpfObject, ops: BpfStructOps, btf: Btf, id: number, source: string): Verdict {
  const type = btf.type(id);
  const members = new Set(type.kind === 'STRUCT' ? type.members.map(member => member.name) : []);
  const missing = structOpsMembers(object, ops).find(member => !members.has(member.name));
  const struct = `STRUCT [${id}] ${btf.nameOf(id)}`;
  if (missing !== undefined) return refused('struct-ops-member', 'EOPNOTSUPP', said(source, `${struct} has no member ${missing.name}`));
  return accepted('proven', said(source, `${struct} has all members that the object sets`));
}
