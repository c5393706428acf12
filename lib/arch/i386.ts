import { EM } from '../../elf/constants.js';
import { type Architecture, behindPrologue, ENTRY, NO_TRAMPOLINES, ONE_CALL } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';
import { decodeX86 } from './x86-instructions.js';

/** The prefix of a native system call's name. */
const NATIVE_CALL = '__ia32_sys_';

/**
 * The kernel's own convention: -mregparm=3 -freg-struct-return (arch/x86/Makefile). asmlinkage functions take all arguments on the stack,
 * which BTF does not tell.
 */
const CONVENTION: CallingConvention = {
  name: 'i386',
  bpfTarget: 'x86',
  macroDiffers: true,
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
  syscalls: [{ prefix: NATIVE_CALL, arguments: ['bx', 'cx', 'dx', 'si', 'di', 'bp'].map((field, i) => ({ offset: i * 4, field })) }],
};

/** x86 of 32 bits: arch/x86. */
export const I386: Architecture = {
  machine: EM.I386,
  node: 'ia32',
  registerMember: 'orig_ax',
  functionPrefix: 'x86_',
  instructions: { unit: 1, fixed: false, decode: (code, at) => decodeX86(code, at, 32), between: 'EILSEQ' },
  conventions: [CONVENTION],
  // At the function with -mfentry; behind the prologue in old kernels.
  callSites: { distances: behindPrologue(1, 24), mcountOnly: true, patched: ONE_CALL, adjust: () => 0 },
  entry: undefined,
  kprobes: { blacklist: [ENTRY], noReturnProbe: ['__switch_to'], onFtrace: true },
  trampolines: NO_TRAMPOLINES,
  syscalls: { libbpf: NATIVE_CALL, table: undefined, modifiable: '__ia32_' },
  rawImage: undefined,
  pahole: { registers: [], inRegisters: 0 },
};
