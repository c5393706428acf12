import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { KIND } from '../../../btf/kinds.js';
import { MAX_DEPTH } from '../../../btf/layout.js';
import type { CompositeType } from '../../../btf/types.js';
import { Allowance } from '../../../elf/allowance.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type Coded, CodedBuilder, orderByName } from './columns.js';
import { TypeTexts } from './prototypes.js';

/** What declares a name that members belong to: a typedef, where the struct itself has no name. */
export type StructKind = 'struct' | 'union' | 'typedef';

/**
 * The members of the structs and unions of a kernel in columns, in the order of the structs' names, and those of one in its own. Several structs
 * may have a name: the id of the type tells them apart.
 */
export interface MemberRows {
  readonly count: number;
  /** Each struct and union, those without members too, with its rows. */
  readonly structs: readonly StructRange[];
  readonly struct: Coded<string>;
  readonly kind: Coded<StructKind>;
  /** The type in BTF. */
  readonly typeId: Uint32Array;
  /** Bytes of the struct. */
  readonly structSize: Uint32Array;
  /** As C reaches it: members of anonymous inner structs stand beside the others, those of an unnamed type are `outer.inner`, or `outer[0].inner`. */
  readonly path: readonly string[];
  /** Bits from the start of the struct. */
  readonly offset: Float64Array;
  /** Bits: of a bit-field its width; NaN where the type has no size. */
  readonly size: Float64Array;
  /** In C. */
  readonly type: Coded<string>;
}

/** A struct or a union, and where its members are. */
export interface StructRange {
  readonly name: string;
  readonly kind: StructKind;
  /** Bytes. */
  readonly size: number;
  /** Its first row, and the one after its last. */
  readonly from: number;
  readonly to: number;
}

/** Rows for each word of the blob: real kernels have one for five. Anonymous structs may be in many others. */
const PER_WORD = 2;
const SPARE = 1 << 16;

interface Owner {
  readonly name: string;
  readonly kind: StructKind;
  readonly type: CompositeType;
}

/**
 * Reads the members of all named structs and unions; none without BTF.
 * @param first the id to begin at: that of a module's own types
 * @throws FormatError
 */
export function memberRows({ btf }: Pick<KernelFacts, 'btf'>, first: TypeId = 1): MemberRows {
  const owners = btf === undefined ? [] : ownersOf(btf, first);
  const rows = btf === undefined ? NONE : readMembers(btf, owners);
  const count = rows.path.length;
  const texts = btf === undefined ? undefined : new TypeTexts(btf);
  const struct = new CodedBuilder<string>(count);
  const kind = new CodedBuilder<StructKind>(count);
  const type = new CodedBuilder<string>(count);
  for (let row = 0; row < count; row++) {
    const owner = owners[rows.owner[row]!]!;
    struct.set(row, owner.name);
    kind.set(row, owner.kind);
    type.set(row, texts!.of(rows.type[row]!));
  }
  return {
    count,
    structs: rangesOf(owners, rows.owner),
    struct,
    kind,
    typeId: Uint32Array.from(rows.owner, owner => owners[owner]!.type.id),
    structSize: Uint32Array.from(rows.owner, owner => owners[owner]!.type.size),
    path: rows.path,
    offset: Float64Array.from(rows.offset),
    size: Float64Array.from(rows.size),
    type,
  };
}

function rangesOf(owners: readonly Owner[], ownerOfRow: readonly number[]): StructRange[] {
  let from = 0;
  return owners.map(({ name, kind, type }, owner) => {
    let to = from;
    while (ownerOfRow[to] === owner) to++;
    const range = { name, kind, size: type.size, from, to };
    from = to;
    return range;
  });
}

