import type { Btf } from '../../btf/btf.js';
import type { TypeId } from '../../btf/ids.js';
import { KIND, KIND_NAMES } from '../../btf/kinds.js';
import type { ReasonCode } from '../reasons.js';

/** How the verifier reads a FUNC's prototype when a tracing program is loaded for it. */
export interface PrototypeCheck {
  /** Undefined if a program loads. */
  readonly code?: Extract<ReasonCode, 'too-many-arguments' | 'variable-arguments' | 'unsupported-argument' | 'unsupported-return'>;
  /** The argument it is about, from 1; for too many, how many there are. */
  readonly argument?: number;
  /** The type that is not passed or returned. */
  readonly type?: Passed;
  /** How many arguments there are; the mark of a variadic function counts as one. */
  readonly count: number;
  /** How many registers of 8 bytes the arguments take. */
  readonly slots: number;
}

/** A type as an argument, behind typedefs and modifiers. */
export interface Passed {
  readonly kind: string;
  /** Undefined for what is not passed at all; 0 for void. */
  readonly size: number | undefined;
}

/** MAX_BPF_FUNC_ARGS of include/linux/bpf.h. */
const MOST_ARGUMENTS = 12;
/** Larger structs are not passed to trampolines: btf_distill_func_proto(). */
const LARGEST_ARGUMENT = 16;
const VOID: Passed = { kind: 'VOID', size: 0 };

/**
 * The checks of btf_distill_func_proto() in kernel/bpf/btf.c (6.1 and later; before that, no struct is passed), in its order. They read the
 * records themselves, and remember each prototype and each type: an audit asks for 40,000 functions, which share half as many prototypes.
 */
export class PrototypeRules {
  readonly #btf: Btf;
  readonly #checks = new Map<number, PrototypeCheck>();
  readonly #passed = new Map<number, Passed>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** @param id of a FUNC_PROTO */
  check(id: TypeId): PrototypeCheck {
    let check = this.#checks.get(id);
    if (check === undefined) {
      check = this.#check(id);
      this.#checks.set(id, check);
    }
    return check;
  }

  #check(id: TypeId): PrototypeCheck {
    const { words } = this.#btf.ownerOf(id);
    const record = this.#btf.recordOf(id);
    // A record of FUNC_PROTO: name, info, return type; then name and type of each parameter (btf.rst).
    const count = words[record + 1]! & 0xffffff;
    const first = record + 3;
    if (count > MOST_ARGUMENTS) return { code: 'too-many-arguments', argument: count, count, slots: count };
    const returned = this.#passedAs(words[record + 2]!);
    if (returned.size === undefined || returned.kind === 'STRUCT')
      return { code: 'unsupported-return', type: returned, count, slots: count };
    let slots = 0;
    for (let i = 0; i < count; i++) {
      const typeId = words[first + i * 2 + 1]!;
      // A last parameter without a type is the mark of a variadic function.
      if (i === count - 1 && typeId === 0) return { code: 'variable-arguments', count, slots };
      const type = this.#passedAs(typeId);
      if (type.size === undefined || type.size === 0 || type.size > LARGEST_ARGUMENT) {
        return { code: 'unsupported-argument', argument: i + 1, type, count, slots: count };
      }
      slots += Math.ceil(type.size / 8);
    }
    return { count, slots };
  }

  /** __get_type_size(): behind modifiers, a pointer, an integer, an enum or a struct has a size; nothing else is passed. */
  #passedAs(typeId: TypeId): Passed {
    if (typeId === 0) return VOID;
    let passed = this.#passed.get(typeId);
    if (passed === undefined) {
      const id = this.#btf.resolve(typeId);
      passed = id === 0 ? VOID : { kind: KIND_NAMES[this.#btf.kindNumber(id)] ?? 'UNKNOWN', size: this.#sizeOf(id) };
      this.#passed.set(typeId, passed);
    }
    return passed;
  }

  #sizeOf(id: TypeId): number | undefined {
    const btf = this.#btf;
    switch (btf.kindNumber(id)) {
      case KIND.PTR:
        return btf.pointerSize;
      case KIND.INT:
      case KIND.ENUM:
      case KIND.ENUM64:
      case KIND.STRUCT:
        return btf.ownerOf(id).words[btf.recordOf(id) + 2]!;
      default:
        return undefined;
    }
  }
}

/** The check in words. */
export function describePrototype({ code, argument, type, count, slots }: PrototypeCheck): string {
  switch (code) {
    case 'too-many-arguments':
      return `${count} arguments, at most ${MOST_ARGUMENTS} are passed`;
    case 'unsupported-return':
      return `returns ${article(type!.kind)} ${type!.kind}`;
    case 'unsupported-argument':
      return `argument ${argument} is ${article(type!.kind)} ${type!.kind}${type!.size === undefined ? '' : ` of ${type!.size} bytes`}`;
    case 'variable-arguments':
      return 'takes variable arguments';
    default:
      return `${plural(count, 'argument')} in ${plural(slots, 'register')}`;
  }
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function article(kind: string): string {
  return /^[AEIOU]/.test(kind) ? 'an' : 'a';
}
