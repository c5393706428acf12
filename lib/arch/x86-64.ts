import type { Abi } from './calling-convention.js';

const NATIVE = [
  { offset: 0x70, field: 'di' },
  { offset: 0x68, field: 'si' },
  { offset: 0x60, field: 'dx' },
  { offset: 0x38, field: 'r10' },
  { offset: 0x48, field: 'r8' },
  { offset: 0x40, field: 'r9' },
];

const IA32 = [
  { offset: 0x28, field: 'bx' },
  { offset: 0x58, field: 'cx' },
  { offset: 0x60, field: 'dx' },
  { offset: 0x68, field: 'si' },
  { offset: 0x70, field: 'di' },
  { offset: 0x20, field: 'bp' },
];

/** System V ABI, AMD64 supplement, section 3.2.3; arch/x86/kernel/ptrace.c, arch/x86/include/asm/syscall_wrapper.h. */
export const X86_64: Abi = {
  name: 'x86-64',
  bpfTarget: 'x86',
  wordSize: 8,
  registers: ['di', 'si', 'dx', 'cx', 'r8', 'r9'].map(name => ({ name, field: name })),
  results: ['ax', 'dx'].map(name => ({ name, field: name })),
  stackPointer: { name: 'sp', field: 'sp' },
  // $stack0 is the return address.
  firstStack: 1,
  evenRegisters: false,
  evenStack: true,
  splits: false,
  resumes: true,
  structs: { largest: 16, beyond: 'stack', unalignedToStack: true },
  doubleWord: 'words',
  floats: 'separate',
  returned: { largest: 16, hidden: 'first', givesPointer: true },
  syscalls: [
    { prefix: '__x64_sys_', arguments: NATIVE },
    { prefix: '__ia32_compat_sys_', arguments: IA32, width: 4 },
    { prefix: '__ia32_sys_', arguments: IA32, width: 4 },
    { prefix: '__x64_compat_sys_', arguments: NATIVE },
  ],
};
