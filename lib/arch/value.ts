import type { Btf } from '../../btf/btf.js';
import type { TypeId } from '../../btf/ids.js';
import type { BtfType } from '../../btf/types.js';

/** A type as calls pass it and probes fetch it, behind typedefs, const and the like. Sizes are in bytes. */
export type Value =
  | { readonly kind: 'integer'; readonly size: number; readonly signed: boolean; readonly hex: boolean }
  | {
      readonly kind: 'pointer';
      readonly size: number;
      readonly to: 'char' | 'function' | 'other';
      /** What it points at is const. */
      readonly constant: boolean;
      /** Marked as pointing into user memory: `__user`, in BTF the type tag "user". */
      readonly user: boolean;
    }
  | {
      readonly kind: 'struct';
      readonly size: number;
      readonly align: number;
      /** The one value that it holds: `uid_t` of a `kuid_t`. */
      readonly only?: Value;
      /** A part is a floating-point number: compilers pass such structs in other registers. */
      readonly floats: boolean;
      /** A part is not aligned as its type asks for: x86-64 passes such structs on the stack. */
      readonly packed: boolean;
    }
  | { readonly kind: 'float'; readonly size: number }
  | { readonly kind: 'void' };

/** Integers that are read in hexadecimal. */
const HEX = new Set(['gfp_t', 'phys_addr_t', 'dma_addr_t', 'resource_size_t', 'pgprot_t', 'fmode_t', 'blk_opf_t', 'uintptr_t']);
const SIGNED = 1;
/** Structs nested deeper are not looked into. */
const DEEPEST = 16;
/** Members looked at in one struct: it is at most a few words that are passed. */
const MOST_MEMBERS = 64;

/** What a type of a prototype is when it is passed; undefined for what C does not pass: arrays, functions, forward declarations. */
export function valueOfType(btf: Btf, typeId: TypeId): Value | undefined {
  return read(btf, typeId, 0);
}

function read(btf: Btf, typeId: TypeId, depth: number): Value | undefined {
  if (depth > DEEPEST) return undefined;
  const type = btf.type(btf.resolve(typeId));
  switch (type.kind) {
    case 'VOID':
      return { kind: 'void' };
    case 'INT':
      return { kind: 'integer', size: type.size, signed: (type.encoding & SIGNED) !== 0, hex: isHex(btf, typeId) };
    case 'ENUM':
    case 'ENUM64':
      return { kind: 'integer', size: type.size, signed: type.signed || type.values.some(({ value }) => value < 0), hex: false };
    case 'FLOAT':
      return { kind: 'float', size: type.size };
    case 'PTR':
      return { kind: 'pointer', size: btf.pointerSize, ...pointee(btf, type.typeId) };
    case 'STRUCT':
    case 'UNION':
      return composite(btf, type, depth);
    default:
      return undefined;
  }
}

/** The names of a type, from the outermost typedef inwards. */
function isHex(btf: Btf, typeId: TypeId): boolean {
  for (let id = typeId, steps = 0; steps < DEEPEST; steps++) {
    const type = btf.type(id);
    if (type.kind === 'TYPEDEF' && HEX.has(type.name)) return true;
    if (!('typeId' in type)) return false;
    id = type.typeId;
  }
  return false;
}

function pointee(btf: Btf, typeId: TypeId): { to: 'char' | 'function' | 'other'; constant: boolean; user: boolean } {
  let user = false;
  let constant = false;
  let id = typeId;
  for (let steps = 0; steps < DEEPEST; steps++) {
    const type = btf.type(id);
    if (type.kind === 'TYPE_TAG') user ||= type.name === 'user';
    else if (type.kind === 'CONST') constant = true;
    else if (type.kind === 'INT') return { to: type.name === 'char' ? 'char' : 'other', constant, user };
    else if (type.kind === 'FUNC_PROTO') return { to: 'function', constant, user };
    else if (type.kind !== 'VOLATILE' && type.kind !== 'RESTRICT' && type.kind !== 'TYPEDEF') break;
    id = (type as { typeId: TypeId }).typeId;
  }
  return { to: 'other', constant, user };
}

function composite(btf: Btf, type: BtfType & { kind: 'STRUCT' | 'UNION' }, depth: number): Value {
  const { size } = type;
  const align = btf.alignof(type.id) ?? 1;
  const parts = type.members.slice(0, MOST_MEMBERS).flatMap(({ typeId, bitOffset, bitfieldSize }) => {
    const element = elementOf(btf, typeId);
    const value = read(btf, element.id, depth + 1);
    return value === undefined || value.kind === 'void' ? [] : [{ value, bitOffset, bitfieldSize, count: element.count }];
  });
  const floats = parts.some(({ value }) => value.kind === 'float' || (value.kind === 'struct' && value.floats));
  const packed = parts.some(
    ({ value, bitOffset, bitfieldSize }) =>
      (bitfieldSize === 0 && bitOffset % (alignOf(value) * 8) !== 0) || (value.kind === 'struct' && value.packed),
  );
  const [part] = parts;
  const single = parts.length === 1 && part!.count === 1 && part!.bitfieldSize === 0 && part!.bitOffset === 0;
  const inner = single ? (part!.value.kind === 'struct' ? part!.value.only : part!.value) : undefined;
  const only = inner !== undefined && 'size' in inner && inner.size === size ? inner : undefined;
  return { kind: 'struct', size, align, floats, packed, ...(only === undefined ? {} : { only }) };
}

/** The elements of an array, through arrays of arrays. */
function elementOf(btf: Btf, typeId: TypeId): { id: TypeId; count: number } {
  let id = btf.resolve(typeId);
  let count = 1;
  for (let steps = 0; steps < DEEPEST; steps++) {
    const type = btf.type(id);
    if (type.kind !== 'ARRAY') break;
    count *= type.nelems;
    id = btf.resolve(type.typeId);
  }
  return { id, count };
}

function alignOf(value: Value): number {
  if (value.kind === 'void') return 1;
  return value.kind === 'struct' ? value.align : Math.max(1, value.size);
}
