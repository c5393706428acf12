import { EM } from '../../elf/constants.js';
import { ANY_DISTANCE, type Architecture, CALL_BEHIND_SAVE, IRQENTRY, NO_POKE, type RawImageKind } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';

const REGISTERS = [4, 5, 6, 7, 8, 9, 10, 11].map(n => ({ name: `r${n}`, field: `regs[${n}]` }));

/** LoongArch procedure call standard, lp64s (the kernel is built with -msoft-float); arch/loongarch/kernel/ptrace.c. */
const CONVENTION: CallingConvention = {
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

/** LoongArch: arch/loongarch. */
export const LOONGARCH: Architecture & { readonly rawImage: RawImageKind } = {
  machine: EM.LOONGARCH,
  node: 'loong64',
  registerMember: 'csr_era',
  functionPrefix: 'loongarch_',
  instructions: { unit: 4, fixed: true, between: 'EINVAL' },
  conventions: [CONVENTION],
  callSites: { distances: ANY_DISTANCE, mcountOnly: false, patched: CALL_BEHIND_SAVE, adjust: () => 0 },
  entry: undefined,
  kprobes: { blacklist: [IRQENTRY], noReturnProbe: [], onFtrace: true },
  trampolines: {
    eras: [
      { since: 'loongarchArguments12', most: 12, counts: 'arguments', structs: 'all', errno: 'ENOTSUPP' },
      { since: 'loongarchTrampolines', most: 8, counts: 'arguments', structs: 'none', errno: 'ENOTSUPP' },
    ],
    withoutSite: NO_POKE,
    takesAnyNop: false,
  },
  syscalls: { libbpf: undefined, table: undefined, modifiable: 'sys_' },
  rawImage: { machine: EM.LOONGARCH, is64: true, littleEndian: true, relocates: true, start: 0x9000_0000_0020_0000n },
  pahole: { registers: [], inRegisters: 0 },
};
