import { FormatError } from '../elf/errors.js';
import type { Btf } from './btf.js';
import { type CoreSpec, coreSubject } from './core-spec.js';
import type { TypeId } from './ids.js';

/** The result of a relocation for one spec. */
export interface CoreValue {
  /** Of 64 bits; an enumerator of a signed enum is extended to them. */
  readonly value: bigint;
  /** Whether the instruction has to hold the object's own value before it is patched: not for bit-fields and type ids. */
  readonly validate: boolean;
  /** Of an offset: how many bytes a load or store of the field is of, and the field's type; 0 for a bit-field, which is loaded whole. */
  readonly size: number;
  readonly typeId: TypeId;
}

/** The outcome where there is no spec: `poison` for the values that only a field or an enumerator has. */
export function coreValueOfNone(kind: CoreSpec['kind']): 'poison' | 0n {
  switch (kind) {
    case 'field_exists':
    case 'enumval_exists':
    case 'target_type_id':
    case 'type_exists':
    case 'type_size':
    case 'type_matches':
      return 0n;
    default:
      return 'poison';
  }
}

/**
 * The value of a spec in its own BTF (bpf_core_calc_field_relo, _type_relo and _enumval_relo).
 * @throws FormatError for what libbpf refuses: a bit-field that no load of 8 bytes holds, a question that an array element can't be asked
 */
export function coreValue(btf: Btf, spec: CoreSpec): CoreValue {
  const plain = (value: number | bigint, validate = true): CoreValue => ({ value: BigInt(value), validate, size: 0, typeId: 0 });
  switch (coreSubject(spec.kind)) {
    case 'type':
      if (spec.kind === 'type_size') return plain(sizeOf(btf, spec.rootTypeId));
      if (spec.kind === 'local_type_id' || spec.kind === 'target_type_id') return plain(spec.rootTypeId, false);
      return plain(1);
    case 'enum': {
      if (spec.kind === 'enumval_exists') return plain(1);
      const { typeId, index } = spec.accessors[0]!;
      const type = btf.type(typeId);
      if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') throw refused(btf, 'the access does not lead to an enumerator');
      const { value } = type.values[index]!;
      // An ENUM's are 32 bits which are taken as signed, whatever the enum is.
      return plain(BigInt.asUintN(64, type.kind === 'ENUM' ? BigInt(Number(value) | 0) : BigInt(value)));
    }
    case 'field':
      return fieldValue(btf, spec);
  }
}

function fieldValue(btf: Btf, spec: CoreSpec): CoreValue {
  const { kind, bitOffset, accessors } = spec;
  if (kind === 'field_exists') return { value: 1n, validate: true, size: 0, typeId: 0 };
  const { typeId, index, name } = accessors.at(-1)!;
  if (name === undefined) {
    const size = sizeOf(btf, typeId);
    if (kind === 'byte_off') return { value: BigInt(Math.floor(bitOffset / 8)), validate: true, size, typeId };
    if (kind === 'byte_sz') return { value: BigInt(size), validate: true, size: 0, typeId: 0 };
    throw refused(btf, `${kind} of an array's element`);
  }
  const struct = btf.type(typeId);
  if (struct.kind !== 'STRUCT' && struct.kind !== 'UNION') throw refused(btf, 'the access does not lead to a member');
  const member = struct.members[index]!;
  const fieldId = btf.resolve(member.typeId);
  const field = btf.type(fieldId);
  const isBitfield = member.bitfieldSize > 0;
  let bytes = sizeOf(btf, fieldId);
  let offset = Math.floor(bitOffset / 8);
  if (isBitfield) {
    if (bytes === 0) throw refused(btf, 'a bit-field of a type that takes no bytes');
    // The least load that holds all its bits, at an offset that is a multiple of its size.
    const within = (): number => Math.floor(bitOffset / 8 / bytes) * bytes;
    for (offset = within(); bitOffset + member.bitfieldSize > (offset + bytes) * 8; offset = within()) {
      if (bytes >= 8) throw refused(btf, 'a bit-field that does not fit in a load of 8 bytes');
      bytes *= 2;
    }
  }
  const bits = isBitfield ? member.bitfieldSize : bytes * 8;
  const from = bitOffset - offset * 8;
  const plain = (value: number, validate = !isBitfield): CoreValue => ({
    value: BigInt.asUintN(64, BigInt(value)),
    validate,
    size: 0,
    typeId: 0,
  });
  switch (kind) {
    case 'byte_off':
      return { ...plain(offset), ...(isBitfield ? {} : { size: bytes, typeId: fieldId }) };
    case 'byte_sz':
      return plain(bytes);
    case 'signed': {
      const signed = field.kind === 'INT' ? (field.encoding & 1) !== 0 : (field.kind === 'ENUM' || field.kind === 'ENUM64') && field.signed;
      return plain(signed ? 1 : 0, true);
    }
    case 'lshift_u64':
      return plain(btf.header.littleEndian ? 64 - (from + bits) : (8 - bytes) * 8 + from);
    case 'rshift_u64':
      return plain(64 - bits, true);
    default:
      throw refused(btf, `${kind} of a field`);
  }
}

function sizeOf(btf: Btf, id: TypeId): number {
  const size = btf.sizeof(id);
  if (size === undefined) throw refused(btf, `type ${id} has no size`);
  return size;
}

function refused(btf: Btf, message: string): FormatError {
  return new FormatError('bad-value', { name: btf.name }, `CO-RE: ${message}`);
}
