import { EM, type Machine } from '../../elf/constants.js';
import { ANY_DISTANCE, type Architecture, CALL_BEHIND_SAVE, NO_TRAMPOLINES } from './architecture.js';
import { ARM } from './arm.js';
import { ARM64 } from './arm64.js';
import type { CallingConvention } from './calling-convention.js';
import { I386 } from './i386.js';
import { LOONGARCH } from './loongarch.js';
import { MIPS } from './mips.js';
import { POWERPC } from './powerpc.js';
import { RISCV } from './riscv.js';
import { S390 } from './s390.js';
import { X86_64 } from './x86-64.js';

/** Every architecture of the kernel that kelf knows. BPF is not one. */
const BY_MACHINE: Readonly<Record<Exclude<Machine, typeof EM.BPF>, Architecture>> = {
  [EM.X86_64]: X86_64,
  [EM.I386]: I386,
  [EM.AARCH64]: ARM64,
  [EM.ARM]: ARM,
  [EM.RISCV]: RISCV,
  [EM.S390]: S390,
  [EM.PPC64]: POWERPC,
  [EM.LOONGARCH]: LOONGARCH,
  [EM.MIPS]: MIPS,
};

export const ARCHITECTURES: readonly Architecture[] = Object.values(BY_MACHINE);

/** One that kelf does not know: what holds for most, and nothing of its own. */
const UNKNOWN: Architecture = {
  machine: 0,
  node: undefined,
  registerMember: '',
  functionPrefix: undefined,
  instructions: { unit: 1, fixed: false, between: 'EINVAL' },
  conventions: [],
  callSites: { distances: ANY_DISTANCE, mcountOnly: false, patched: CALL_BEHIND_SAVE, adjust: () => 0 },
  entry: undefined,
  kprobes: { blacklist: [], noReturnProbe: [], onFtrace: true },
  trampolines: NO_TRAMPOLINES,
  syscalls: { libbpf: undefined, table: undefined, modifiable: undefined },
  rawImage: undefined,
  pahole: { registers: [], inRegisters: 0 },
};

/** The architecture of an e_machine. */
export function archOf(machine: number): Architecture {
  return (BY_MACHINE as Readonly<Record<number, Architecture>>)[machine] ?? UNKNOWN;
}

/**
 * How functions of a kernel are called; undefined if there is no table: 32-bit riscv, mips and loongarch, and big-endian ppc64, whose ABI
 * is another.
 */
export function callingConventionOf(machine: number, wordSize: number, littleEndian: boolean): CallingConvention | undefined {
  return archOf(machine).conventions.find(
    convention => convention.wordSize === wordSize && (convention.byteOrder === undefined || littleEndian),
  );
}
