import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type SystemCall, systemCalls } from '../../facts/system-calls.js';

/** The system calls of a kernel by name. */
export function syscallRows(kernel: KernelFacts): SystemCall[] {
  return [...systemCalls(kernel)].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
