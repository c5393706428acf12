import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';

/**
 * A type as C declares it, from wherever it was read: the text of a prototype, ABIXML, BTF. Structs, unions and enums are known by their
 * names, `''` for an anonymous one. What refers to another type may make it on first use: types can go round in circles.
 */
export type CType =
  /** `loose` where const and volatile on it are not said: abidw leaves them out of `const void *`. */
  | { readonly kind: 'void'; readonly loose?: true }
  /** Integers and floats by one spelling of each: `unsigned long` is what `long unsigned int` is too. */
  | { readonly kind: 'base'; readonly name: string }
  | { readonly kind: 'struct' | 'union' | 'enum'; readonly name: string }
  /** `of` is undefined where only the name is known. */
  | { readonly kind: 'typedef'; readonly name: string; readonly of?: CType | undefined }
  | { readonly kind: 'pointer'; readonly to: CType }
  /** `count` is undefined for one of any length. */
  | { readonly kind: 'array'; readonly of: CType; readonly count?: number | undefined }
  | { readonly kind: 'qualified'; readonly const: boolean; readonly volatile: boolean; readonly of: CType }
  | CFunction
  /** What can't be told, and is taken for anything. */
  | { readonly kind: 'unknown' };

/** The type of a function. */
export interface CFunction {
  readonly kind: 'function';
  /** Undefined if it is not said. */
  readonly returns: CType | undefined;
  readonly parameters: readonly { readonly name?: string | undefined; readonly type: CType }[];
  /** `yes` with the mark of a variadic function; `open` where further parameters are not said. */
  readonly rest: 'no' | 'yes' | 'open';
}

const WORDS = new Set(['signed', 'unsigned', 'char', 'short', 'int', 'long', 'float', 'double', '_Bool', 'bool', '__int128', '_Complex']);

/** Whether a word of C is part of an integer's or a float's name. */
export function isBaseWord(word: string): boolean {
  return WORDS.has(word);
}

/** One spelling for each basic type, whichever order its words are in; a name of other words stays as it is. */
export function baseName(text: string): string {
  const words = text.split(/\s+/).filter(Boolean);
  if (words.length === 0 || words.some(word => !isBaseWord(word))) return text;
  const has = (word: string): boolean => words.includes(word);
  const longs = words.filter(word => word === 'long').length;
  if (has('_Bool') || has('bool')) return '_Bool';
  const complex = has('_Complex') ? ' _Complex' : '';
  if (has('float')) return `float${complex}`;
  if (has('double')) return `${longs > 0 ? 'long ' : ''}double${complex}`;
  const sign = has('unsigned') ? 'unsigned ' : '';
  if (has('char')) return has('signed') ? 'signed char' : `${sign}char`;
  if (has('__int128')) return `${sign}__int128`;
  if (has('short')) return `${sign}short`;
  return `${sign}${longs > 1 ? 'long long' : longs === 1 ? 'long' : 'int'}`;
}

/** The type of an id of BTF; what it refers to is made on first use. */
export function typeOfBtf(btf: Btf, id: TypeId): CType {
  const type = btf.type(id);
  const to = (target: number): CType => typeOfBtf(btf, target);
  switch (type.kind) {
    case 'VOID':
      return { kind: 'void' };
    case 'INT':
    case 'FLOAT':
      return { kind: 'base', name: baseName(type.name) };
    case 'PTR':
      return {
        kind: 'pointer',
        get to() {
          return to(type.typeId);
        },
      };
    case 'TYPEDEF':
      return {
        kind: 'typedef',
        name: type.name,
        get of() {
          return to(type.typeId);
        },
      };
    case 'CONST':
    case 'VOLATILE':
    case 'RESTRICT':
    case 'TYPE_TAG': {
      const { kind, typeId } = type;
      return {
        kind: 'qualified',
        const: kind === 'CONST',
        volatile: kind === 'VOLATILE',
        get of() {
          return to(typeId);
        },
      };
    }
    case 'ARRAY':
      return {
        kind: 'array',
        count: type.nelems,
        get of() {
          return to(type.typeId);
        },
      };
    case 'STRUCT':
      return { kind: 'struct', name: type.name };
    case 'UNION':
      return { kind: 'union', name: type.name };
    case 'FWD':
      return { kind: type.union ? 'union' : 'struct', name: type.name };
    case 'ENUM':
    case 'ENUM64':
      return { kind: 'enum', name: type.name };
    case 'FUNC_PROTO': {
      const parameters = type.parameters.map(({ name, typeId }) => ({
        name,
        get type() {
          return to(typeId);
        },
      }));
      return {
        kind: 'function',
        rest: type.variadic ? 'yes' : 'no',
        parameters,
        get returns() {
          return to(type.returnTypeId);
        },
      };
    }
    default:
      return { kind: 'unknown' };
  }
}

/** Declarations within declarations beyond these are left out of the text. */
const DEEPEST = 12;

/** The type in C, declaring `name` where given. */
export function declareType(type: CType, name = '', depth = 0): string {
  const behind = (front: string): string => (name === '' ? front : `${front} ${name}`);
  if (depth > DEEPEST) return behind('…');
  switch (type.kind) {
    case 'void':
      return behind('void');
    case 'base':
      return behind(type.name);
    case 'typedef':
      return behind(type.name);
    case 'struct':
    case 'union':
    case 'enum':
      return behind(`${type.kind} ${type.name === '' ? '{...}' : type.name}`);
    case 'pointer':
      return declareType(type.to, isSuffixed(type.to) ? `(*${name})` : `*${name}`, depth + 1);
    case 'array':
      return declareType(type.of, `${name}[${type.count ?? ''}]`, depth + 1);
    case 'qualified': {
      const words = [...(type.const ? ['const'] : []), ...(type.volatile ? ['volatile'] : [])].join(' ');
      if (words === '') return declareType(type.of, name, depth + 1);
      if (type.of.kind !== 'pointer') return `${words} ${declareType(type.of, name, depth + 1)}`;
      const inner = `*${words}${name === '' ? '' : ` ${name}`}`;
      return declareType(type.of.to, isSuffixed(type.of.to) ? `(${inner})` : inner, depth + 1);
    }
    case 'function': {
      const rest = { no: [], yes: ['...'], open: ['…'] }[type.rest];
      const list = [...type.parameters.map(({ name, type }) => declareType(type, name, depth + 1)), ...rest];
      const call = `${name}(${list.length === 0 ? 'void' : list.join(', ')})`;
      return type.returns === undefined ? call : declareType(type.returns, call, depth + 1);
    }
    case 'unknown':
      return behind('?');
  }
}

/** Whether a declarator of it is followed by brackets, so that a pointer to it needs parentheses. */
function isSuffixed(type: CType): boolean {
  return type.kind === 'array' || type.kind === 'function';
}
