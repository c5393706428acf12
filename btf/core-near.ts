import type { Btf } from './btf.js';
import type { CoreCandidate } from './core.js';
import { CoreTypes, essentialName } from './core-compat.js';
import { type CoreSpec, coreSubject } from './core-spec.js';
import type { TypeId } from './ids.js';
import type { CompositeType, Member } from './types.js';

/** What a kernel has instead of what an access asks for. */
export interface CoreNear {
  /**
   * `retyped`: the name, of a type that does not fit; `moved`: the name, in an inner struct, one that is pointed at, or one around it;
   * `renamed`: another name; `dissolved`: what the missing struct had within, as a member beside the others (`i_atime_sec` for
   * `i_atime.tv_sec`).
   */
  readonly how: 'retyped' | 'moved' | 'renamed' | 'dissolved';
  /** From the struct in which the member is missing: `.__state`, `.q->disk`; from one around it, with its name in front: `inode.i_ino`. */
  readonly path: string;
  /** In C: `unsigned int __state`. */
  readonly declaration: string;
}

/** Where an access ends in a kernel, and what there is instead. */
export interface CoreBreak {
  /** `struct request`: the kernel's type. */
  readonly type: string;
  /** The member or enumerator that it does not have. */
  readonly missing: string;
  /** The likeliest first. */
  readonly near: readonly CoreNear[];
}

const MOST_NEAR = 3;
/** Structs and members that are looked into for one name, and members for all names of a kernel. */
const MOST_STRUCTS = 256;
const MOST_MEMBERS = 8192;
const MOST_IN_ALL = 1 << 20;
const looked = new WeakMap<Btf, { left: number }>();
/** Characters of names that are compared. */
const LONGEST = 128;

/** What breaks an access in a candidate that does not match; undefined for what is not an access to a member or an enumerator. */
export function breakOf(local: Btf, spec: CoreSpec, candidate: CoreCandidate): CoreBreak | undefined {
  const { btf: target } = candidate;
  switch (coreSubject(spec.kind)) {
    case 'type':
      return undefined;
    case 'enum': {
      const missing = essentialName(spec.accessors[0]!.name!);
      const type = target.type(target.resolve(candidate.spec.rootTypeId));
      const values: readonly { readonly name: string; readonly value: number | bigint }[] =
        type.kind === 'ENUM' || type.kind === 'ENUM64' ? type.values : [];
      // BPF_FUNC_ is in all names, and tells nothing.
      const common = commonWords([missing, ...values.map(({ name }) => name).filter(name => !name.startsWith('__'))]);
      const own = (name: string): string => (name.startsWith(common) ? name.slice(common.length) : name);
      const near = values
        .map(
          ({ name, value }): Scored => ({
            how: 'renamed',
            path: `::${name}`,
            declaration: `${name} = ${value}`,
            score: likeness(own(missing), own(name)),
          }),
        )
        .filter(({ score }) => score > 0.5);
      return { type: `enum ${type.name}`, missing, near: best(near) };
    }
    case 'field':
      return fieldBreak(new CoreTypes(local, target), spec, candidate);
  }
}

interface Scored extends CoreNear {
  readonly score: number;
}

function best(near: Scored[]): CoreNear[] {
  near.sort((a, b) => b.score - a.score);
  return near
    .filter(({ score }) => score * 2 > near[0]!.score)
    .slice(0, MOST_NEAR)
    .map(({ score: _, ...rest }) => rest);
}

function fieldBreak(types: CoreTypes, spec: CoreSpec, { spec: reached }: CoreCandidate): CoreBreak | undefined {
  const { local, target } = types;
  // The first step that was not taken; what was taken leads to the struct that lacks it.
  const step = spec.accessors[reached.accessors.length];
  if (step?.name === undefined) return undefined;
  const last = reached.accessors.at(-1);
  let typeId = reached.rootTypeId;
  if (last !== undefined) {
    typeId = last.typeId;
    const into = target.type(typeId);
    if (last.name !== undefined && isComposite(into)) typeId = into.members[last.index]!.typeId;
  }
  typeId = target.resolve(typeId);
  const struct = target.type(typeId);
  const own = local.type(step.typeId);
  if (!isComposite(struct) || !isComposite(own)) return undefined;
  const wanted = own.members[step.index]!;
  const near: Scored[] = [];
  for (const { path, member, depth } of membersUnder(target, struct)) {
    const fits = types.fieldsAreCompatible(wanted.typeId, member.typeId);
    const same = member.name === wanted.name;
    const how = same ? (depth === 0 ? 'retyped' : 'moved') : 'renamed';
    const kin = sameTarget(types, wanted, member) ? 0.5 : 0;
    // What became a struct has the name in two parts: `i_atime_sec` is `.i_atime.tv_sec` now.
    const joined = depth === 0 || path.includes('->') ? 0 : likeness(wanted.name, path.replaceAll('.', '_')) * 1.3;
    const alike = Math.max(likeness(wanted.name, member.name), joined);
    let score: number;
    if (same) score = depth === 0 ? 3 : 1.1 + kin - depth * 0.2;
    // What fits nothing of the kind, and what the object's own struct has beside it, is no other name for it.
    else if (!fits || own.members.some(({ name }) => name === member.name)) score = 0;
    else score = alike + (alike === 1 ? 1 : 0) + kin - depth * 0.4;
    if (score > 0.55) near.push({ how, path, declaration: target.declaration(member.typeId, member.name), score });
  }
  near.push(...dissolvedIn(types, spec, reached.accessors.length, struct), ...aroundOf(types, wanted, reached));
  return { type: `${struct.kind.toLowerCase()} ${struct.name}`, missing: wanted.name, near: best(near) };
}

