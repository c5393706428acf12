import type { Abi } from './calling-convention.js';

/**
 * The kernel's own convention: -mregparm=3 -freg-struct-return (arch/x86/Makefile). asmlinkage functions take all arguments on the stack, which
 * BTF does not tell.
 */
export const I386: Abi = {
  name: 'i386',
  bpfTarget: 'x86',
  wordSize: 4,
  registers: ['ax', 'dx', 'cx'].map(name => ({ name, field: name })),
  results: ['ax', 'dx'].map(name => ({ name, field: name })),
  stackPointer: { name: 'sp', field: 'sp' },
  // $stack0 is the return address.
  firstStack: 1,
  evenRegisters: false,
  evenStack: false,
  splits: false,
  resumes: false,
  // As their words, where registers are left for all of them: once one is on the stack, so is all that follows.
  structs: { largest: Number.MAX_SAFE_INTEGER, beyond: 'stack' },
  doubleWord: 'words',
  floats: 'integer',
  returned: { largest: 8, sizes: [1, 2, 4, 8], hidden: 'first', givesPointer: true },
  syscalls: [{ prefix: '__ia32_sys_', arguments: ['bx', 'cx', 'dx', 'si', 'di', 'bp'].map((field, i) => ({ offset: i * 4, field })) }],
};
