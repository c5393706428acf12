import type { BtfBlob } from './blob.js';
import { KIND, KIND_NAMES, RECORD_WORDS } from './kinds.js';
import type { BtfType, Member, Parameter } from './types.js';
import { flagOfInfo, kindOfInfo, LINKAGE_NAMES, vlenOfInfo } from './wire.js';

/** Makes the object of a type from its record. `btf` is the layer that owns the type; its words were checked when it was scanned. */
export function decodeType(btf: BtfBlob, id: number, at: number): BtfType {
  const { words, strings } = btf;
  const info = words[at + 1]!;
  const sizeOrType = words[at + 2]!;
  const tail = at + RECORD_WORDS;
  const vlen = vlenOfInfo(info);
  const flag = flagOfInfo(info);
  const name = strings.text(words[at]!);
  const number = kindOfInfo(info);
  switch (number) {
    case KIND.INT: {
      const bits = words[tail]!;
      // BTF_INT_ENCODING, BTF_INT_OFFSET and BTF_INT_BITS of btf.rst.
      return { id, name, kind: 'INT', size: sizeOrType, encoding: (bits >>> 24) & 15, bitOffset: (bits >>> 16) & 255, bits: bits & 255 };
    }
    case KIND.PTR:
    case KIND.TYPEDEF:
    case KIND.VOLATILE:
    case KIND.CONST:
    case KIND.RESTRICT:
      return { id, name, kind: KIND_NAMES[number] as 'PTR', typeId: sizeOrType };
    case KIND.ARRAY:
      return { id, name, kind: 'ARRAY', typeId: words[tail]!, indexTypeId: words[tail + 1]!, nelems: words[tail + 2]! };
    case KIND.STRUCT:
    case KIND.UNION:
      return { id, name, kind: number === KIND.STRUCT ? 'STRUCT' : 'UNION', size: sizeOrType, members: members(btf, tail, vlen, flag) };
    case KIND.ENUM: {
      const value = (i: number): number => (flag ? words[tail + i * 2 + 1]! | 0 : words[tail + i * 2 + 1]!);
      const values = times(vlen, i => ({ name: strings.text(words[tail + i * 2]!), value: value(i) }));
      return { id, name, kind: 'ENUM', size: sizeOrType, signed: flag, values };
    }
    case KIND.ENUM64: {
      const values = times(vlen, i => ({
        name: strings.text(words[tail + i * 3]!),
        value: enum64Value(words[tail + i * 3 + 1]!, words[tail + i * 3 + 2]!, flag),
      }));
      return { id, name, kind: 'ENUM64', size: sizeOrType, signed: flag, values };
    }
    case KIND.FWD:
      return { id, name, kind: 'FWD', union: flag };
    case KIND.FUNC:
      return { id, name, kind: 'FUNC', typeId: sizeOrType, linkage: LINKAGE_NAMES[vlen] };
    case KIND.FUNC_PROTO: {
      const variadic = isVariadic(words, tail, vlen);
      return {
        id,
        name,
        kind: 'FUNC_PROTO',
        returnTypeId: sizeOrType,
        parameters: parameters(btf, tail, variadic ? vlen - 1 : vlen),
        variadic,
      };
    }
    case KIND.VAR:
      return { id, name, kind: 'VAR', typeId: sizeOrType, linkage: LINKAGE_NAMES[words[tail]!] };
    case KIND.DATASEC: {
      const variables = times(vlen, i => ({
        typeId: words[tail + i * 3]!,
        offset: words[tail + i * 3 + 1]!,
        size: words[tail + i * 3 + 2]!,
      }));
      return { id, name, kind: 'DATASEC', size: sizeOrType, variables };
    }
    case KIND.FLOAT:
      return { id, name, kind: 'FLOAT', size: sizeOrType };
    case KIND.DECL_TAG:
      return { id, name, kind: 'DECL_TAG', typeId: sizeOrType, componentIndex: words[tail]! | 0, attribute: flag };
    case KIND.TYPE_TAG:
      return { id, name, kind: 'TYPE_TAG', typeId: sizeOrType, attribute: flag };
    default:
      return { id, name, kind: 'UNKNOWN', kindNumber: number, vlen, flag, sizeOrType };
  }
}

/** With kind_flag, a member's offset word holds a bit-field's width in its upper 8 bits. */
function members({ words, strings }: BtfBlob, tail: number, vlen: number, flag: boolean): Member[] {
  return times(vlen, i => {
    const at = tail + i * 3;
    const offset = words[at + 2]!;
    return {
      name: strings.text(words[at]!),
      typeId: words[at + 1]!,
      bitOffset: flag ? offset & 0xffffff : offset,
      bitfieldSize: flag ? offset >>> 24 : 0,
    };
  });
}

/** A last parameter without name and type stands for `...`. */
export function isVariadic(words: Uint32Array, tail: number, vlen: number): boolean {
  return vlen > 0 && words[tail + vlen * 2 - 2] === 0 && words[tail + vlen * 2 - 1] === 0;
}

function parameters({ words, strings }: BtfBlob, tail: number, count: number): Parameter[] {
  return times(count, i => ({ name: strings.text(words[tail + i * 2]!), typeId: words[tail + i * 2 + 1]! }));
}

export function enum64Value(low: number, high: number, signed: boolean): bigint {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return signed ? BigInt.asIntN(64, value) : value;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
