import type { Abi } from './calling-convention.js';

const REGISTERS = [3, 4, 5, 6, 7, 8, 9, 10].map(n => ({ name: `gpr${n}`, field: `gpr[${n}]` }));

/** OpenPOWER ELF V2 ABI, section 2.2; arch/powerpc/kernel/ptrace/ptrace.c, arch/powerpc/include/asm/syscall_wrapper.h (6.2). */
export const PPC64LE: Abi = {
  name: 'ppc64le',
  bpfTarget: 'powerpc',
  wordSize: 8,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'gpr1', field: 'gpr[1]' },
  // Behind the header of 32 bytes and the places of the eight registers.
  firstStack: 12,
  evenRegisters: true,
  evenStack: true,
  evenStructsOnly: true,
  splits: true,
  resumes: false,
  structs: { largest: Number.MAX_SAFE_INTEGER, beyond: 'stack' },
  doubleWord: 'words',
  floats: 'separate',
  returned: { largest: 16, hidden: 'first', givesPointer: true },
  syscalls: [{ prefix: 'sys_', arguments: [3, 4, 5, 6, 7, 8].map(n => ({ offset: n * 8, field: `gpr[${n}]` })) }],
};
