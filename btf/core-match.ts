import type { Btf } from './btf.js';
import type { CoreTypes } from './core-compat.js';
import { essentialName } from './core-compat.js';
import { type CoreAccessor, type CoreSpec, coreSubject } from './core-spec.js';
import type { TypeId } from './ids.js';
import type { ArrayType } from './types.js';

/** More steps than this an access has not (BPF_CORE_SPEC_MAX_LEN of libbpf). */
const MOST_STEPS = 64;

/** What a candidate costs, which is kept whether it matches or not. */
const CANDIDATE = 128;

/** A spec for a kernel's type that is being made. */
interface Draft {
  readonly raw: number[];
  readonly accessors: CoreAccessor[];
  bitOffset: number;
}

/** How far an access goes in a type of the kernel. */
export interface CoreMatch {
  /** As far as it was followed. */
  readonly spec: CoreSpec;
  /** Whether the type has all of it. */
  readonly matches: boolean;
}

/**
 * The access of an object's spec in a type of the kernel (bpf_core_spec_match): members are found by their names, wherever they are now;
 * indices stay.
 */
export function matchSpec(types: CoreTypes, local: CoreSpec, targetId: number): CoreMatch {
  const { kind } = local;
  const { target } = types;
  types.spend(CANDIDATE);
  const root = { kind, rootTypeId: targetId };
  switch (coreSubject(kind)) {
    case 'type': {
      const same = kind === 'type_matches' ? 'typesMatch' : 'typesAreCompatible';
      return { spec: { ...root, raw: [], accessors: [], bitOffset: 0 }, matches: types[same](local.rootTypeId, targetId) };
    }
    case 'enum': {
      const typeId = target.resolve(targetId);
      const type = target.type(typeId);
      const values: readonly { readonly name: string }[] = type.kind === 'ENUM' || type.kind === 'ENUM64' ? type.values : [];
      types.spend(values.length);
      const wanted = essentialName(local.accessors[0]!.name!);
      const index = values.findIndex(({ name }) => essentialName(name) === wanted);
      // libbpf's log has the first enumerator of an enum that lacks the one.
      const at = Math.max(index, 0);
      const accessors = values[at] === undefined ? [] : [{ typeId, index: at, name: values[at].name }];
      return { spec: { ...root, raw: [at], accessors, bitOffset: 0 }, matches: index >= 0 };
    }
    case 'field': {
      const draft: Draft = { raw: [], accessors: [], bitOffset: 0 };
      const matches = matchAccess(types, local, targetId, draft);
      return { spec: { ...root, ...draft }, matches };
    }
  }
}

function matchAccess(types: CoreTypes, local: CoreSpec, rootId: TypeId, draft: Draft): boolean {
  const { target } = types;
  let targetId = rootId;
  for (const [i, accessor] of local.accessors.entries()) {
    targetId = target.resolve(targetId);
    if (accessor.name !== undefined) {
      const memberId = matchMember(types, accessor, targetId, draft);
      if (memberId === undefined) return false;
      targetId = memberId;
      continue;
    }
    // The first index is of an array of roots, for which there is no ARRAY.
    if (i > 0) {
      const array = target.type(targetId);
      if (array.kind !== 'ARRAY' || (accessor.index >= array.nelems && !isFlexible(target, draft.accessors.at(-1), array))) return false;
      targetId = target.resolve(array.typeId);
    }
    const size = target.sizeof(targetId);
    if (size === undefined || draft.raw.length === MOST_STEPS) return false;
    draft.accessors.push({ typeId: targetId, index: accessor.index });
    draft.raw.push(accessor.index);
    draft.bitOffset += accessor.index * size * 8;
  }
  return true;
}

/** An array of no elements at the end of its struct: `char name[]`. */
function isFlexible(target: Btf, member: CoreAccessor | undefined, array: ArrayType): boolean {
  if (member?.name === undefined || array.nelems > 0) return false;
  const struct = target.type(member.typeId);
  return (struct.kind === 'STRUCT' || struct.kind === 'UNION') && member.index === struct.members.length - 1;
}

/**
 * The type of the member that has the name, if it is in the struct or in anonymous ones in it and its type fits (bpf_core_match_member).
 */
function matchMember(types: CoreTypes, accessor: CoreAccessor, targetId: number, draft: Draft): number | undefined {
  const { local, target } = types;
  const typeId = target.resolve(targetId);
  const type = target.type(typeId);
  if (type.kind !== 'STRUCT' && type.kind !== 'UNION') return undefined;
  types.spend(type.members.length);
  for (const [index, member] of type.members.entries()) {
    if (draft.raw.length === MOST_STEPS) return undefined;
    if (member.name !== '' && member.name !== accessor.name) continue;
    draft.raw.push(index);
    draft.bitOffset += member.bitOffset;
    if (member.name === accessor.name) {
      draft.accessors.push({ typeId, index, name: member.name });
      const struct = local.type(accessor.typeId);
      const own = struct.kind === 'STRUCT' || struct.kind === 'UNION' ? struct.members[accessor.index] : undefined;
      // The first of the name decides: there is no other in a struct that a compiler made.
      if (own !== undefined && types.fieldsAreCompatible(own.typeId, member.typeId)) return member.typeId;
      draft.accessors.pop();
      return undefined;
    }
    const found = matchMember(types, accessor, member.typeId, draft);
    if (found !== undefined) return found;
    draft.raw.pop();
    draft.bitOffset -= member.bitOffset;
  }
  return undefined;
}
