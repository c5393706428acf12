import { EM } from '../../elf/constants.js';
import { type Architecture, behindPrologue, CALL_BEHIND_SAVE, NO_TRAMPOLINES } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';

const REGISTERS = [4, 5, 6, 7, 8, 9, 10, 11].map(n => ({ name: `r${n}`, field: `regs[${n}]` }));

/** MIPSpro 64-bit ABI (n64), soft-float; arch/mips/kernel/ptrace.c. */
const CONVENTION: CallingConvention = {
  name: 'mips64',
  bpfTarget: 'mips',
  wordSize: 8,
  registers: REGISTERS,
  results: [2, 3].map(n => ({ name: `r${n}`, field: `regs[${n}]` })),
  stackPointer: { name: 'r29', field: 'regs[29]' },
  firstStack: 0,
  evenRegisters: true,
  evenStack: true,
  splits: true,
  resumes: false,
  structs: { largest: Number.MAX_SAFE_INTEGER, beyond: 'stack', leftJustified: true },
  doubleWord: 'words',
  floats: 'integer',
  returned: { largest: 16, hidden: 'first', givesPointer: true },
  syscalls: [],
};

/** MIPS: arch/mips. */
export const MIPS: Architecture = {
  machine: EM.MIPS,
  node: undefined,
  registerMember: 'cp0_epc',
  functionPrefix: 'mips_',
  instructions: { unit: 4, fixed: true, between: 'EINVAL' },
  conventions: [CONVENTION],
  callSites: { distances: behindPrologue(4), mcountOnly: false, patched: CALL_BEHIND_SAVE, adjust: () => 0 },
  entry: undefined,
  kprobes: { blacklist: [], noReturnProbe: [], onFtrace: false },
  trampolines: NO_TRAMPOLINES,
  syscalls: { libbpf: '__mips_sys_', table: undefined, modifiable: undefined },
  rawImage: undefined,
  pahole: { registers: [], inRegisters: 8 },
};
