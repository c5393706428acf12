import type { Btf } from '../../../btf/btf.js';
import type { Member } from '../../../btf/types.js';
import { FormatError } from '../../../elf/errors.js';
import { mapType } from '../names/map-types.js';

/** What a BTF-defined map says about itself. Sizes in bytes. */
export interface MapDefinition {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly numaNode?: number;
  readonly mapExtra?: bigint;
  /** 1 for LIBBPF_PIN_BY_NAME. */
  readonly pinning: number;
  /** Types of `key` and `value`, where given as types. */
  readonly keyTypeId?: number;
  readonly valueTypeId?: number;
  /** Of a map in a map: what the maps in it are like. */
  readonly inner?: MapDefinition;
  /** Where `values` starts in the variable: a slot of 8 bytes for each map or program that is in the map from the start. */
  readonly slotsOffset?: number;
  /** True where the slots are programs. */
  readonly ofPrograms: boolean;
}

/**
 * Reads the struct that defines a map (parse_btf_map_def of libbpf): integers are sizes of arrays, `int (*max_entries)[1024]`; types are
 * pointers.
 * @throws FormatError for what libbpf refuses
 */
export function readMapDefinition(btf: Btf, structId: number, name: string, isInner = false): MapDefinition {
  const fail = (message: string): never => {
    throw new FormatError('bad-value', { name: btf.name }, `map ${name}: ${message}`);
  };
  const struct = btf.type(btf.resolve(structId));
  if (struct.kind !== 'STRUCT') return fail(`is defined by ${struct.kind}, not by a struct`);
  const numbers: Record<string, number> = {};
  const sizes: Record<'key' | 'value', number | undefined> = { key: undefined, value: undefined };
  const types: { keyTypeId?: number; valueTypeId?: number } = {};
  let mapExtra: bigint | undefined;
  let values: { readonly offset: number; readonly inner?: MapDefinition; readonly ofPrograms: boolean } | undefined;
  for (const [i, member] of struct.members.entries()) {
    switch (member.name) {
      case 'type':
      case 'max_entries':
      case 'map_flags':
      case 'numa_node':
        numbers[member.name] = integer(btf, member, fail);
        break;
      case 'pinning': {
        if (isInner) fail('a map in a map cannot be pinned');
        const pinning = integer(btf, member, fail);
        if (pinning > 1) fail(`pinning is ${pinning}: libbpf knows 0 and 1, by name`);
        numbers['pinning'] = pinning;
        break;
      }
      case 'key_size':
      case 'value_size': {
        const which = member.name === 'key_size' ? 'key' : 'value';
        const size = integer(btf, member, fail);
        if (sizes[which] !== undefined && sizes[which] !== size) fail(`${which}_size is ${size}, its type has ${sizes[which]} bytes`);
        sizes[which] = size;
        break;
      }
      case 'map_extra':
        mapExtra = wideInteger(btf, member, fail);
        break;
      case 'key':
      case 'value': {
        const pointer = btf.type(member.typeId);
        if (pointer.kind !== 'PTR') return fail(`${member.name} is ${pointer.kind}, not a pointer to its type`);
        const size = btf.sizeof(pointer.typeId) ?? fail(`the type of ${member.name} has no size`);
        if (sizes[member.name] !== undefined && sizes[member.name] !== size) {
          fail(`${member.name}_size is ${sizes[member.name]}, its type has ${size} bytes`);
        }
        sizes[member.name] = size;
        types[member.name === 'key' ? 'keyTypeId' : 'valueTypeId'] = pointer.typeId;
        break;
      }
      case 'values':
        if (isInner) fail('maps in maps have only one level');
        if (i !== struct.members.length - 1) fail("'values' is not the last member");
        values = readValues(btf, member, numbers['type'] ?? 0, name, fail);
        break;
      default:
        fail(`member '${member.name}' is unknown`);
    }
  }
  if (numbers['type'] === undefined) fail('has no type');
  return {
    type: numbers['type']!,
    keySize: sizes.key ?? 0,
    valueSize: sizes.value ?? (values === undefined ? 0 : 4),
    maxEntries: numbers['max_entries'] ?? 0,
    flags: numbers['map_flags'] ?? 0,
    ...(numbers['numa_node'] === undefined ? {} : { numaNode: numbers['numa_node'] }),
    ...(mapExtra === undefined ? {} : { mapExtra }),
    pinning: numbers['pinning'] ?? 0,
    ...types,
    ...(values?.inner === undefined ? {} : { inner: values.inner }),
    ...(values === undefined ? {} : { slotsOffset: values.offset }),
    ofPrograms: values?.ofPrograms ?? false,
  };
}

type Fail = (message: string) => never;

/** get_map_field_int: the number of elements of the array that the member points to. */
function integer(btf: Btf, { name, typeId }: Member, fail: Fail): number {
  const pointer = btf.type(btf.resolve(typeId));
  if (pointer.kind !== 'PTR') return fail(`${name} is ${pointer.kind}, not a pointer to an array`);
  const array = btf.type(btf.resolve(pointer.typeId));
  return array.kind === 'ARRAY' ? array.nelems : fail(`${name} points to ${array.kind}, not to an array`);
}

/** get_map_field_long: as the others, or the only value of an enum (`__ulong` of bpf_helpers.h). */
function wideInteger(btf: Btf, member: Member, fail: Fail): bigint {
  const type = btf.type(btf.resolve(member.typeId));
  if (type.kind === 'PTR') return BigInt(integer(btf, member, fail));
  if ((type.kind !== 'ENUM' && type.kind !== 'ENUM64') || type.values.length !== 1) {
    return fail(`${member.name} is ${type.kind}, neither a pointer to an array nor an enum of one value`);
  }
  return BigInt.asUintN(64, BigInt(type.values[0]!.value));
}

function readValues(
  btf: Btf,
  member: Member,
  type: number,
  name: string,
  fail: Fail,
): { readonly offset: number; readonly inner?: MapDefinition; readonly ofPrograms: boolean } {
  const slots = mapType(type)?.slots;
  if (slots === undefined) fail("'values' are of maps in maps and of prog_array only");
  const array = btf.type(btf.resolve(member.typeId));
  if (array.kind !== 'ARRAY' || array.nelems !== 0) return fail("'values' is no array without a size");
  const pointer = btf.type(btf.resolve(array.typeId));
  if (pointer.kind !== 'PTR') return fail(`the elements of 'values' are ${pointer.kind}, not pointers`);
  const target = btf.type(btf.resolve(pointer.typeId));
  const offset = member.bitOffset / 8;
  if (slots === 'maps') return { offset, inner: readMapDefinition(btf, target.id, `${name}.inner`, true), ofPrograms: false };
  return target.kind === 'FUNC_PROTO'
    ? { offset, ofPrograms: true }
    : fail(`the elements of 'values' point to ${target.kind}, not to functions`);
}
