import type { Btf } from '../../btf/index.js';
import type { ReasonCode } from '../reasons.js';

/** What the verifier makes of a FUNC's prototype when a tracing program is loaded for it. */
export interface PrototypeCheck {
  /** Undefined where a program loads. */
  readonly code?: Extract<ReasonCode, 'too-many-arguments' | 'variable-arguments' | 'unsupported-argument' | 'unsupported-return'>;
  /** The argument it is about, from 1. */
  readonly argument?: number;
  readonly says: string;
  /** How many registers of 8 bytes the arguments take. */
  readonly slots: number;
}

/** MAX_BPF_FUNC_ARGS of include/linux/bpf.h. */
const MOST_ARGUMENTS = 12;
/** Larger structs are not passed to trampolines: btf_distill_func_proto(). */
const LARGEST_ARGUMENT = 16;

/** The checks of btf_distill_func_proto() in kernel/bpf/btf.c (6.1 and later; before that, no struct is passed), in its order. */
export function checkPrototype(btf: Btf, prototypeId: number): PrototypeCheck {
  const prototype = btf.type(prototypeId);
  if (prototype.kind !== 'FUNC_PROTO') return { says: 'no prototype', slots: 0 };
  const { parameters, variadic, returnTypeId } = prototype;
  // The kernel counts the mark of a variadic function, a last parameter without type, as one.
  const count = parameters.length + (variadic ? 1 : 0);
  if (count > MOST_ARGUMENTS)
    return { code: 'too-many-arguments', says: `${count} arguments, at most ${MOST_ARGUMENTS} are passed`, slots: count };
  const returned = passed(btf, returnTypeId);
  if (returned.size === undefined || returned.kind === 'STRUCT') {
    return { code: 'unsupported-return', says: `returns ${article(returned.kind)} ${returned.kind}`, slots: count };
  }
  let slots = 0;
  for (const [i, { typeId }] of parameters.entries()) {
    const { size, kind } = passed(btf, typeId);
    if (size === undefined || size > LARGEST_ARGUMENT || size === 0) {
      const says = `argument ${i + 1} is ${article(kind)} ${kind}${size === undefined ? '' : ` of ${size} bytes`}`;
      return { code: 'unsupported-argument', argument: i + 1, says, slots: count };
    }
    slots += Math.ceil(size / 8);
  }
  if (variadic) return { code: 'variable-arguments', says: 'takes variable arguments', slots };
  return { says: `${plural(count, 'argument')} in ${plural(slots, 'register')}`, slots };
}

/** __get_type_size(): behind modifiers, a pointer, an integer, an enum or a struct has a size; nothing else is passed. */
function passed(btf: Btf, typeId: number): { kind: string; size?: number } {
  if (typeId === 0) return { kind: 'VOID', size: 0 };
  const id = btf.resolve(typeId);
  const type = btf.type(id);
  switch (type.kind) {
    case 'VOID':
      return { kind: 'VOID', size: 0 };
    case 'PTR':
      return { kind: 'PTR', size: btf.pointerSize };
    case 'INT':
    case 'ENUM':
    case 'ENUM64':
    case 'STRUCT':
      return { kind: type.kind, size: type.size };
    default:
      return { kind: type.kind };
  }
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function article(kind: string): string {
  return /^[AEIOU]/.test(kind) ? 'an' : 'a';
}
