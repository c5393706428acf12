import { EM } from '../../elf/constants.js';
import { ANY_DISTANCE, type Architecture, CALL_BEHIND_SAVE, IRQENTRY, type RawImageKind } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';

/** The prefix of a native system call's name. */
const NATIVE_CALL = '__riscv_sys_';

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7].map(n => ({ name: `a${n}`, field: `a${n}` }));
const ARGUMENTS = [{ offset: 0x118, field: 'orig_a0' }, ...[1, 2, 3, 4, 5].map(n => ({ offset: 0x50 + n * 8, field: `a${n}` }))];

/**
 * RISC-V calling conventions, lp64 (the kernel uses no floating-point registers); arch/riscv/kernel/ptrace.c, asm/syscall_wrapper.h (6.6).
 */
const CONVENTION: CallingConvention = {
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
  syscalls: [{ prefix: NATIVE_CALL, arguments: ARGUMENTS }],
};

/** From a word of DYNAMIC_FTRACE_WITH_CALL_OPS, 8 bytes before its function, to what is patched. */
const CALL_OPS = 12;

/** RISC-V: arch/riscv. */
export const RISCV: Architecture & { readonly rawImage: RawImageKind } = {
  machine: EM.RISCV,
  node: 'riscv64',
  registerMember: 'epc',
  functionPrefix: 'riscv_',
  instructions: { unit: 2, fixed: false, decode: (code, at) => ({ length: (code[at]! & 3) === 3 ? 4 : 2 }), between: 'EILSEQ' },
  conventions: [CONVENTION],
  callSites: {
    distances: ANY_DISTANCE,
    mcountOnly: false,
    patched: CALL_BEHIND_SAVE,
    adjust: table => (table.commonDistance() < 0 ? CALL_OPS : table.has('riscvPatchesSecond') === true ? 4 : 0),
  },
  entry: undefined,
  kprobes: { blacklist: [IRQENTRY], noReturnProbe: [], onFtrace: false },
  trampolines: {
    eras: [
      { since: 'riscvArguments12', most: 12, counts: 'arguments', structs: 'all', errno: 'ENOTSUPP' },
      { since: 'riscvTrampolines', most: 8, counts: 'registers', structs: 'all', errno: 'ENOTSUPP' },
    ],
    // In the kernel's text it wants two NOPs.
    withoutSite: { errno: 'EFAULT', freed: 'ENOTSUPP', module: 'ENOTSUPP' },
    takesAnyNop: false,
  },
  syscalls: { libbpf: NATIVE_CALL, table: undefined, modifiable: '__riscv_' },
  rawImage: { machine: EM.RISCV, is64: true, littleEndian: true, relocates: true, start: ['_start'] },
  pahole: { registers: [], inRegisters: 8 },
};
