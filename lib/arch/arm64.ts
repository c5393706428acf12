import { EM } from '../../elf/constants.js';
import { ANY_DISTANCE, type Architecture, CALL_BEHIND_SAVE, ENTRY, IDMAP, IRQENTRY, NO_POKE, type RawImageKind } from './architecture.js';
import { ARM64_CALLS } from './arm64-calls.js';
import type { CallingConvention } from './calling-convention.js';

/** The prefix of a native system call's name. */
const NATIVE_CALL = '__arm64_sys_';

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7].map(n => ({ name: `x${n}`, field: `regs[${n}]` }));
const ARGUMENTS = [0, 1, 2, 3, 4, 5].map(n => ({ offset: n * 8, field: `regs[${n}]` }));

/** AAPCS64, section 6.8; arch/arm64/kernel/ptrace.c, arch/arm64/include/asm/syscall_wrapper.h. */
const CONVENTION: CallingConvention = {
  name: 'arm64',
  bpfTarget: 'arm64',
  wordSize: 8,
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'sp', field: 'sp' },
  firstStack: 0,
  evenRegisters: true,
  evenStack: true,
  splits: false,
  resumes: false,
  structs: { largest: 16, beyond: 'pointer' },
  doubleWord: 'words',
  floats: 'separate',
  // The pointer goes in x8, which a function need not keep.
  returned: { largest: 16, hidden: 'apart', givesPointer: false },
  syscalls: [
    { prefix: '__arm64_compat_sys_', arguments: ARGUMENTS, width: 4 },
    { prefix: NATIVE_CALL, arguments: ARGUMENTS },
  ],
};

/** From a word of DYNAMIC_FTRACE_WITH_CALL_OPS, 8 bytes before its function, to the second NOP of that: func + 4. */
const CALL_OPS = 12;

/** BTI, with whichever of its targets (HINT #32 to #38 of the Arm architecture). */
function isBti(instruction: number | undefined): boolean {
  return instruction !== undefined && (instruction & 0xffffff3f) >>> 0 === 0xd503241f;
}

/** arm64: arch/arm64. */
export const ARM64: Architecture & { readonly rawImage: RawImageKind } = {
  machine: EM.AARCH64,
  node: 'arm64',
  registerMember: 'orig_x0',
  functionPrefix: 'arm64_',
  instructions: { unit: 4, fixed: true, calls: ARM64_CALLS, between: 'EINVAL' },
  conventions: [CONVENTION],
  callSites: {
    distances: ANY_DISTANCE,
    mcountOnly: false,
    patched: CALL_BEHIND_SAVE,
    // With -fpatchable-function-entry=2 the second of two NOPs is patched (entry + 4); with the older -pg a word is that of the call
    // itself, after the prologue.
    adjust: table => {
      const distance = table.commonDistance();
      return distance < 0 ? CALL_OPS : distance > 4 ? 0 : 4;
    },
    // A function that begins with BTI has its NOPs after that.
    adjustWord: (word, adjusted, instruction) => (adjusted === CALL_OPS && isBti(instruction(word + 8n)) ? 4 : 0),
  },
  entry: undefined,
  kprobes: {
    blacklist: [
      ENTRY,
      IRQENTRY,
      IDMAP,
      // Where the kernel does not run at EL2 (no VHE), which the image does not tell; then also __hyp_idmap_text.
      ['.hyp.text', '__hyp_text_start', '__hyp_text_end'],
      ['.hyp.idmap.text', '__hyp_idmap_text_start', '__hyp_idmap_text_end'],
    ],
    noReturnProbe: [],
    onFtrace: false,
  },
  trampolines: {
    eras: [
      { since: 'arm64StackStructs', most: 12, counts: 'arguments', structs: 'all', errno: 'ENOTSUPP' },
      { since: 'arm64Arguments12', most: 12, counts: 'arguments', structs: 'in registers', errno: 'ENOTSUPP' },
      { since: 'arm64Structs', most: 8, counts: 'registers', structs: 'all', errno: 'ENOTSUPP' },
      { since: 'arm64Trampolines', most: 8, counts: 'arguments', structs: 'none', errno: 'ENOTSUPP' },
    ],
    withoutSite: NO_POKE,
    takesAnyNop: false,
  },
  syscalls: { libbpf: NATIVE_CALL, table: NATIVE_CALL, modifiable: '__arm64_' },
  rawImage: { machine: EM.AARCH64, is64: true, littleEndian: true, relocates: true },
  pahole: { registers: [0, 1, 2, 3, 4, 5, 6, 7], inRegisters: 8 },
};
