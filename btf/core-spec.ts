import { FormatError } from '../elf/errors.js';
import type { Btf } from './btf.js';
import type { TypeId } from './ids.js';
import type { BtfType } from './types.js';

/** The kinds of CO-RE relocations, by number (`enum bpf_core_relo_kind`), with the names in libbpf's log. */
export const CORE_KINDS = [
  'byte_off',
  'byte_sz',
  'field_exists',
  'signed',
  'lshift_u64',
  'rshift_u64',
  'local_type_id',
  'target_type_id',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
] as const;

export type CoreKind = (typeof CORE_KINDS)[number];

/** The most indices that an access may have (BPF_CORE_SPEC_MAX_LEN of libbpf). */
const MOST_INDICES = 64;

/** One step of an access: a named member, or an index of an array. */
export interface CoreAccessor {
  /** The struct that has the member; of an index, the type of the elements. */
  readonly typeId: TypeId;
  /** Of the member in its struct, or of the element in its array. */
  readonly index: number;
  /** The member's; undefined for an index. */
  readonly name?: string;
}

/** The access of one relocation, spelled out for one BTF. */
export interface CoreSpec {
  readonly kind: CoreKind;
  /** The type at which it starts: a struct, an enum, any type where only the type matters. */
  readonly rootTypeId: number;
  /** As it is in the object: anonymous members have an index too. */
  readonly raw: readonly number[];
  /** Anonymous members left out. */
  readonly accessors: readonly CoreAccessor[];
  /** From the start of the root; 0 if the relocation is not about a field. */
  readonly bitOffset: number;
}

const TYPE_KINDS: ReadonlySet<CoreKind> = new Set(['local_type_id', 'target_type_id', 'type_exists', 'type_size', 'type_matches']);
const ENUM_KINDS: ReadonlySet<CoreKind> = new Set(['enumval_exists', 'enumval_value']);

/** What kind of thing a relocation asks about. */
export function coreSubject(kind: CoreKind): 'field' | 'type' | 'enum' {
  return TYPE_KINDS.has(kind) ? 'type' : ENUM_KINDS.has(kind) ? 'enum' : 'field';
}

/**
 * Spells out an access string by libbpf's rules (bpf_core_parse_spec).
 * @param kind number of the relocation's kind
 * @throws FormatError for an invalid string, index or kind
 */
export function parseCoreSpec(btf: Btf, rootTypeId: number, access: string, kind: number): CoreSpec {
  const name = CORE_KINDS[kind];
  if (name === undefined) throw new FormatError('unsupported', { name: btf.name }, `CO-RE relocation kind ${kind} is unknown`);
  const fail = (message: string): never => {
    throw new FormatError('bad-value', { name: btf.name }, `CO-RE access '${access.slice(0, 80)}' to type ${rootTypeId}: ${message}`);
  };
  if (!/^\d{1,10}(:\d{1,10})*$/.test(access)) fail('is not a list of indices');
  const raw = access.split(':').map(Number);
  if (raw.length > MOST_INDICES) fail(`has more than ${MOST_INDICES} indices`);
  const spec = { kind: name, rootTypeId, raw };
  const first = raw[0]!;
  if (coreSubject(name) === 'type') return access === '0' ? { ...spec, accessors: [], bitOffset: 0 } : fail("of a type must be '0'");
  let typeId = btf.resolve(rootTypeId);
  const root = btf.type(typeId);
  if (coreSubject(name) === 'enum') {
    if (raw.length !== 1) fail('of an enumerator must be one index');
    if (root.kind !== 'ENUM' && root.kind !== 'ENUM64') return fail(`is for an enumerator, but the type is ${root.kind}`);
    const value = root.values[first] ?? fail(`the enum has ${root.values.length} enumerators`);
    return { ...spec, accessors: [{ typeId, index: first, name: value.name }], bitOffset: 0 };
  }
  const accessors: CoreAccessor[] = [{ typeId, index: first }];
  let bitOffset = first * (btf.sizeof(typeId) ?? fail(`type ${typeId} has no size`)) * 8;
  let type: BtfType = root;
  /** The member that was stepped into last: an array at the end of its struct may be indexed beyond its end. */
  let last: { readonly members: number; readonly index: number } | undefined;
  for (const index of raw.slice(1)) {
    if (type.kind === 'STRUCT' || type.kind === 'UNION') {
      const member = type.members[index] ?? fail(`${type.kind} ${typeId} has ${type.members.length} members`);
      bitOffset += member.bitOffset;
      if (member.name !== '') accessors.push({ typeId, index, name: member.name });
      last = { members: type.members.length, index };
      typeId = btf.resolve(member.typeId);
    } else if (type.kind === 'ARRAY') {
      const flexible = type.nelems === 0 && last !== undefined && last.index === last.members - 1;
      if (!flexible && index >= type.nelems) fail(`array ${typeId} has ${type.nelems} elements`);
      bitOffset += index * (btf.sizeof(type.typeId) ?? fail(`the elements of array ${typeId} have no size`)) * 8;
      typeId = btf.resolve(type.typeId);
      accessors.push({ typeId, index });
      last = undefined;
    } else return fail(`type ${typeId} is ${type.kind} and has no members`);
    type = btf.type(typeId);
  }
  return { ...spec, accessors, bitOffset };
}

/**
 * An access as libbpf's log has it (bpf_core_format_spec): `<byte_off> [2] struct pt_regs.si (0:13 @ offset 104)`,
 * `<type_exists> [7] struct inode`, `<enumval_value> [6] enum bpf_map_type::BPF_MAP_TYPE_HASH = 99`.
 */
export function formatCoreSpec(btf: Btf, spec: CoreSpec): string {
  const { rootTypeId, kind, raw, bitOffset } = spec;
  const root = `<${kind}> [${rootTypeId}] ${coreRoot(btf, spec)}`;
  switch (coreSubject(kind)) {
    case 'type':
      return root;
    case 'enum': {
      const [step] = spec.accessors;
      if (step === undefined) return root;
      const type = btf.type(step.typeId);
      const value = type.kind === 'ENUM' || type.kind === 'ENUM64' ? type.values[step.index] : undefined;
      return `${root}::${value?.name} = ${value?.value}`;
    }
    case 'field': {
      const bits = bitOffset % 8;
      const offset = bits === 0 ? `${bitOffset / 8}` : `${(bitOffset - bits) / 8}.${bits}`;
      return `${root}${corePath(spec)} (${raw.join(':')} @ offset ${offset})`;
    }
  }
}

/** `struct pt_regs`, the type that an access starts from. */
export function coreRoot(btf: Btf, { rootTypeId }: CoreSpec): string {
  return `${btf.kindOf(rootTypeId).toLowerCase()} ${btf.nameOf(rootTypeId) || '<anon>'}`;
}

/** `.parent.pid`, `.args[1]`, `::TASK_DEAD`: the accessed part; '' for the type itself. */
export function corePath({ kind, accessors }: CoreSpec): string {
  if (coreSubject(kind) === 'enum') return accessors.map(({ name }) => `::${name}`).join('');
  return accessors.map(({ name, index }, i) => (name !== undefined ? `.${name}` : i > 0 || index > 0 ? `[${index}]` : '')).join('');
}
