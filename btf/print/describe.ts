import type { Btf } from '../btf.js';
import type { TypeId } from '../ids.js';
import type { Kind } from '../kinds.js';
import type { CompositeType } from '../types.js';
import { Shapes } from './shape.js';

/** A member of a struct or union. */
export interface MemberDescription {
  readonly name: string;
  /** In C. */
  readonly type: string;
  readonly typeId: TypeId;
  /** In bytes from the start; of a bit-field, of the unit it lies in. */
  readonly offset: number;
  readonly size: number;
  /** Of a bit-field: where it starts in its unit, and its width. */
  readonly bitOffset?: number;
  readonly bits?: number;
  /** Unused bytes and bits after it; left out if there are none. */
  readonly hole?: number;
  readonly bitHole?: number;
}

/** What is known of a type, for JSON: sizes and offsets in bytes. */
export interface TypeDescription {
  readonly id: TypeId;
  readonly kind: Kind;
  readonly name: string;
  readonly size?: number;
  /** A function's prototype, or what a typedef, a pointer or a variable is, in C. */
  readonly declaration?: string;
  readonly members?: readonly MemberDescription[];
  readonly cachelines?: number;
  readonly padding?: number;
  readonly packed?: boolean;
  /** Values of 64-bit enums are text, since JSON's numbers have 53 bits. */
  readonly values?: readonly { readonly name: string; readonly value: number | string }[];
}

const CACHELINE = 64;

/** Describes types of one blob. */
export class TypeDescriber {
  readonly #btf: Btf;
  readonly #shapes: Shapes;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#shapes = new Shapes(btf);
  }

  /** Id, kind, name, and a size where the type has one. @throws FormatError */
  summary(id: TypeId): TypeDescription {
    const btf = this.#btf;
    const kind = btf.kindOf(id);
    const size = kind === 'VAR' || kind === 'DECL_TAG' ? undefined : btf.sizeof(id);
    return { id, kind, name: btf.nameOf(id), ...(size === undefined ? {} : { size }) };
  }

  /** Everything. @throws FormatError */
  describe(id: TypeId): TypeDescription {
    const btf = this.#btf;
    const type = btf.type(id);
    const summary = this.summary(id);
    switch (type.kind) {
      case 'STRUCT':
      case 'UNION':
        return { ...summary, ...this.#composite(type) };
      case 'ENUM':
        return { ...summary, values: type.values };
      case 'ENUM64':
        return { ...summary, values: type.values.map(({ name, value }) => ({ name, value: String(value) })) };
      case 'FUNC':
        return { ...summary, declaration: btf.prototype(id) };
      case 'TYPEDEF':
        return { ...summary, declaration: btf.declaration(type.typeId) };
      case 'VAR':
        return { ...summary, declaration: btf.declaration(type.typeId, type.name) };
      default:
        return summary;
    }
  }

  #composite(type: CompositeType): Partial<TypeDescription> {
    const shape = this.#shapes.shape(type);
    if (type.kind === 'STRUCT') this.#shapes.inferPacked(shape);
    const members = shape.members.map(
      (member): MemberDescription => ({
        name: member.name,
        type: this.#btf.declaration(member.typeId),
        typeId: member.typeId,
        offset: member.byteOffset,
        size: member.byteSize,
        ...(member.bitfieldSize > 0 ? { bitOffset: member.bitfieldOffset, bits: member.bitfieldSize } : {}),
        ...(member.hole > 0 ? { hole: member.hole } : {}),
        ...(member.bitHole > 0 ? { bitHole: member.bitHole } : {}),
      }),
    );
    return { members, cachelines: Math.ceil(type.size / CACHELINE), padding: shape.padding, packed: shape.packed };
  }
}
