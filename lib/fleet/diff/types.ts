import { type MemberRows, memberRows, type StructRange } from '../rows/members.js';
import { clipped } from './clipped.js';
import type { Difference, Effect } from './difference.js';
import { bareName } from './renames.js';
import type { OwnTypes, Sides } from './sides.js';

interface Member {
  readonly path: string;
  /** Among the members of its struct. */
  readonly index: number;
  /** Bits. */
  readonly offset: number;
  readonly size: number;
  readonly type: string;
}

/**
 * Structs and unions that are gone, new, or of another size; members that are gone, new, moved, retyped or renamed, or are reached by another path.
 */
export function* typeChanges({ old, new: now }: Sides): Generator<Difference> {
  yield* compareTypes({ btf: old.kernel.btf!, first: 1 }, { btf: now.kernel.btf!, first: 1 });
}

/** Compares the types of two blobs, those of modules without their base. */
export function* compareTypes(old: OwnTypes, now: OwnTypes): Generator<Difference> {
  const [before, after] = [compositesOf(old), compositesOf(now)];
  for (const [name, composites] of before.byName) {
    const others = after.byName.get(name);
    if (others === undefined) yield { kind: 'types', change: 'gone', effect: 'breaks', name, old: bytes(composites[0]!.size) };
    else yield* compareNamed(name, { rows: before.rows, composites }, { rows: after.rows, composites: others });
  }
  for (const [name, [first]] of after.byName)
    if (!before.byName.has(name)) yield { kind: 'types', change: 'new', effect: 'adds', name, new: bytes(first!.size) };
}

/** The members of all structs, and their types in short: each is put into words once. */
interface Members {
  readonly rows: MemberRows;
  readonly types: readonly string[];
}

/** The structs of a name, and the rows that they are ranges of. */
interface Composites {
  readonly rows: Members;
  readonly composites: readonly StructRange[];
}

function compositesOf({ btf, first }: OwnTypes): {
  readonly rows: Members;
  readonly byName: ReadonlyMap<string, readonly StructRange[]>;
} {
  const rows = memberRows({ btf }, first);
  const byName = new Map<string, StructRange[]>();
  for (const range of rows.structs) {
    const own = clipped(range.name);
    const name = range.kind === 'typedef' ? own : `${range.kind} ${own}`;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [range]);
    else known.push(range);
  }
  return { rows: { rows, types: rows.type.values.map(type => clipped(shortType(type))) }, byName };
}

/** `struct task_struct`, of all structs and unions. */
export function compositeNames(types: OwnTypes): Iterable<string> {
  return compositesOf(types).byName.keys();
}

/** More structs of one name are not compared: files have a few of their own. */
const MOST_OF_NAME = 16;

interface Candidate {
  readonly range: StructRange;
  readonly members: readonly Member[];
}

/** Each struct of a name is compared with the one that is most like it; where there are more of them in one kernel, the others are passed over. */
function* compareNamed(name: string, old: Composites, now: Composites): Generator<Difference> {
  const candidates = ({ rows, composites }: Composites): Candidate[] =>
    composites.slice(0, MOST_OF_NAME).map(range => ({ range, members: membersOf(rows, range) }));
  const [before, after] = [candidates(old), candidates(now)];
  const alone = before.length === 1 && after.length === 1;
  const pairs = before.flatMap(one => after.map(other => ({ one, other, score: alone ? 1 : likeness(one.members, other.members) })));
  const taken = new Set<Candidate>();
  for (const { one, other } of pairs.sort((a, b) => b.score - a.score)) {
    if (taken.has(one) || taken.has(other)) continue;
    taken.add(one).add(other);
    yield* compareComposites(name, one.members, one.range, other.members, other.range);
  }
}

/** Which part of the members of both are called alike, and have the same type besides: 1 for the same members. */
function likeness(old: readonly Member[], now: readonly Member[]): number {
  const others = byPath(now);
  const shared = old.reduce((sum, { path, type }) => sum + (others.has(path) ? 1 : 0) + (others.get(path)?.type === type ? 1 : 0), 0);
  return old.length + now.length === 0 ? 1 : shared / (old.length + now.length);
}

function membersOf({ rows, types }: Members, { from, to }: StructRange): Member[] {
  return Array.from({ length: to - from }, (_, index) => {
    const row = from + index;
    const type = types[rows.type.codes[row]!]!;
    return { path: clipped(rows.path[row]!), index, offset: rows.offset[row]!, size: rows.size[row]!, type };
  });
}

/** A type without a name, whose members stand beside it as paths. */
function shortType(type: string): string {
  const at = type.indexOf('{');
  if (at < 0) return type;
  const end = type.lastIndexOf('}');
  return `${type.slice(0, at)}{…}${end < 0 ? '' : type.slice(end + 1)}`;
}

