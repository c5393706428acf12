import { EM } from '../../elf/constants.js';
import { type Architecture, ENTRY, ONE_CALL } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';
import { X86_CALLS } from './x86-calls.js';
import { decodeX86 } from './x86-instructions.js';

/** The prefix of a native system call's name. */
const NATIVE_CALL = '__x64_sys_';

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
const CONVENTION: CallingConvention = {
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
    { prefix: NATIVE_CALL, arguments: NATIVE },
    { prefix: '__ia32_compat_sys_', arguments: IA32, width: 4 },
    { prefix: '__ia32_sys_', arguments: IA32, width: 4 },
    { prefix: '__x64_compat_sys_', arguments: NATIVE },
  ],
};

/** x86-64: arch/x86. */
export const X86_64: Architecture = {
  machine: EM.X86_64,
  node: 'x64',
  registerMember: 'orig_ax',
  functionPrefix: 'x86_',
  instructions: { unit: 1, fixed: false, decode: (code, at) => decodeX86(code, at, 64), calls: X86_CALLS, between: 'EILSEQ' },
  conventions: [CONVENTION],
  callSites: {
    // Behind ENDBR64, where there is one. A word farther behind is that of an overridden weak function (FTRACE_MCOUNT_MAX_OFFSET).
    distances: [0, 4],
    mcountOnly: true,
    patched: ONE_CALL,
    adjust: () => 0,
  },
  entry: undefined,
  kprobes: { blacklist: [ENTRY], noReturnProbe: ['__switch_to'], onFtrace: true },
  trampolines: {
    eras: [
      { since: 'x86Registers12', most: 12, counts: 'registers', structs: 'all', errno: 'ENOTSUPP' },
      { since: 'structArguments', most: 6, counts: 'registers', structs: 'all', errno: 'ENOTSUPP' },
      { since: 'x86Trampolines', most: 6, counts: 'arguments', structs: 'all', errno: 'ENOTSUPP' },
    ],
    // A call is patched into the text itself, where no NOP is found (EBUSY) or no text of the kernel (EINVAL).
    withoutSite: { errno: 'EBUSY', freed: 'EINVAL', module: 'EINVAL' },
    takesAnyNop: true,
  },
  syscalls: { libbpf: NATIVE_CALL, table: NATIVE_CALL, modifiable: '__x64_' },
  rawImage: undefined,
  pahole: { registers: [5, 4, 1, 2, 8, 9], inRegisters: 6 },
};
