import type { BtfBlob } from './blob.js';
import type { TypeId } from './ids.js';
import { KIND_NAMES, LAST_KIND, RECORD_WORDS, type RecordKind } from './kinds.js';
import type { BtfType, Member, Parameter, ReferenceType } from './types.js';
import { flagOfInfo, kindOfInfo, LINKAGE_NAMES, vlenOfInfo } from './wire.js';

/** A record as it stands: what every kind has, and where its own words begin. */
interface Stored {
  readonly btf: BtfBlob;
  readonly words: Uint32Array;
  readonly id: TypeId;
  readonly name: string;
  readonly vlen: number;
  readonly flag: boolean;
  /** The third word. */
  readonly sizeOrType: number;
  readonly tail: number;
}

/** How each kind's object is made of its record: the compiler names the kind that has no entry. */
const DECODERS: { readonly [K in RecordKind]: (record: Stored) => BtfType & { readonly kind: K } } = {
  INT: ({ words, id, name, sizeOrType, tail }) => {
    const bits = words[tail]!;
    // BTF_INT_ENCODING, BTF_INT_OFFSET and BTF_INT_BITS of btf.rst.
    return { id, name, kind: 'INT', size: sizeOrType, encoding: (bits >>> 24) & 15, bitOffset: (bits >>> 16) & 255, bits: bits & 255 };
  },
  PTR: record => reference(record, 'PTR'),
  ARRAY: ({ words, id, name, tail }) => ({
    id,
    name,
    kind: 'ARRAY',
    typeId: words[tail]!,
    indexTypeId: words[tail + 1]!,
    nelems: words[tail + 2]!,
  }),
  STRUCT: record => ({ id: record.id, name: record.name, kind: 'STRUCT', size: record.sizeOrType, members: members(record) }),
  UNION: record => ({ id: record.id, name: record.name, kind: 'UNION', size: record.sizeOrType, members: members(record) }),
  ENUM: ({ btf, words, id, name, vlen, flag, sizeOrType, tail }) => {
    const values = times(vlen, i => {
      const value = words[tail + i * 2 + 1]!;
      return { name: btf.strings.text(words[tail + i * 2]!), value: flag ? value | 0 : value };
    });
    return { id, name, kind: 'ENUM', size: sizeOrType, signed: flag, values };
  },
  FWD: ({ id, name, flag }) => ({ id, name, kind: 'FWD', union: flag }),
  TYPEDEF: record => reference(record, 'TYPEDEF'),
  VOLATILE: record => reference(record, 'VOLATILE'),
  CONST: record => reference(record, 'CONST'),
  RESTRICT: record => reference(record, 'RESTRICT'),
  FUNC: ({ id, name, vlen, sizeOrType }) => ({ id, name, kind: 'FUNC', typeId: sizeOrType, linkage: LINKAGE_NAMES[vlen] }),
  FUNC_PROTO: record => {
    const { words, id, name, vlen, sizeOrType, tail } = record;
    const variadic = isVariadic(words, tail, vlen);
    return {
      id,
      name,
      kind: 'FUNC_PROTO',
      returnTypeId: sizeOrType,
      parameters: parameters(record, variadic ? vlen - 1 : vlen),
      variadic,
    };
  },
  VAR: ({ words, id, name, sizeOrType, tail }) => ({
    id,
    name,
    kind: 'VAR',
    typeId: sizeOrType,
    linkage: LINKAGE_NAMES[words[tail]!],
  }),
  DATASEC: ({ words, id, name, vlen, sizeOrType, tail }) => {
    const variables = times(vlen, i => ({
      typeId: words[tail + i * 3]!,
      offset: words[tail + i * 3 + 1]!,
      size: words[tail + i * 3 + 2]!,
    }));
    return { id, name, kind: 'DATASEC', size: sizeOrType, variables };
  },
  FLOAT: ({ id, name, sizeOrType }) => ({ id, name, kind: 'FLOAT', size: sizeOrType }),
  DECL_TAG: ({ words, id, name, flag, sizeOrType, tail }) => ({
    id,
    name,
    kind: 'DECL_TAG',
    typeId: sizeOrType,
    componentIndex: words[tail]! | 0,
    attribute: flag,
  }),
  TYPE_TAG: ({ id, name, flag, sizeOrType }) => ({ id, name, kind: 'TYPE_TAG', typeId: sizeOrType, attribute: flag }),
  ENUM64: ({ btf, words, id, name, vlen, flag, sizeOrType, tail }) => {
    const values = times(vlen, i => ({
      name: btf.strings.text(words[tail + i * 3]!),
      value: enum64Value(words[tail + i * 3 + 1]!, words[tail + i * 3 + 2]!, flag),
    }));
    return { id, name, kind: 'ENUM64', size: sizeOrType, signed: flag, values };
  },
};

/** Makes the object of a type from its record. `btf` is the layer that owns the type; its words were checked when it was scanned. */
export function decodeType(btf: BtfBlob, id: TypeId, at: number): BtfType {
  const { words, strings } = btf;
  const info = words[at + 1]!;
  const name = strings.text(words[at]!);
  const vlen = vlenOfInfo(info);
  const flag = flagOfInfo(info);
  const sizeOrType = words[at + 2]!;
  const kind = kindOfInfo(info);
  if (kind > LAST_KIND) return { id, name, kind: 'UNKNOWN', kindNumber: kind, vlen, flag, sizeOrType };
  return DECODERS[KIND_NAMES[kind] as RecordKind]({ btf, words, id, name, vlen, flag, sizeOrType, tail: at + RECORD_WORDS });
}

function reference<K extends ReferenceType['kind']>({ id, name, sizeOrType }: Stored, kind: K): ReferenceType & { readonly kind: K } {
  return { id, name, kind, typeId: sizeOrType };
}

/** With kind_flag, a member's offset word holds a bit-field's width in its upper 8 bits. */
function members({ btf, words, vlen, flag, tail }: Stored): Member[] {
  return times(vlen, i => {
    const at = tail + i * 3;
    const offset = words[at + 2]!;
    return {
      name: btf.strings.text(words[at]!),
      typeId: words[at + 1]!,
      bitOffset: flag ? offset & 0xffffff : offset,
      bitfieldSize: flag ? offset >>> 24 : 0,
    };
  });
}

/** A last parameter without name and type stands for `...`. */
function isVariadic(words: Uint32Array, tail: number, vlen: number): boolean {
  return vlen > 0 && words[tail + vlen * 2 - 2] === 0 && words[tail + vlen * 2 - 1] === 0;
}

function parameters({ btf, words, tail }: Stored, count: number): Parameter[] {
  return times(count, i => ({ name: btf.strings.text(words[tail + i * 2]!), typeId: words[tail + i * 2 + 1]! }));
}

function enum64Value(low: number, high: number, signed: boolean): bigint {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return signed ? BigInt.asIntN(64, value) : value;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
