import type { TypeId } from './ids.js';
import type { Linkage } from './wire.js';

/** What every type has. `name` is '' for an anonymous one. */
interface Named {
  readonly id: TypeId;
  readonly name: string;
}

/** Type id 0. */
export interface VoidType extends Named {
  readonly kind: 'VOID';
}

export interface IntType extends Named {
  readonly kind: 'INT';
  /** In bytes. */
  readonly size: number;
  /** Bits of `BTF_INT_SIGNED` 1, `BTF_INT_CHAR` 2, `BTF_INT_BOOL` 4. */
  readonly encoding: number;
  /** Bits from the start of the bytes to the value, 0 but for bit-fields of old compilers. */
  readonly bitOffset: number;
  /** The value's width in bits. */
  readonly bits: number;
}

export interface FloatType extends Named {
  readonly kind: 'FLOAT';
  readonly size: number;
}

/** What refers to one other type and adds nothing else. */
export interface ReferenceType extends Named {
  readonly kind: 'PTR' | 'TYPEDEF' | 'VOLATILE' | 'CONST' | 'RESTRICT';
  readonly typeId: TypeId;
}

/** `btf_type_tag("name")` on `typeId`, or a plain attribute where `attribute` (kind_flag, since kernel 6.15). */
export interface TypeTag extends Named {
  readonly kind: 'TYPE_TAG';
  readonly typeId: TypeId;
  readonly attribute: boolean;
}

export interface ArrayType extends Named {
  readonly kind: 'ARRAY';
  readonly typeId: TypeId;
  readonly indexTypeId: TypeId;
  readonly nelems: number;
}

export interface Member {
  readonly name: string;
  readonly typeId: TypeId;
  /** Bits from the start of the struct. */
  readonly bitOffset: number;
  /** Width of a bit-field; 0 for other members. */
  readonly bitfieldSize: number;
}

export interface CompositeType extends Named {
  readonly kind: 'STRUCT' | 'UNION';
  readonly size: number;
  readonly members: readonly Member[];
}

export interface EnumType extends Named {
  readonly kind: 'ENUM';
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

export interface Enum64Type extends Named {
  readonly kind: 'ENUM64';
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

/** A struct or union that is declared, not defined. */
export interface FwdType extends Named {
  readonly kind: 'FWD';
  readonly union: boolean;
}

export interface FuncType extends Named {
  readonly kind: 'FUNC';
  /** The FUNC_PROTO. */
  readonly typeId: TypeId;
  /** undefined for a number that has no meaning yet. */
  readonly linkage: Linkage | undefined;
}

export interface Parameter {
  readonly name: string;
  readonly typeId: TypeId;
}

export interface FuncProtoType extends Named {
  readonly kind: 'FUNC_PROTO';
  readonly returnTypeId: TypeId;
  /** Without the mark of a variadic function. */
  readonly parameters: readonly Parameter[];
  /** `...` follows: the record's last parameter has neither name nor type. */
  readonly variadic: boolean;
}

export interface VarType extends Named {
  readonly kind: 'VAR';
  readonly typeId: TypeId;
  readonly linkage: Linkage | undefined;
}

export interface DatasecType extends Named {
  readonly kind: 'DATASEC';
  readonly size: number;
  readonly variables: readonly { readonly typeId: TypeId; readonly offset: number; readonly size: number }[];
}

/** `btf_decl_tag("name")`, or a plain attribute, on `typeId` as a whole (-1) or on its member or parameter `componentIndex`. */
export interface DeclTag extends Named {
  readonly kind: 'DECL_TAG';
  readonly typeId: TypeId;
  readonly componentIndex: number;
  readonly attribute: boolean;
}

/** A kind that this version does not know; the blob's layout section says how long its record is. */
export interface UnknownType extends Named {
  readonly kind: 'UNKNOWN';
  readonly kindNumber: number;
  readonly vlen: number;
  readonly flag: boolean;
  /** The record's third word, a size or a type id. */
  readonly sizeOrType: number;
}

/** A type, told apart by `kind`. Ids refer to types of the same {@link Btf} or of its base. */
export type BtfType =
  | VoidType
  | IntType
  | FloatType
  | ReferenceType
  | TypeTag
  | ArrayType
  | CompositeType
  | EnumType
  | Enum64Type
  | FwdType
  | FuncType
  | FuncProtoType
  | VarType
  | DatasecType
  | DeclTag
  | UnknownType;
