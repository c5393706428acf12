import { EM } from '../../elf/constants.js';
import { ANY_DISTANCE, type Architecture, CALL_BEHIND_SAVE, IRQENTRY, type RawImageKind } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';

/** Bytes of an instruction, by its first two bits. */
const LENGTHS = [2, 4, 4, 6];

/** The prefix of a native system call's name. */
const NATIVE_CALL = '__s390x_sys_';

const REGISTERS = [2, 3, 4, 5, 6].map(n => ({ name: `r${n}`, field: `gprs[${n}]` }));
const ARGUMENTS = [{ offset: 0x98, field: 'orig_gpr2' }, ...[3, 4, 5, 6, 7].map(n => ({ offset: 24 + n * 8, field: `gprs[${n}]` }))];

/** zSeries ELF ABI, section 1.2.3; arch/s390/kernel/ptrace.c, arch/s390/include/asm/syscall_wrapper.h. */
const CONVENTION: CallingConvention = {
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
    { prefix: NATIVE_CALL, arguments: ARGUMENTS },
    { prefix: '__s390_compat_sys_', arguments: ARGUMENTS, width: 4 },
    { prefix: '__s390_sys_', arguments: ARGUMENTS, width: 4 },
  ],
};

/** s390: arch/s390. */
export const S390: Architecture & { readonly rawImage: RawImageKind } = {
  machine: EM.S390,
  node: 's390x',
  registerMember: 'orig_gpr2',
  functionPrefix: 's390_',
  instructions: { unit: 2, fixed: false, decode: (code, at) => ({ length: LENGTHS[code[at]! >> 6]! }), between: 'EINVAL' },
  conventions: [CONVENTION],
  callSites: { distances: ANY_DISTANCE, mcountOnly: true, patched: CALL_BEHIND_SAVE, adjust: () => 0 },
  entry: undefined,
  kprobes: { blacklist: [IRQENTRY], noReturnProbe: [], onFtrace: true },
  trampolines: {
    eras: [{ since: 's390Trampolines', most: 12, counts: 'arguments', structs: 'all', errno: 'ENOTSUPP' }],
    // It reads the first instruction, and takes the branch of a BPF program alone.
    withoutSite: { errno: 'EINVAL', freed: 'EINVAL', module: 'EINVAL' },
    takesAnyNop: false,
  },
  syscalls: { libbpf: NATIVE_CALL, table: undefined, modifiable: '__s390x_' },
  rawImage: { machine: EM.S390, is64: true, littleEndian: false, relocates: true, start: 0x10_0000n },
  pahole: { registers: [2, 3, 4, 5, 6], inRegisters: 5 },
};
