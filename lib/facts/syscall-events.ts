import { archOf } from '../arch/arch-of.js';
import type { KernelPieces } from './pieces.js';

/** Linux has some 460 system calls, and x86 numbers up to 547. */
const MOST_CALLS = 1024;

/**
 * The functions that `sys_call_table` leads to, by number: the names at each address. Undefined if the table is not found.
 * @param functions the addresses of functions for system calls, by name
 */
export function calls({ image, labels }: KernelPieces, functions: ReadonlyMap<string, bigint>): readonly (readonly string[])[] | undefined {
  const start = labels('sys_call_table');
  if (image === undefined || start === undefined) return undefined;
  const { memory } = image;
  const names = new Map<bigint, string[]>();
  for (const [name, address] of functions) names.set(address, [...(names.get(address) ?? []), name]);
  const found: string[][] = [];
  for (let i = 0; i < MOST_CALLS; i++) {
    const at = start + BigInt(i * memory.wordSize);
    const target = memory.has(at, memory.wordSize) ? names.get(memory.word(at)) : undefined;
    if (target === undefined) break;
    // What stands for numbers without a call is passed over (find_syscall_meta).
    found.push(target.includes(NO_CALL) ? [] : target);
  }
  return found.length === 0 ? undefined : found;
}

const NO_CALL = 'ni_syscall';

/**
 * The system calls of `sys_call_table`, by name. Every SYSCALL_DEFINE makes events, which the kernel drops at boot where the table does not
 * lead to the function: init_syscall_trace() finds no number for it. arm64 has newstat() for 32-bit programs alone, and no
 * sys_enter_newstat then. Undefined if the table is not found.
 * @param addressesOf the symbols of a prefix, by what follows it
 */
export function calledNumbers(
  pieces: KernelPieces,
  addressesOf: (prefix: string) => ReadonlyMap<string, bigint>,
): ReadonlySet<string> | undefined {
  const prefix = archOf(pieces.machine).syscalls.table;
  const found = prefix === undefined ? undefined : calls(pieces, addressesOf(prefix));
  return found === undefined ? undefined : new Set(found.flat());
}
