import type { Abi } from './calling-convention.js';

const REGISTERS = [2, 3, 4, 5, 6].map(n => ({ name: `r${n}`, field: `gprs[${n}]` }));
const ARGUMENTS = [{ offset: 0x98, field: 'orig_gpr2' }, ...[3, 4, 5, 6, 7].map(n => ({ offset: 24 + n * 8, field: `gprs[${n}]` }))];

/** zSeries ELF ABI, section 1.2.3; arch/s390/kernel/ptrace.c, arch/s390/include/asm/syscall_wrapper.h. */
export const S390X: Abi = {
  name: 's390x',
  bpfTarget: 's390',
  wordSize: 8,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 1),
  stackPointer: { name: 'r15', field: 'gprs[15]' },
  // Behind the register save area of 160 bytes.
  firstStack: 20,
  evenRegisters: false,
  evenStack: false,
  splits: false,
  resumes: false,
  structs: { largest: 8, sizes: [1, 2, 4, 8], beyond: 'pointer' },
  doubleWord: 'pointer',
  floats: 'separate',
  returned: { largest: 0, hidden: 'first', givesPointer: false },
  syscalls: [
    { prefix: '__s390x_sys_', arguments: ARGUMENTS },
    { prefix: '__s390_compat_sys_', arguments: ARGUMENTS, width: 4 },
    { prefix: '__s390_sys_', arguments: ARGUMENTS, width: 4 },
  ],
};