/** Named structs and unions, and unnamed ones under the names of their typedefs, by name. */
function ownersOf(btf: Btf, first: TypeId): Owner[] {
  const owners: Owner[] = [];
  for (let id = first; id < btf.count; id++) {
    const kind = btf.kindNumber(id);
    if (kind !== KIND.STRUCT && kind !== KIND.UNION && kind !== KIND.TYPEDEF) continue;
    const name = btf.nameOf(id);
    if (name === '') continue;
    const target = kind === KIND.TYPEDEF ? btf.ownerOf(id).words[btf.recordOf(id) + 2]! : id;
    if (kind === KIND.TYPEDEF && btf.nameOffset(target) !== 0) continue;
    const type = compositeOf(btf, target);
    if (type !== undefined) owners.push({ name, kind: kind === KIND.TYPEDEF ? 'typedef' : kind === KIND.UNION ? 'union' : 'struct', type });
  }
  return Array.from(orderByName(owners.map(({ name }) => name)), row => owners[row]!);
}

interface Gathered {
  /** Index of the owner. */
  readonly owner: number[];
  readonly path: string[];
  readonly type: TypeId[];
  readonly offset: number[];
  readonly size: number[];
}

const NONE: Gathered = { owner: [], path: [], type: [], offset: [], size: [] };

function readMembers(btf: Btf, owners: readonly Owner[]): Gathered {
  const found: Gathered = { owner: [], path: [], type: [], offset: [], size: [] };
  const { typeLength, stringLength } = btf.header;
  const payRow = new Allowance(btf.name, 'the members of its structs', PER_WORD * (typeLength / 4) + SPARE).account(0);
  const payPath = new Allowance(btf.name, 'the paths of its members', 8 * (typeLength + stringLength) + SPARE).account(0);
  const sizes = new Map<TypeId, number>();
  const sizeOf = (id: TypeId): number => {
    let size = sizes.get(id);
    if (size === undefined) sizes.set(id, (size = (btf.sizeof(id) ?? Number.NaN) * 8));
    return size;
  };
  const walk = (owner: number, type: CompositeType, prefix: string, start: number, depth: number): void => {
    if (depth > MAX_DEPTH) return;
    for (const { name, typeId, bitOffset, bitfieldSize } of type.members) {
      const offset = start + bitOffset;
      const inner = unnamedIn(btf, typeId);
      payRow(1);
      if (name === '') {
        if (inner !== undefined && !inner.array) walk(owner, inner.type, prefix, offset, depth + 1);
        continue;
      }
      const path = prefix + name;
      payPath(path.length);
      found.owner.push(owner);
      found.path.push(path);
      found.type.push(typeId);
      found.offset.push(offset);
      found.size.push(bitfieldSize > 0 ? bitfieldSize : sizeOf(typeId));
      if (inner !== undefined) walk(owner, inner.type, `${path}${inner.array ? '[0]' : ''}.`, offset, depth + 1);
    }
  };
  for (const [index, { type }] of owners.entries()) walk(index, type, '', 0, 0);
  return found;
}

/** The unnamed struct or union that a type is, or that it is an array of. Typedefs are names. */
function unnamedIn(btf: Btf, id: TypeId): { readonly type: CompositeType; readonly array: boolean } | undefined {
  let target = id;
  let array = false;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const kind = btf.kindNumber(target);
    if (kind === KIND.STRUCT || kind === KIND.UNION) {
      const type = btf.nameOffset(target) === 0 ? compositeOf(btf, target) : undefined;
      return type === undefined ? undefined : { type, array };
    }
    const { words } = btf.ownerOf(target === 0 ? btf.firstId : target);
    if (kind === KIND.ARRAY) array = true;
    else if (kind !== KIND.CONST && kind !== KIND.VOLATILE && kind !== KIND.RESTRICT && kind !== KIND.TYPE_TAG) return undefined;
    target = words[btf.recordOf(target) + (kind === KIND.ARRAY ? 3 : 2)]!;
  }
  return undefined;
}

function compositeOf(btf: Btf, id: TypeId): CompositeType | undefined {
  const kind = btf.kindNumber(id);
  if (kind !== KIND.STRUCT && kind !== KIND.UNION) return undefined;
  return btf.type(id) as CompositeType;
}
