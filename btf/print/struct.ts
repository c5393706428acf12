import { identifier } from '../../elf/escape.js';
import type { Btf } from '../btf.js';
import type { TypeId } from '../ids.js';
import type { ArrayType, BtfType, CompositeType, Enum64Type, EnumType, FuncProtoType } from '../types.js';
import { type Shape, type ShapeMember, Shapes } from './shape.js';

const CACHELINE = 64;
const PACKED = '__attribute__((__packed__))';
/** Anonymous types inside each other, and pieces of text in one answer: more than kernels have, less than damaged blobs can ask for. */
const MAX_NESTING = 64;
const MAX_PIECES = 200_000;

/** How a type is written in its place. */
interface Style {
  readonly indent: number;
  /** Columns of the type and of the name. */
  readonly typeWidth: number;
  readonly nameWidth: number;
  /** What follows the closing brace of a body. */
  readonly suffix: string | undefined;
  /** Sizes and sums at the end of a body. */
  readonly stats: boolean;
  /** Where the type is in the outermost struct; in the body after a pointer, offsets start anew. */
  readonly base: number;
  readonly relative: boolean;
  /** The cache line that the last boundary was written for, shared by all bodies. */
  readonly line: { last: number };
  readonly first: boolean;
  readonly last: boolean;
  readonly inUnion: boolean;
}

/**
 * A struct, union, enum or typedef with offsets, sizes, holes and cache lines, in the form that `pahole -F btf -C NAME` 1.24 has, without a
 * newline at the end; other types in C.
 * @throws FormatError for cycles, and for what is nested too deeply
 */
export function formatType(btf: Btf, id: TypeId): string {
  const type = inC(btf.type(id));
  const printer = new StructPrinter(btf);
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
    case 'ENUM':
    case 'ENUM64':
    case 'TYPEDEF':
      return `${printer.definition(type)};`;
    case 'FUNC':
      return `${btf.prototype(id)};`;
    case 'VAR':
      return `${btf.declaration(type.typeId, type.name)};`;
    case 'DATASEC':
    case 'DECL_TAG':
    case 'UNKNOWN':
      return `/* ${type.kind} ${type.name} */`;
    default:
      return `${btf.declaration(id)};`;
  }
}

/** A type whose names are identifiers of C, those of its members, parameters and enumerators too. */
function inC<T extends BtfType>(type: T): T {
  const named: Record<string, unknown> = { ...type };
  if ('name' in type) named['name'] = identifier(type.name);
  for (const list of ['members', 'parameters', 'values'])
    if (list in type) named[list] = (named[list] as { name: string }[]).map(one => ({ ...one, name: identifier(one.name) }));
  return named as unknown as T;
}