function* compareComposites(
  name: string,
  old: readonly Member[],
  one: StructRange,
  now: readonly Member[],
  other: StructRange,
): Generator<Difference> {
  if (one.size !== other.size)
    yield { kind: 'types', change: 'resized', effect: 'changes', name, old: bytes(one.size), new: bytes(other.size) };
  const [before, after] = [byPath(old), byPath(now)];
  const gone = old.filter(({ path }) => !after.has(path));
  const added = now.filter(({ path }) => !before.has(path));
  const renamed = renamesOf(gone, added, before, after, { old, now });
  const named = (path: string): string => `${name}.${path}`;
  const change = (
    change: Difference['change'],
    effect: Effect,
    path: string,
    rest: Pick<Difference, 'old' | 'new' | 'says'>,
  ): Difference => ({
    kind: 'types',
    change,
    effect,
    name: named(path),
    ...rest,
  });
  for (const member of gone) {
    const to = renamed.get(member);
    if (to === undefined) yield change('gone', 'breaks', member.path, { old: member.type });
    else {
      const [was, is] = member.type === to.member.type ? ['', ''] : [`: ${member.type}`, `: ${to.member.type}`];
      yield change('renamed', 'breaks', member.path, { old: member.path + was, new: to.member.path + is, says: to.says });
    }
  }
  const taken = new Set([...renamed.values()].map(({ member }) => member));
  for (const member of added) if (!taken.has(member)) yield change('new', 'adds', member.path, { new: member.type });
  for (const member of old) {
    const same = after.get(member.path);
    if (same === undefined) continue;
    if (member.type !== same.type) yield change('retyped', 'breaks', member.path, { old: member.type, new: same.type });
    else if (member.size !== same.size && !(Number.isNaN(member.size) && Number.isNaN(same.size)))
      yield change('resized', 'changes', member.path, { old: bits(member.size), new: bits(same.size) });
    if (member.offset !== same.offset)
      yield change('moved', 'changes', member.path, { old: place(member.offset), new: place(same.offset) });
  }
}

function byPath(members: readonly Member[]): Map<string, Member> {
  const map = new Map<string, Member>();
  // Padding may have the name of a member: the first counts.
  for (const member of members) if (!map.has(member.path)) map.set(member.path, member);
  return map;
}

interface RenamedMember {
  readonly member: Member;
  readonly says: string;
}

/**
 * Members under another path: of the same last name and type, which moved into or out of an inner struct; or behind the member that the old one was
 * behind, and of the same type, or of the same name but for underscores.
 */
function renamesOf(
  gone: readonly Member[],
  added: readonly Member[],
  before: ReadonlyMap<string, Member>,
  after: ReadonlyMap<string, Member>,
  { old, now }: { readonly old: readonly Member[]; readonly now: readonly Member[] },
): ReadonlyMap<Member, RenamedMember> {
  const renamed = new Map<Member, RenamedMember>();
  const left = new Set(added);
  const regrouped = unique(added, ({ path, type }) => `${lastOf(path)} ${type}`);
  const fromGroups = unique(gone, ({ path, type }) => `${lastOf(path)} ${type}`);
  for (const member of gone) {
    const key = `${lastOf(member.path)} ${member.type}`;
    const to = regrouped.get(key);
    if (to === undefined || !fromGroups.has(key)) continue;
    renamed.set(member, {
      member: to,
      says: to.path.length > member.path.length ? 'it moved into an inner struct' : 'it moved out of an inner struct',
    });
    left.delete(to);
  }
  const previous = (members: readonly Member[], { index }: Member): string => members[index - 1]?.path ?? '';
  const rest = unique([...left], member => previous(now, member));
  for (const member of gone) {
    const behind = previous(old, member);
    const to = renamed.has(member) || (behind !== '' && !after.has(behind)) ? undefined : rest.get(behind);
    if (to === undefined || !left.has(to) || before.has(to.path)) continue;
    const alike =
      bareName(to.path) === bareName(member.path)
        ? 'the same name but for underscores'
        : to.type === member.type
          ? 'the same type'
          : undefined;
    if (alike === undefined) continue;
    renamed.set(member, { member: to, says: `likely: ${alike}, ${behind === '' ? 'the first member' : `behind ${behind}`}` });
    left.delete(to);
  }
  return renamed;
}

/** The members whose key no other has. */
function unique(members: readonly Member[], keyOf: (member: Member) => string): ReadonlyMap<string, Member> {
  const found = new Map<string, Member | undefined>();
  for (const member of members) {
    const key = keyOf(member);
    found.set(key, found.has(key) ? undefined : member);
  }
  for (const [key, member] of found) if (member === undefined) found.delete(key);
  return found as ReadonlyMap<string, Member>;
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function bytes(size: number): string {
  return `${size} bytes`;
}

function bits(size: number): string {
  return Number.isNaN(size) ? 'no size' : size % 8 === 0 ? bytes(size / 8) : `${size} bits`;
}

/** From the start of its struct: `16`, or `16.3` at the bit of a bit-field. */
function place(offset: number): string {
  return offset % 8 === 0 ? `+${offset / 8}` : `+${Math.floor(offset / 8)}.${offset % 8}`;
}