/** Of an access into the missing member: members of the struct itself that have the name of what it ends in, alone or behind the other names. */
function dissolvedIn(types: CoreTypes, { accessors }: CoreSpec, from: number, struct: CompositeType): Scored[] {
  const { local, target } = types;
  const names = accessors.slice(from).flatMap(({ name }) => name ?? []);
  const end = accessors.at(-1)!;
  const own = local.type(end.typeId);
  if (names.length < 2 || end.name === undefined || !isComposite(own)) return [];
  const { typeId } = own.members[end.index]!;
  const joined = names.join('_');
  const near: Scored[] = [];
  for (const { path, member, depth } of membersUnder(target, struct)) {
    if (depth > 0 || !types.fieldsAreCompatible(typeId, member.typeId)) continue;
    const score = member.name === end.name ? 1.5 : likeness(joined, member.name) * 1.3;
    if (score > 0.95) near.push({ how: 'dissolved', path, declaration: target.declaration(member.typeId, member.name), score });
  }
  // Its other members are beside it, with names like it.
  return near.sort((a, b) => b.score - a.score).slice(0, 1);
}

/** Members of the name and a type that fits, of the structs around the one that lacks it. */
function aroundOf(types: CoreTypes, wanted: Member, reached: CoreSpec): Scored[] {
  const { target } = types;
  const around = reached.accessors.filter(({ name }) => name !== undefined).map(({ typeId }) => target.type(target.resolve(typeId)));
  return around.flatMap((struct, i): Scored[] => {
    if (!isComposite(struct)) return [];
    const found = [...membersUnder(target, struct)].find(
      ({ member, depth }) => depth === 0 && member.name === wanted.name && types.fieldsAreCompatible(wanted.typeId, member.typeId),
    );
    if (found === undefined) return [];
    const declaration = target.declaration(found.member.typeId, found.member.name);
    return [{ how: 'moved', path: `${struct.name}${found.path}`, declaration, score: 1.2 + i * 0.1 }];
  });
}

function isComposite(type: { readonly kind: string }): type is CompositeType {
  return type.kind === 'STRUCT' || type.kind === 'UNION';
}

/** Whether both are, or point at, a struct, a union or an enum of one name. */
function sameTarget({ local, target }: CoreTypes, a: Member, b: Member): boolean {
  const name = (btf: Btf, id: TypeId): string => {
    const direct = btf.type(btf.resolve(id));
    const type = direct.kind === 'PTR' ? btf.type(btf.resolve(direct.typeId)) : direct;
    // That both are numbers says nothing.
    return type.kind === 'INT' || type.kind === 'FLOAT' ? '' : essentialName(type.name);
  };
  const found = name(local, a.typeId);
  return found !== '' && found === name(target, b.typeId);
}

/** The named members of a struct, those of its anonymous members as its own, then of inner structs, then of those pointed at. */
function* membersUnder(target: Btf, struct: CompositeType): Generator<{ path: string; member: Member; depth: number }> {
  let all = looked.get(target);
  if (all === undefined) looked.set(target, (all = { left: MOST_IN_ALL }));
  let left = Math.min(MOST_MEMBERS, all.left);
  const seen = new Set<number>();
  const open: { struct: CompositeType; path: string; depth: number }[] = [{ struct, path: '.', depth: 0 }];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    if (seen.has(at.struct.id) || seen.size >= MOST_STRUCTS) continue;
    seen.add(at.struct.id);
    for (const member of at.struct.members) {
      if (left-- <= 0) return;
      all.left--;
      const type = target.type(target.resolve(member.typeId));
      if (member.name !== '') yield { path: `${at.path}${member.name}`, member, depth: at.depth };
      if (isComposite(type)) {
        const path = member.name === '' ? at.path : `${at.path}${member.name}.`;
        open.push({ struct: type, path, depth: member.name === '' ? at.depth : at.depth + 1 });
      } else if (type.kind === 'PTR' && at.depth === 0) {
        const pointed = target.type(target.resolve(type.typeId));
        if (isComposite(pointed)) open.push({ struct: pointed, path: `${at.path}${member.name}->`, depth: 1 });
      }
    }
  }
}

/** What all names begin with, up to an underscore. */
function commonWords(names: readonly string[]): string {
  const [first = ''] = names;
  let length = 0;
  while (length < first.length && names.every(name => name[length] === first[length])) length++;
  return first.slice(0, length === 0 ? 0 : first.lastIndexOf('_', length - 1) + 1);
}

/** From 0 to 1: the share of pairs of neighbouring letters that two names have in common (Dice), underscores and case apart. */
export function likeness(a: string, b: string): number {
  const pairs = (name: string): string[] => {
    const letters = name.slice(0, LONGEST).replaceAll('_', '').toLowerCase();
    return Array.from({ length: Math.max(letters.length - 1, 0) }, (_, i) => letters.slice(i, i + 2));
  };
  const [first, second] = [pairs(a), pairs(b)];
  if (first.length === 0 || second.length === 0) return a === b ? 1 : 0;
  const left = new Map<string, number>();
  for (const pair of first) left.set(pair, (left.get(pair) ?? 0) + 1);
  let common = 0;
  for (const pair of second) {
    const count = left.get(pair) ?? 0;
    if (count === 0) continue;
    left.set(pair, count - 1);
    common++;
  }
  return (2 * common) / (first.length + second.length);
}
