import type { Btf } from '../../../btf/btf.js';
import { type CFunction, type CType, declareType, typeOfBtf } from './ctype.js';

/** Steps of one comparison. Types of a damaged or hostile file go round in circles, or branch without end. */
const MOST_STEPS = 20_000;
const DEEPEST = 64;

/** Thrown inside, and caught inside: the comparison takes more steps than any prototype does. */
class TooDeep extends Error {}

/** Compares prototypes with those of one BTF: by the names of structs, unions, enums and typedefs, not by what they consist of. */
export class PrototypeComparison {
  readonly #btf: Btf;
  #steps = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /**
   * The first difference of a FUNC_PROTO of BTF to what is wanted, in words; '' if there is none, and undefined if the types are too deep
   * to be compared.
   * @throws FormatError for damage in the BTF
   */
  difference(wanted: CFunction, prototypeId: number): string | undefined {
    this.#steps = 0;
    const actual = typeOfBtf(this.#btf, prototypeId);
    if (actual.kind !== 'function') return `type ${prototypeId} is not a prototype`;
    try {
      return this.#prototype(wanted, actual);
    } catch (error) {
      if (error instanceof TooDeep) return undefined;
      throw error;
    }
  }

  #prototype(wanted: CFunction, actual: CFunction): string {
    for (const [i, parameter] of wanted.parameters.entries()) {
      const other = actual.parameters[i];
      if (other === undefined) break;
      if (!this.#same(passed(parameter.type), other.type, 0, true)) {
        return `parameter ${i + 1} is '${declareType(other.type, other.name)}', not '${declareType(parameter.type, parameter.name)}'`;
      }
    }
    const [few, many] = [wanted.parameters.length, actual.parameters.length];
    if (many < few || (many > few && wanted.rest !== 'open')) return `takes ${parameters(many)}, not ${few}`;
    if (wanted.rest !== 'open' && wanted.rest !== actual.rest) {
      return actual.rest === 'yes' ? 'takes variable arguments' : 'does not take variable arguments';
    }
    if (wanted.returns !== undefined && actual.returns !== undefined && !this.#same(wanted.returns, actual.returns, 0, true)) {
      return `returns '${declareType(actual.returns)}', not '${declareType(wanted.returns)}'`;
    }
    return '';
  }

  /** @param top of a parameter or of what is returned, where qualifiers mean nothing to a caller */
  #same(wanted: CType, actual: CType, depth: number, top: boolean): boolean {
    if (++this.#steps > MOST_STEPS || depth > DEEPEST) throw new TooDeep();
    const [left, leftBits] = this.#unqualified(wanted);
    const [right, rightBits] = this.#unqualified(actual);
    if (left.kind === 'unknown' || right.kind === 'unknown') return true;
    if (left.kind === 'typedef' && right.kind === 'typedef' && left.name === right.name) return top || leftBits === rightBits;
    // One of them may be a typedef of the other, with qualifiers of its own.
    if (right.kind === 'typedef') {
      const of = right.of ?? this.#typedef(right.name);
      if (of !== undefined && this.#same(wanted, qualified(of, rightBits), depth + 1, top)) return true;
    }
    if (left.kind === 'typedef') {
      const of = left.of ?? this.#typedef(left.name);
      return of !== undefined && this.#same(qualified(of, leftBits), actual, depth + 1, top);
    }
    const loose = top || (left.kind === 'void' && left.loose === true);
    if (right.kind === 'typedef' || (!loose && leftBits !== rightBits)) return false;
    switch (left.kind) {
      case 'void':
        return right.kind === 'void';
      case 'base':
        return right.kind === 'base' && left.name === right.name;
      case 'struct':
      case 'union':
      case 'enum':
        return right.kind === left.kind && left.name === right.name;
      case 'pointer':
        return right.kind === 'pointer' && this.#same(left.to, right.to, depth + 1, false);
      case 'array':
        return (
          right.kind === 'array' &&
          (left.count === undefined || right.count === undefined || left.count === right.count) &&
          this.#same(left.of, right.of, depth + 1, false)
        );
      case 'function':
        return right.kind === 'function' && this.#sameFunction(left, right, depth);
      default:
        return false;
    }
  }

  #sameFunction(left: CFunction, right: CFunction, depth: number): boolean {
    const few = left.parameters.length;
    const counts = left.rest === 'open' ? few <= right.parameters.length : few === right.parameters.length && left.rest === right.rest;
    return (
      counts &&
      left.parameters.every(({ type }, i) => this.#same(passed(type), right.parameters[i]!.type, depth + 1, true)) &&
      (left.returns === undefined || right.returns === undefined || this.#same(left.returns, right.returns, depth + 1, true))
    );
  }

  /** What is behind const and volatile, and which of them there are: 1, 2. */
  #unqualified(type: CType): [CType, number] {
    let bits = 0;
    let at = type;
    while (at.kind === 'qualified') {
      if (++this.#steps > MOST_STEPS) throw new TooDeep();
      bits |= (at.const ? 1 : 0) | (at.volatile ? 2 : 0);
      at = at.of;
    }
    return [at, bits];
  }

  /** What this kernel means by a typedef's name, for a prototype that was written without it. */
  #typedef(name: string): CType | undefined {
    const [id] = this.#btf.find(name, 'TYPEDEF');
    const type = id === undefined ? undefined : typeOfBtf(this.#btf, id);
    return type?.kind === 'typedef' ? type.of : undefined;
  }
}

/** A parameter that is an array or a function is a pointer (C11 6.7.6.3). */
function passed(type: CType): CType {
  if (type.kind === 'array') return { kind: 'pointer', to: type.of };
  return type.kind === 'function' ? { kind: 'pointer', to: type } : type;
}

function qualified(of: CType, bits: number): CType {
  return bits === 0 ? of : { kind: 'qualified', const: (bits & 1) !== 0, volatile: (bits & 2) !== 0, of };
}

function parameters(count: number): string {
  return `${count} parameter${count === 1 ? '' : 's'}`;
}
