import type { Abi } from './calling-convention.js';

const REGISTERS = [0, 1, 2, 3].map(n => ({ name: `r${n}`, field: `uregs[${n}]` }));

/** AAPCS32, section 6.5, soft-float; arch/arm/kernel/ptrace.c. System calls have no wrappers: sys_openat() takes its arguments as they are. */
export const ARM32: Abi = {
  name: 'arm32',
  bpfTarget: 'arm',
  wordSize: 4,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'sp', field: 'uregs[13]' },
  firstStack: 0,
  evenRegisters: true,
  evenStack: true,
  splits: true,
  resumes: false,
  structs: { largest: Number.MAX_SAFE_INTEGER, beyond: 'stack' },
  doubleWord: 'words',
  floats: 'integer',
  returned: { largest: 4, hidden: 'first', givesPointer: false },
  syscalls: [],
};
