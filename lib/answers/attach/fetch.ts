import type { CallingConvention } from '../../arch/calling-convention.js';
import { type Part, type Passing, passResult } from '../../arch/pass.js';
import type { Value } from '../../arch/value.js';

/** One fetch argument of kprobe_events: `NAME=FROM:TYPE` (Documentation/trace/kprobetrace.rst). */
export interface Fetch {
  readonly name: string;
  /** `%si`, `$stack1`, `+0(%si)`. */
  readonly from: string;
  /** `s32`, `x64`, `ustring`, `x64[4]`. */
  readonly type: string;
}

/** MAX_ARRAY_LEN of kernel/trace/trace_probe.h. */
const LONGEST_ARRAY = 64;

/** The register or stack slot, as kprobe_events names it. */
export function placeOf(abi: CallingConvention, part: Part): string {
  return 'register' in part ? `%${abi.registers[part.register]!.name}` : `$stack${part.stack}`;
}

/** What reads an argument at the function's first instruction; none if it is not in general registers or on the stack. */
export function fetchArgument(
  abi: CallingConvention,
  name: string,
  value: Value,
  { parts, byPointer }: Passing,
  littleEndian: boolean,
): Fetch[] {
  const [first] = parts;
  if (first === undefined || value.kind === 'void') return [];
  const place = placeOf(abi, first);
  if (byPointer) return [{ name, from: `+0(${place})`, type: arrayType(abi, value.size) }];
  if (value.kind === 'struct') return fetchStruct(abi, name, value, parts);
  if (parts.length === 1) return [scalar(abi, name, value, place)];
  return halves(
    abi,
    name,
    parts.map(part => placeOf(abi, part)),
    littleEndian,
  );
}

/** What reads the result at the function's return. */
export function fetchResult(abi: CallingConvention, name: string, value: Value, littleEndian: boolean): Fetch[] {
  const passing = passResult(abi, value);
  if (passing.in === 'nowhere' || value.kind === 'void') return [];
  if (passing.in === 'memory') return [{ name, from: '+0($retval)', type: arrayType(abi, value.size) }];
  const places = Array.from({ length: passing.count }, (_, i) => (i === 0 ? '$retval' : `%${abi.results[i]!.name}`));
  if (places.length > 1) {
    if (value.kind === 'struct') return places.map((from, i) => ({ name: `${name}_${i * abi.wordSize}`, from, type: hexWord(abi) }));
    return halves(abi, name, places, littleEndian);
  }
  return [value.kind === 'struct' ? oneWordStruct(abi, name, value, '$retval') : scalar(abi, name, value, '$retval')];
}

function scalar(abi: CallingConvention, name: string, value: Exclude<Value, { kind: 'void' }>, from: string): Fetch {
  switch (value.kind) {
    case 'pointer':
      // The kernel asks for a place in memory, which +0() makes of the pointer.
      if (value.to === 'char') return { name, from: `+0(${from})`, type: value.user ? 'ustring' : 'string' };
      return { name, from, type: value.to === 'function' ? 'symbol' : hexWord(abi) };
    case 'integer':
      return { name, from, type: integerType(value) };
    default:
      return { name, from, type: `x${Math.min(abi.wordSize, roundUp(value.size)) * 8}` };
  }
}

/** The type of an integer: `s32`, `u8`, `x64`. */
export function integerType({ size, signed, hex }: Extract<Value, { kind: 'integer' }>): string {
  return `${hex ? 'x' : signed ? 's' : 'u'}${Math.min(8, roundUp(size)) * 8}`;
}

function fetchStruct(abi: CallingConvention, name: string, value: Extract<Value, { kind: 'struct' }>, parts: readonly Part[]): Fetch[] {
  const [first] = parts;
  if (parts.length === 1) return [oneWordStruct(abi, name, value, placeOf(abi, first!))];
  if (parts.every(part => 'stack' in part)) {
    const offset = (first as { stack: number }).stack * abi.wordSize;
    return [{ name, from: `+${offset}($stack)`, type: arrayType(abi, value.size) }];
  }
  return parts.map((part, i) => ({ name: `${name}_${i * abi.wordSize}`, from: placeOf(abi, part), type: hexWord(abi) }));
}

/** A struct of one word: as the one value it holds, where that is in the low bytes. */
function oneWordStruct(abi: CallingConvention, name: string, value: Extract<Value, { kind: 'struct' }>, from: string): Fetch {
  const high = abi.structs.leftJustified === true && value.size < abi.wordSize;
  if (high) return { name, from, type: hexWord(abi) };
  if (value.only !== undefined && value.only.kind !== 'void') return scalar(abi, name, value.only, from);
  return { name, from, type: `x${roundUp(value.size) * 8}` };
}

/** An integer of two words, each by itself: the fetch types are of one word at most. */
function halves(abi: CallingConvention, name: string, places: readonly string[], littleEndian: boolean): Fetch[] {
  return places.map((from, i) => ({ name: (i === 0) === littleEndian ? name : `${name}_hi`, from, type: hexWord(abi) }));
}

/** An array that covers `size` bytes from a place in memory on, as far as arrays go. */
function arrayType(abi: CallingConvention, size: number): string {
  const unit = [8, 4, 2, 1].find(bytes => bytes <= abi.wordSize && size % bytes === 0)!;
  const count = Math.min(LONGEST_ARRAY, size / unit);
  return count === 1 ? `x${unit * 8}` : `x${unit * 8}[${count}]`;
}

function hexWord(abi: CallingConvention): string {
  return `x${abi.wordSize * 8}`;
}

function roundUp(size: number): number {
  return [1, 2, 4, 8].find(bytes => bytes >= size) ?? 8;
}
