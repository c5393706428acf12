import { EM } from '../../elf/constants.js';
import {
  type Architecture,
  behindPrologue,
  CALL_BEHIND_SAVE,
  ENTRY,
  IDMAP,
  IRQENTRY,
  NO_TRAMPOLINES,
  type RawImageKind,
} from './architecture.js';
import type { CallingConvention } from './calling-convention.js';

const REGISTERS = [0, 1, 2, 3].map(n => ({ name: `r${n}`, field: `uregs[${n}]` }));

/**
 * AAPCS32, section 6.5, soft-float; arch/arm/kernel/ptrace.c. System calls have no wrappers: sys_openat() takes its arguments as they are.
 */
const CONVENTION: CallingConvention = {
  name: 'arm32',
  bpfTarget: 'arm',
  wordSize: 4,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'sp', field: 'uregs[13]' },
  firstStack: 0,
  evenRegisters: true,
  evenStack: true,
  splits: true,
  resumes: false,
  structs: { largest: Number.MAX_SAFE_INTEGER, beyond: 'stack' },
  doubleWord: 'words',
  floats: 'integer',
  returned: { largest: 4, hidden: 'first', givesPointer: false },
  syscalls: [],
};

/** arm of 32 bits: arch/arm. */
export const ARM: Architecture & { readonly rawImage: RawImageKind } = {
  machine: EM.ARM,
  node: 'arm',
  registerMember: 'uregs',
  functionPrefix: 'arm_',
  // Kernels may be of Thumb instructions.
  instructions: { unit: 2, fixed: false, between: 'EINVAL' },
  conventions: [CONVENTION],
  callSites: {
    // The call of __gnu_mcount_nc, after what the prologue has pushed before it. It is patched where the word points.
    distances: behindPrologue(2, 32),
    mcountOnly: true,
    patched: CALL_BEHIND_SAVE,
    adjust: () => 0,
  },
  entry: undefined,
  kprobes: { blacklist: [ENTRY, IRQENTRY, IDMAP], noReturnProbe: [], onFtrace: false },
  trampolines: NO_TRAMPOLINES,
  syscalls: { libbpf: '__arm_sys_', table: undefined, modifiable: undefined },
  rawImage: { machine: EM.ARM, is64: false, littleEndian: true, relocates: false, start: ['_text', 'stext'] },
  pahole: { registers: [0, 1, 2, 3, 4, 5, 6, 7], inRegisters: 8 },
};
