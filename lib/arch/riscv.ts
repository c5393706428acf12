import type { Abi } from './calling-convention.js';

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7].map(n => ({ name: `a${n}`, field: `a${n}` }));
const ARGUMENTS = [{ offset: 0x118, field: 'orig_a0' }, ...[1, 2, 3, 4, 5].map(n => ({ offset: 0x50 + n * 8, field: `a${n}` }))];

/** RISC-V calling conventions, lp64 (the kernel uses no floating-point registers); arch/riscv/kernel/ptrace.c, asm/syscall_wrapper.h (6.6). */
export const RISCV64: Abi = {
  name: 'riscv64',
  bpfTarget: 'riscv',
  wordSize: 8,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'sp', field: 'sp' },
  firstStack: 0,
  // Only of variable arguments.
  evenRegisters: false,
  evenStack: true,
  splits: true,
  resumes: false,
  structs: { largest: 16, beyond: 'pointer' },
  doubleWord: 'words',
  floats: 'integer',
  returned: { largest: 16, hidden: 'first', givesPointer: false },
  // The first argument is orig_a0: a0 becomes the result.
  syscalls: [{ prefix: '__riscv_sys_', arguments: ARGUMENTS }],
};
