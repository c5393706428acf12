import type { CallingConvention } from './calling-convention.js';
import type { Value } from './value.js';

/** A word of an argument at the function's first instruction: a register, by its index in `abi.registers`, or N of `$stackN`. */
export type Part = { readonly register: number } | { readonly stack: number };

/** Where an argument is when the function is entered. */
export interface Passing {
  /** Its words, from its first byte on. Empty where it is not found in general registers or on the stack: floating point, empty structs. */
  readonly parts: readonly Part[];
  /** The one word is the address of a copy. */
  readonly byPointer: boolean;
}

/** Where a result is when the function returns. */
export type ResultPassing =
  | { readonly in: 'registers'; readonly count: number }
  /** The address of the struct is the result. */
  | { readonly in: 'memory' }
  | { readonly in: 'nowhere' };

const NOWHERE: Passing = { parts: [], byPointer: false };

/** Where the arguments of a function are at its first instruction, in their order: the rules of the ABI's table. */
export function passArguments(abi: CallingConvention, values: readonly Value[], result: Value): Passing[] {
  let register = isHidden(abi, result) && abi.returned.hidden === 'first' ? 1 : 0;
  let slot = 0;
  const words = (count: number, even: boolean): Part[] => {
    if (even && abi.evenRegisters && register < abi.registers.length) register += register & 1;
    const left = Math.max(0, abi.registers.length - register);
    const fits = count <= left;
    const inRegisters = fits ? count : abi.splits && slot === 0 ? left : 0;
    const parts: Part[] = Array.from({ length: inRegisters }, (_, i) => ({ register: register + i }));
    if (fits || !abi.resumes) register = fits ? register + count : abi.registers.length;
    if (inRegisters < count) {
      if (inRegisters === 0 && even && abi.evenStack) slot += slot & 1;
      for (let i = inRegisters; i < count; i++) parts.push({ stack: abi.firstStack + slot++ });
    }
    return parts;
  };
  const onStack = (size: number, even: boolean): Part[] => {
    if (even && abi.evenStack) slot += slot & 1;
    return Array.from({ length: Math.ceil(size / abi.wordSize) }, () => ({ stack: abi.firstStack + slot++ }));
  };
  return values.map((value): Passing => {
    if (value.kind === 'void') return NOWHERE;
    const { size } = value;
    const count = Math.ceil(size / abi.wordSize);
    const aligned = value.kind === 'struct' ? value.align : abi.evenStructsOnly === true ? 0 : size;
    const even = aligned >= abi.wordSize * 2;
    if (value.kind === 'float') return abi.floats === 'separate' ? NOWHERE : { parts: words(count, even), byPointer: false };
    if (value.kind !== 'struct') {
      if (count > 1 && abi.doubleWord === 'pointer') return { parts: words(1, false), byPointer: true };
      return { parts: words(count, even), byPointer: false };
    }
    if (size === 0 || (value.floats && abi.floats === 'separate')) return NOWHERE;
    const asWords = size <= abi.structs.largest && (abi.structs.sizes?.includes(size) ?? true);
    if (!asWords && abi.structs.beyond === 'pointer') return { parts: words(1, false), byPointer: true };
    if (!asWords || isUnaligned(abi, value)) return { parts: onStack(size, even), byPointer: false };
    return { parts: words(count, even), byPointer: false };
  });
}

/** Where a function leaves its result. */
export function passResult(abi: CallingConvention, result: Value): ResultPassing {
  if (result.kind === 'void' || result.kind === 'float') return { in: 'nowhere' };
  if (isHidden(abi, result)) return abi.returned.givesPointer ? { in: 'memory' } : { in: 'nowhere' };
  if (result.kind === 'struct' && (result.size === 0 || (result.floats && abi.floats === 'separate'))) return { in: 'nowhere' };
  return { in: 'registers', count: Math.ceil(result.size / abi.wordSize) };
}

/** Whether the caller passes the address for the result. */
function isHidden(abi: CallingConvention, result: Value): boolean {
  if (result.kind === 'struct') {
    const { largest, sizes } = abi.returned;
    return result.size > largest || (result.size > 0 && sizes?.includes(result.size) === false) || isUnaligned(abi, result);
  }
  return result.kind === 'integer' && result.size > abi.wordSize * abi.results.length;
}

function isUnaligned(abi: CallingConvention, value: Value): boolean {
  return value.kind === 'struct' && value.packed && abi.structs.unalignedToStack === true;
}
