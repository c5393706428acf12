import type { Abi } from './calling-convention.js';

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7].map(n => ({ name: `x${n}`, field: `regs[${n}]` }));
const ARGUMENTS = [0, 1, 2, 3, 4, 5].map(n => ({ offset: n * 8, field: `regs[${n}]` }));

/** AAPCS64, section 6.8; arch/arm64/kernel/ptrace.c, arch/arm64/include/asm/syscall_wrapper.h. */
export const ARM64: Abi = {
  name: 'arm64',
  bpfTarget: 'arm64',
  wordSize: 8,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'sp', field: 'sp' },
  firstStack: 0,
  evenRegisters: true,
  evenStack: true,
  splits: false,
  resumes: false,
  structs: { largest: 16, beyond: 'pointer' },
  doubleWord: 'words',
  floats: 'separate',
  // The pointer goes in x8, which a function need not keep.
  returned: { largest: 16, hidden: 'apart', givesPointer: false },
  syscalls: [
    { prefix: '__arm64_compat_sys_', arguments: ARGUMENTS, width: 4 },
    { prefix: '__arm64_sys_', arguments: ARGUMENTS },
  ],
};
