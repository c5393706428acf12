import type { Abi } from './calling-convention.js';

const REGISTERS = [4, 5, 6, 7, 8, 9, 10, 11].map(n => ({ name: `r${n}`, field: `regs[${n}]` }));

/** LoongArch procedure call standard, lp64s (the kernel is built with -msoft-float); arch/loongarch/kernel/ptrace.c. */
export const LOONGARCH64: Abi = {
  name: 'loongarch64',
  bpfTarget: 'loongarch',
  wordSize: 8,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'r3', field: 'regs[3]' },
  firstStack: 0,
  evenRegisters: false,
  evenStack: true,
  splits: true,
  resumes: false,
  structs: { largest: 16, beyond: 'pointer' },
  doubleWord: 'words',
  floats: 'integer',
  returned: { largest: 16, hidden: 'first', givesPointer: false },
  syscalls: [],
};