class StructPrinter {
  readonly #btf: Btf;
  readonly #shapes: Shapes;
  #nesting = 0;
  #pieces = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#shapes = new Shapes(btf, id => inC(btf.type(id)));
  }

  definition(type: BtfType): string {
    const style: Style = {
      indent: 0,
      typeWidth: 26,
      nameWidth: type.kind === 'UNION' ? 21 : 23,
      suffix: undefined,
      stats: true,
      base: 0,
      relative: false,
      line: { last: 0 },
      first: false,
      last: false,
      inUnion: false,
    };
    switch (type.kind) {
      case 'STRUCT':
        return this.#struct(type, style);
      case 'UNION':
        return this.#union(type, style);
      case 'ENUM':
      case 'ENUM64':
        return this.#enum(type, style);
      default:
        return this.#typedef(type as Extract<BtfType, { kind: 'TYPEDEF' }>, style);
    }
  }

  /** Counts a piece of text, against damaged blobs whose types expand without end. */
  #spend(id: TypeId): void {
    if (++this.#pieces > MAX_PIECES) throw this.#btf.errorAt(id, `the text of type ${id} has no reasonable length`, 'limit');
  }

  #typedef({ typeId, name }: { readonly typeId: TypeId; readonly name: string }, style: Style): string {
    const target = this.#shapes.type(typeId);
    switch (target.kind) {
      case 'ARRAY':
        return `typedef ${this.#array(target, name, style)}`;
      case 'FUNC_PROTO':
        return `typedef ${this.#function(target, name, '', 0)}`;
      case 'PTR': {
        const pointed = this.#shapes.type(target.typeId);
        if (pointed.kind === 'FUNC_PROTO') return `typedef ${this.#function(pointed, name, '*', 0)}`;
        break;
      }
      case 'STRUCT':
        if (target.name === '') return `typedef ${this.#struct(target, { ...style, suffix: name })}`;
        break;
      case 'ENUM':
      case 'ENUM64':
        if (target.name === '') return `typedef ${this.#enum(target, { ...style, suffix: name })}`;
        break;
    }
    return `typedef ${this.#name(typeId)} ${name}`;
  }

  /** The type's name, with what modifies it before or behind, as in a list of parameters. */
  #name(id: TypeId, depth = 0): string {
    const type = this.#shapes.type(id);
    this.#spend(id);
    if (depth > MAX_NESTING) throw this.#btf.errorAt(id, `type ${id} goes through more than ${MAX_NESTING} others, or is a cycle`);
    switch (type.kind) {
      case 'VOID':
        return 'void';
      case 'INT':
        return `${type.encoding & 4 ? 'bool ' : ''}${type.name || 'nameless base type!'}`;
      case 'FLOAT':
        return `single ${type.name}`;
      case 'PTR': {
        const target = this.#shapes.type(type.typeId);
        // A const pointer after the pointer: `char *const *`, which pahole writes `char * const *`.
        if (target.kind === 'CONST' && this.#shapes.type(target.typeId).kind === 'PTR')
          return `${this.#name(target.typeId, depth + 1)} const *`;
        return `${this.#name(type.typeId, depth + 1)} *`;
      }
      case 'CONST':
        return `const ${this.#name(type.typeId, depth + 1)} `;
      case 'VOLATILE':
        return `volatile ${this.#name(type.typeId, depth + 1)} `;
      case 'RESTRICT':
        return `${this.#name(type.typeId, depth + 1)} restrict `;
      case 'TYPE_TAG':
      case 'ARRAY':
        return this.#name(type.typeId, depth + 1);
      case 'FUNC_PROTO':
        return this.#function(type, '', '', 0, depth + 1);
      case 'STRUCT':
        return `struct ${type.name}`;
      case 'UNION':
        return `union ${type.name}`;
      case 'FWD':
        return `${type.union ? 'union' : 'struct'} ${type.name}`;
      case 'ENUM':
      case 'ENUM64':
        return `enum ${type.name}`;
      default:
        return type.name;
    }
  }

  #function(proto: FuncProtoType, name: string, star: string, width: number, depth = 0): string {
    if (depth > MAX_NESTING) throw this.#btf.errorAt(proto.id, `type ${proto.id} is nested deeper than ${MAX_NESTING} functions`, 'limit');
    const parameters = proto.parameters.map(({ name: parameter, typeId }) => {
      const type = this.#shapes.type(typeId);
      const pointed = type.kind === 'PTR' ? this.#shapes.type(type.typeId) : undefined;
      if (pointed?.kind === 'FUNC_PROTO') return this.#function(pointed, parameter, '*', 0, depth + 1);
      return `${this.#name(typeId, depth + 1)}${parameter === '' ? '' : ` ${parameter}`}`;
    });
    if (parameters.length === 0) parameters.push('void');
    else if (proto.variadic) parameters.push('...');
    return `${pad(this.#name(proto.returnTypeId, depth + 1), width)} (${star}${name})(${parameters.join(', ')})`;
  }

  #array({ id, typeId, nelems }: ArrayType, name: string, style: Style): string {
    const element = this.#shapes.type(typeId);
    this.#spend(id);
    const target = nelems === 0 && element.kind === 'CONST' ? element.typeId : typeId;
    const flexible = nelems === 0 && style.last && !style.first && !style.inUnion;
    return `${this.#declare(target, name, style)}[${flexible ? '' : nelems}]`;
  }

  /** A type and the name it declares, the type in its column; the bodies of anonymous types are written out. */
  #declare(id: TypeId, name: string | undefined, style: Style): string {
    if (this.#nesting >= MAX_NESTING) throw this.#btf.errorAt(id, `type ${id} is nested deeper than ${MAX_NESTING} types, or is a cycle`);
    this.#nesting++;
    const text = this.#declareInside(id, name, style);
    this.#nesting--;
    return text;
  }

  #declareInside(id: TypeId, name: string | undefined, style: Style): string {
    const type = this.#shapes.type(id);
    const width = style.typeWidth;
    this.#spend(id);
    switch (type.kind) {
      case 'STRUCT':
      case 'UNION':
      case 'ENUM':
      case 'ENUM64':
      case 'FWD':
        return this.#tagged(type, name, { ...style, suffix: name, stats: false });
      case 'PTR': {
        const target = this.#shapes.type(type.typeId);
        if (target.kind === 'FUNC_PROTO') return this.#function(target, name ?? '', '*', width);
        if ('size' in target && target.name === '' && target.kind !== 'INT' && target.kind !== 'FLOAT' && target.kind !== 'DATASEC') {
          const pointer = `* ${name ?? ''}`;
          return this.#tagged(target, pointer, { ...style, suffix: pointer, stats: false, relative: true, typeWidth: width - 8 });
        }
        break;
      }
      case 'FUNC_PROTO':
        return this.#function(type, name ?? '', '', width);
      case 'CONST': {
        const inner = { ...style, typeWidth: width - 6 };
        if (type.typeId === 0) return `const ${pad(this.#name(id), inner.typeWidth)} ${name ?? ''}`;
        return `const ${this.#behindConst(type.typeId, name, inner)}`;
      }
      case 'ARRAY':
        return this.#array(type, name ?? '', style);
    }
    return `${pad(this.#name(id), width)} ${name ?? ''}`;
  }

  /** What a const is on keeps the style of the const. */
  #behindConst(id: TypeId, name: string | undefined, style: Style): string {
    const type = this.#shapes.type(id);
    const tagged = type.kind === 'STRUCT' || type.kind === 'UNION' || type.kind === 'ENUM' || type.kind === 'ENUM64';
    return tagged ? this.#tagged(type, name, style) : this.#declare(id, name, style);
  }

  #tagged(type: BtfType, name: string | undefined, style: Style): string {
    const keyword =
      type.kind === 'FWD' ? (type.union ? 'union' : 'struct') : type.kind.startsWith('ENUM') ? 'enum' : type.kind.toLowerCase();
    if (type.name !== '') return `${keyword} ${pad(type.name, style.typeWidth - keyword.length - 1)} ${name ?? ''}`;
    if (type.kind === 'STRUCT') return this.#struct(type, { ...style, typeWidth: style.typeWidth - 8 });
    if (type.kind === 'UNION') return this.#union(type, { ...style, typeWidth: style.typeWidth - 8 });
    return type.kind === 'ENUM' || type.kind === 'ENUM64' ? this.#enum(type, style) : keyword;
  }

  #enum(type: EnumType | Enum64Type, style: Style): string {
    const head = `enum${type.name === '' ? '' : ` ${type.name}`}`;
    if (type.values.length === 0) return head;
    const width = type.values.reduce((most, { name }) => Math.max(most, name.length), 0);
    const values = type.values.map(({ name, value }) => {
      this.#spend(type.id);
      // pahole shows values of signed enums as unsigned ones of the enum's width.
      const shown = typeof value === 'number' ? value >>> 0 : BigInt.asUintN(64, value);
      return `${tabs(style.indent)}\t${name.padEnd(width)} = ${shown},\n`;
    });
    const packed = (type.size || 4) === 4 ? '' : ` ${PACKED}`;
    return `${head} {\n${values.join('')}${tabs(style.indent)}}${packed}${style.suffix === undefined ? '' : ` ${style.suffix}`}`;
  }

  #union(type: CompositeType, style: Style): string {
    const shape = this.#shapes.shape(type);
    this.#shapes.inferPackedInUnion(shape);
    const inner: Style = { ...style, indent: style.indent + 1, inUnion: true };
    const line = style.line.last;
    let text = `union${type.name === '' ? '' : ` ${type.name}`} {\n`;
    for (const member of shape.members) {
      text += `${tabs(inner.indent)}${this.#member(member, true, inner)}\n`;
      // Every member starts in the same cache line.
      style.line.last = line;
    }
    return `${text}${tabs(style.indent)}}${style.suffix === undefined ? '' : ` ${style.suffix}`}`;
  }

  /** `type name; /* offset size *​/`, after the boundary of a cache line where it begins one. */
  #member(member: ShapeMember, ofUnion: boolean, style: Style): string {
    const type = this.#shapes.type(member.typeId);
    const { name } = member;
    let offset = member.byteOffset;
    let inner = style;
    if (!style.relative) {
      offset += style.base;
      if (!ofUnion) inner = { ...style, base: offset };
    }
    let text = this.#boundary(offset, style);
    const before = text.length;
    const tagged = type.kind === 'STRUCT' || type.kind === 'UNION' || type.kind === 'ENUM' || type.kind === 'ENUM64' || type.kind === 'FWD';
    if (tagged) text += `${this.#declare(member.typeId, undefined, inner)}${name !== '' && type.name === '' ? ' ' : ''}${name}`;
    else text += this.#declare(member.typeId, name === '' ? undefined : name, inner);
    if (member.bitfieldSize > 0) text += `:${member.bitfieldSize}`;
    const aligned = member.alignment === 0 ? '' : ` __attribute__((__aligned__(${member.alignment})))`;
    text += `${aligned};`;
    let width = style.typeWidth + style.nameWidth;
    if (tagged && type.name === '') {
      // The comment follows the brace: the name, the attribute and what packed adds are all there is before it.
      const packed = type.kind === 'STRUCT' && this.#shapes.shape(type).packed ? PACKED.length + 1 : 0;
      width = Math.abs(width - (aligned.length + (name === '' ? -1 : name.length) + packed) - 3);
    } else width -= text.length - before;
    const bits = member.bitfieldSize > 0 ? `:${String(member.bitfieldOffset).padStart(2)}` : '';
    return `${text}${' '.repeat(Math.max(width, 1))}/* ${String(offset).padStart(5)}${bits} ${String(member.byteSize).padStart(bits === '' ? 5 : 2)} */`;
  }

  #boundary(offset: number, style: Style): string {
    const line = Math.floor(offset / CACHELINE);
    if (line <= style.line.last) return '';
    style.line.last = line;
    const past = offset % CACHELINE;
    const ago = past === 0 ? '' : ` was ${past} byte${past === 1 ? '' : 's'} ago`;
    return `/* --- cacheline ${line} boundary (${offset - past} bytes)${ago} --- */\n${tabs(style.indent)}`;
  }

  #struct(type: CompositeType, style: Style): string {
    const shape = this.#shapes.shape(type);
    this.#shapes.inferPacked(shape);
    const inner: Style = { ...style, indent: style.indent + 1 };
    const sums: Sums = { bytes: 0, bits: 0, holes: 0, bitHoles: 0, paddings: 0, padding: 0, aligned: 0, alignedHoles: 0, alignedHole: 0 };
    let text = `struct${type.name === '' ? '' : ` ${type.name}`} {\n${this.#members(shape, inner, sums)}`;
    if (style.stats) text += stats(shape, style, sums);
    text += `${tabs(style.indent)}}`;
    if (shape.packed) text += ` ${PACKED}`;
    if (style.suffix !== undefined) text += ` ${style.suffix}`;
    if (shape.alignment !== 0 && !shape.packed) text += ` __attribute__((__aligned__(${shape.alignment})))`;
    return text;
  }

  #members(shape: Shape, style: Style, sums: Sums): string {
    const indent = tabs(style.indent);
    let text = '';
    let newline = false;
    const separate = (): string => {
      const first = newline ? '' : '\n';
      newline = true;
      return first;
    };
    if (shape.leadingBitHole > 0) {
      text += `${separate()}${indent}/* XXX ${count(shape.leadingBitHole, 'bit')} hole, try to pack */\n`;
      sums.bitHoles += shape.leadingBitHole;
    }
    if (shape.leadingHole > 0) {
      text += `${separate()}${indent}/* XXX ${count(shape.leadingHole, 'byte')} hole, try to pack */\n`;
      sums.holes += shape.leadingHole;
    }
    let previous: ShapeMember | undefined;
    let previousSize = 0;
    shape.members.forEach((member, index) => {
      if (member.alignment !== 0) {
        const hole = previous === undefined ? shape.leadingHole : previous.hole;
        sums.aligned++;
        if (hole !== 0) sums.alignedHoles++;
        sums.alignedHole += hole;
      }
      if (previous !== undefined && previousSize !== 0) {
        if (previous.bitHole !== 0 && member.bitfieldSize > 0) text += this.#unnamed(previous, member, style);
        const combined = combination(previous, member, previousSize);
        if (combined !== undefined) text += `${separate()}${indent}/* Bitfield combined with ${combined} fields */\n`;
      }
      if (newline) text += '\n';
      newline = false;
      const place: Style = { ...style, first: previous === undefined, last: index === shape.members.length - 1 };
      text += `${indent}${this.#member(member, false, place)}`;
      for (const remark of this.#remarks(member, sums)) text += `${separate()}\n${indent}/* XXX ${remark} */`;
      text += '\n';
      if (member.bitfieldSize > 0) sums.bits += member.bitfieldSize;
      else sums.bytes += member.byteSize;
      const moved = previous === undefined || previousSize === 0 || previous.byteOffset !== member.byteOffset;
      if (moved || (previous?.bitfieldSize === 0 && member.bitfieldSize > 0)) previousSize = member.byteSize;
      previous = member;
    });
    return text;
  }

  /** The nameless bit-field that makes a hole of bits before a bit-field. */
  #unnamed(previous: ShapeMember, member: ShapeMember, style: Style): string {
    const indent = tabs(style.indent);
    const moved = previous.byteOffset !== member.byteOffset;
    const declared = this.#declare(member.typeId, '', style);
    return `${moved ? `\n${indent}/* Force alignment to the next boundary: */\n` : ''}${indent}${declared}:${moved ? 0 : previous.bitHole};\n`;
  }

  /** What is remarkable after a member. */
  #remarks(member: ShapeMember, sums: Sums): string[] {
    const remarks: string[] = [];
    const type = this.#shapes.type(member.typeId);
    if (type.kind === 'STRUCT') {
      const shape = this.#shapes.shape(type);
      this.#shapes.inferPacked(shape);
      if (shape.padding > 0) {
        sums.paddings++;
        sums.padding += shape.padding;
        remarks.push(`last struct has ${count(shape.padding, 'byte')} of padding`);
      }
    }
    if (member.bitHole > 0) remarks.push(`${count(member.bitHole, 'bit')} hole, try to pack`);
    if (member.hole > 0) remarks.push(`${count(member.hole, 'byte')} hole, try to pack`);
    sums.bitHoles += member.bitHole;
    sums.holes += member.hole;
    return remarks;
  }
}

