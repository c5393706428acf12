import { essentialName } from '../../../btf/core-compat.js';
import type { Verdict } from '../../evidence.js';
import type { Kernel } from '../../kernel.js';
import type { BpfObject } from '../object.js';
import { type BpfStructOps, structOpsMembers } from '../struct-ops.js';
import { accepted, refused, unlessModule } from './verdict.js';

/** A struct_ops on a kernel: whether it has the type, and the members that the object sets (bpf_map__init_kern_struct_ops). */
export function structOpsVerdict(object: BpfObject, ops: BpfStructOps, { btf, btfSource, name: kernelName }: Kernel): Verdict {
  const source = btfSource ?? '.BTF';
  if (btf === undefined) return refused('no-btf', 'EINVAL', source, `${kernelName} has no BTF`);
  const name = essentialName(ops.typeName);
  const [id] = btf.find(name, 'STRUCT');
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== 'STRUCT') return unlessModule(refused('no-struct-ops', 'ENOENT', source, `no STRUCT is named ${name}`));
  if (btf.find(`bpf_struct_ops_${name}`, 'STRUCT').length === 0) {
    return unlessModule(refused('no-struct-ops', 'ENOENT', source, `no STRUCT is named bpf_struct_ops_${name}`));
  }
  const members = new Set(type.members.map(member => member.name));
  const missing = structOpsMembers(object, ops).find(member => !members.has(member.name));
  if (missing !== undefined)
    return refused('struct-ops-member', 'ENOTSUPP', source, `STRUCT [${id}] ${name} has no member ${missing.name}`);
  return accepted(source, `STRUCT [${id}] ${name} has the members that are set`);
}
