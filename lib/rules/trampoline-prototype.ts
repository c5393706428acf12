import type { Btf } from '../../btf/btf.js';
import type { TypeId } from '../../btf/ids.js';
import { KIND, KIND_NAMES } from '../../btf/kinds.js';
import type { ReasonCode } from '../reasons.js';
import type { ChangeName } from '../releases.js';

/** How the verifier reads a FUNC's prototype when a tracing program is loaded for it. */
export interface PrototypeCheck {
  /** Undefined if a program loads. */
  readonly code?: Extract<ReasonCode, 'too-many-arguments' | 'variable-arguments' | 'unsupported-argument' | 'unsupported-return'>;
  /** The argument it is about, from 1; for too many, the last that is passed. */
  readonly argument?: number;
  /** The type that is not passed or returned. */
  readonly type?: Passed;
  /** How many arguments there are; the mark of a variadic function counts as one. */
  readonly count: number;
  /** How many registers of 8 bytes the arguments take. */
  readonly slots: number;
  /** How many of these the last struct or union among them ends at; 0 if there is none. */
  readonly lastStruct: number;
  /** Bytes of what it returns; 0 for nothing, and where that is not supported. */
  readonly returned: number;
  /** The change of the kernel that the check depends on; undefined if it comes out alike in every release. */
  readonly leansOn?: ChangeName;
}

/** A type as an argument, behind typedefs and modifiers. */
export interface Passed {
  readonly kind: string;
  /** Undefined for what has none; 0 for void. */
  readonly size: number | undefined;
  /** Whether the kernel takes a value of the kind. */
  readonly taken: boolean;
  /** The change that brought it, of what is small enough. */
  readonly change?: ChangeName;
}

/** MAX_BPF_FUNC_ARGS of include/linux/bpf.h. */
const MOST_ARGUMENTS = 12;
/** Larger structs are not passed to trampolines: btf_distill_func_proto(). */
const LARGEST_ARGUMENT = 16;
const VOID: Passed = { kind: 'VOID', size: 0, taken: true };
/** Kinds that are passed by value since a change. */
const SINCE: Readonly<Record<number, ChangeName>> = { [KIND.STRUCT]: 'structArguments', [KIND.UNION]: 'unionArguments' };
/** Kinds that always are. */
const SCALARS: readonly number[] = [KIND.PTR, KIND.INT, KIND.ENUM, KIND.ENUM64];

/**
 * The checks of btf_distill_func_proto() in kernel/bpf/btf.c, in its order. They read the records themselves, and remember each prototype
 * and each type: an audit asks for 40,000 functions, which share half as many prototypes.
 */
export class PrototypeRules {
  readonly #btf: Btf;
  readonly #has: (change: ChangeName) => boolean;
  readonly #checks = new Map<number, PrototypeCheck>();
  readonly #passed = new Map<number, Passed>();

  /** @param has whether the kernel has a change; what nothing shows is taken for made */
  constructor(btf: Btf, has: (change: ChangeName) => boolean | undefined) {
    this.#btf = btf;
    this.#has = change => has(change) !== false;
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
    let slots = 0;
    let lastStruct = 0;
    let leansOn: ChangeName | undefined = count === MOST_ARGUMENTS ? 'twelveArguments' : undefined;
    let result = 0;
    const unfit = (check: Pick<PrototypeCheck, 'code' | 'argument' | 'type'>): PrototypeCheck => ({
      ...check,
      ...{ count, slots: count, lastStruct, returned: result },
      ...(leansOn === undefined ? {} : { leansOn }),
    });
    const most = this.#has('twelveArguments') ? MOST_ARGUMENTS : MOST_ARGUMENTS - 1;
    if (count > most) return unfit({ code: 'too-many-arguments', argument: most });
    const returned = this.#passedAs(words[record + 2]!);
    if (!returned.taken || isStruct(returned)) return unfit({ code: 'unsupported-return', type: returned });
    result = returned.size ?? 0;
    for (let i = 0; i < count; i++) {
      const typeId = words[first + i * 2 + 1]!;
      // A last parameter without a type is the mark of a variadic function.
      if (i === count - 1 && typeId === 0) return { ...unfit({ code: 'variable-arguments' }), slots };
      const type = this.#passedAs(typeId);
      const { size = 0 } = type;
      leansOn = type.change ?? leansOn;
      if (!type.taken || size === 0 || size > LARGEST_ARGUMENT) return unfit({ code: 'unsupported-argument', argument: i + 1, type });
      slots += Math.ceil(size / 8);
      if (isStruct(type)) lastStruct = slots;
    }
    return { count, slots, lastStruct, returned: result, ...(leansOn === undefined ? {} : { leansOn }) };
  }

  /** __get_type_size(): behind modifiers, a pointer, an integer, an enum, a struct or a union has a size; nothing else is passed. */
  #passedAs(typeId: TypeId): Passed {
    if (typeId === 0) return VOID;
    let passed = this.#passed.get(typeId);
    if (passed === undefined) {
      const id = this.#btf.resolve(typeId);
      passed = id === 0 ? VOID : this.#describe(id);
      this.#passed.set(typeId, passed);
    }
    return passed;
  }

  #describe(id: TypeId): Passed {
    const btf = this.#btf;
    const number = btf.kindNumber(id);
    const kind = KIND_NAMES[number] ?? 'UNKNOWN';
    const word = btf.ownerOf(id).words[btf.recordOf(id) + 2]!;
    const change = SINCE[number];
    if (change !== undefined) return { kind, size: word, taken: this.#has(change), ...(word <= LARGEST_ARGUMENT ? { change } : {}) };
    if (!SCALARS.includes(number)) return { kind, size: undefined, taken: false };
    return { kind, size: number === KIND.PTR ? btf.pointerSize : word, taken: true };
  }
}

function isStruct({ kind }: Passed): boolean {
  return kind === 'STRUCT' || kind === 'UNION';
}

/** The check in words. */
export function describePrototype({ code, argument, type, count, slots }: PrototypeCheck): string {
  switch (code) {
    case 'too-many-arguments':
      return `${count} arguments, at most ${argument} are passed`;
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
