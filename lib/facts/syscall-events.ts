import { archOf } from '../arch/arch-of.js';
import type { KernelPieces } from './pieces.js';

/** Linux has some 460 system calls, and x86 numbers up to 547. */
const MOST_CALLS = 1024;

/**
 * The system calls of `sys_call_table`, by name. Every SYSCALL_DEFINE makes events, which the kernel drops at boot where the table does not
 * lead to the function: init_syscall_trace() finds no number for it. arm64 has newstat() for 32-bit programs alone, and no
 * sys_enter_newstat then. What stands for numbers without a call, ni_syscall(), is passed over (find_syscall_meta).
 * Undefined if the table is not found.
 * @param addressesOf the symbols of a prefix, by what follows it
 */
export function calledNumbers(
  { image, machine, labels }: KernelPieces,
  addressesOf: (prefix: string) => ReadonlyMap<string, bigint>,
): ReadonlySet<string> | undefined {
  const prefix = archOf(machine).syscalls.table;
  const start = labels('sys_call_table');
  if (image === undefined || prefix === undefined || start === undefined) return undefined;
  const { memory } = image;
  const functions = addressesOf(prefix);
  const addresses = new Set(functions.values());
  const called = new Set<bigint>();
  for (let i = 0; i < MOST_CALLS; i++) {
    const at = start + BigInt(i * memory.wordSize);
    const target = memory.has(at, memory.wordSize) ? memory.word(at) : undefined;
    if (target === undefined || !addresses.has(target)) break;
    called.add(target);
  }
  if (called.size === 0) return undefined;
  return new Set([...functions].filter(([name, address]) => name !== 'ni_syscall' && called.has(address)).map(([name]) => name));
}