/** What the lines after the members add up. */
interface Sums {
  bytes: number;
  bits: number;
  holes: number;
  bitHoles: number;
  /** Members that are structs with padding, and the padding's bytes. */
  paddings: number;
  padding: number;
  /** Members with an attribute, those after a hole, and the holes' bytes. */
  aligned: number;
  alignedHoles: number;
  alignedHole: number;
}

/** Whether a bit-field shares its bytes with the member before it. */
function combination(previous: ShapeMember, member: ShapeMember, previousSize: number): 'previous' | 'next' | undefined {
  const moved = member.byteOffset - previous.byteOffset;
  if (moved < 0 || (moved === 0 && previous.bitfieldSize === 0 && member.bitfieldSize > 0)) return 'previous';
  return moved > 0 && moved < previousSize ? 'next' : undefined;
}

function stats(shape: Shape, style: Style, sums: Sums): string {
  const { size, members } = shape.type;
  const indent = tabs(style.indent + 1);
  const lines = [`size: ${size}, cachelines: ${Math.ceil(size / CACHELINE)}, members: ${members.length}`];
  if (sums.holes > 0 || sums.bitHoles > 0) {
    if (sums.bytes > 0)
      lines.push(`sum members: ${sums.bytes}${sums.holes > 0 ? `, holes: ${shape.holes}, sum holes: ${sums.holes}` : ''}`);
    if (sums.bits > 0) {
      const holes = `, bit holes: ${shape.bitHoles}, sum bit holes: ${sums.bitHoles} bits`;
      lines.push(`sum bitfield members: ${sums.bits} bits${sums.bitHoles > 0 ? holes : ` (${Math.floor(sums.bits / 8)} bytes)`}`);
    }
  }
  if (shape.padding > 0) lines.push(`padding: ${shape.padding}`);
  if (sums.paddings > 0) lines.push(`paddings: ${sums.paddings}, sum paddings: ${sums.padding}`);
  if (shape.bitPadding > 0) lines.push(`bit_padding: ${shape.bitPadding} bits`);
  if (sums.aligned > 0) {
    const holes = sums.alignedHoles > 0 ? `, forced holes: ${sums.alignedHoles}, sum forced holes: ${sums.alignedHole}` : '';
    lines.push(`forced alignments: ${sums.aligned}${holes}`);
  }
  const rest = size % CACHELINE;
  if (rest !== 0) lines.push(`last cacheline: ${rest} bytes`);
  const text = `\n${lines.map(line => `${indent}/* ${line} */\n`).join('')}`;
  const missing = size * 8 - (sums.bytes * 8 + sums.bits + sums.holes * 8 + sums.bitHoles + shape.padding * 8 + shape.bitPadding);
  if (missing === 0 || members.length === 0) return text;
  return `${text}\n${indent}/* BRAIN FART ALERT! ${size} bytes != ${sums.bytes} (member bytes) + ${sums.bits} (member bits) + ${sums.holes} (byte holes) + ${sums.bitHoles} (bit holes), diff = ${missing} bits */\n`;
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}

/** Left in a column; printf takes a negative width for its absolute value. */
function pad(text: string, width: number): string {
  return text.padEnd(Math.abs(width));
}

/** pahole indents by 16 tabs at most. */
function tabs(indent: number): string {
  return '\t'.repeat(Math.min(indent, 16));
}
