import { EM } from '../../elf/constants.js';
import { ANY_DISTANCE, type Architecture, CALL_BEHIND_SAVE, type CallSiteTable } from './architecture.js';
import type { CallingConvention } from './calling-convention.js';

const REGISTERS = [3, 4, 5, 6, 7, 8, 9, 10].map(n => ({ name: `gpr${n}`, field: `gpr[${n}]` }));

/** OpenPOWER ELF V2 ABI, section 2.2; arch/powerpc/kernel/ptrace/ptrace.c, arch/powerpc/include/asm/syscall_wrapper.h (6.2). */
const CONVENTION: CallingConvention = {
  name: 'ppc64le',
  bpfTarget: 'powerpc',
  wordSize: 8,
  byteOrder: 'little',
  registers: REGISTERS,
  results: REGISTERS.slice(0, 2),
  stackPointer: { name: 'gpr1', field: 'gpr[1]' },
  // Behind the header of 32 bytes and the places of the eight registers.
  firstStack: 12,
  evenRegisters: true,
  evenStack: true,
  evenStructsOnly: true,
  splits: true,
  resumes: false,
  structs: { largest: Number.MAX_SAFE_INTEGER, beyond: 'stack' },
  doubleWord: 'words',
  floats: 'separate',
  returned: { largest: 16, hidden: 'first', givesPointer: true },
  syscalls: [{ prefix: 'sys_', arguments: [3, 4, 5, 6, 7, 8].map(n => ({ offset: n * 8, field: `gpr[${n}]` })) }],
};

/** The two instructions at the global entry of a function of the ABI v2, which work out the address of its data. */
const GLOBAL_ENTRY = 8n;

/** ori r0,r0,0 */
const NOP = 0x60000000;
/** Words that are looked at. */
const SAMPLE = 64;

/** Whether most words are at two NOPs (-fpatchable-function-entry=2). */
function isOfPairs({ words, instruction }: CallSiteTable): boolean {
  if (instruction === undefined) return false;
  const looked = words(SAMPLE);
  return looked.filter(word => instruction(word) === NOP && instruction(word + 4n) === NOP).length * 2 > looked.length;
}

/** 64-bit powerpc: arch/powerpc. */
export const POWERPC: Architecture = {
  machine: EM.PPC64,
  node: 'ppc64',
  registerMember: 'orig_gpr3',
  functionPrefix: 'ppc_',
  instructions: { unit: 4, fixed: true, between: 'EINVAL' },
  conventions: [CONVENTION],
  callSites: {
    distances: ANY_DISTANCE,
    mcountOnly: false,
    patched: CALL_BEHIND_SAVE,
    // The second of two NOPs is patched, where there are two.
    adjust: table => (isOfPairs(table) ? 4 : 0),
  },
  entry: {
    /*
     * To the local entry, which calls inside the kernel go to: by the name the kernel finds it itself (kprobe_lookup_name()), by a distance
     * it does not (arch_adjust_kprobe_addr() in arch/powerpc/kernel/kprobes.c). `bl _mcount` is the second or third instruction after the
     * local entry; the NOP of -fpatchable-function-entry (6.13) is the first.
     */
    probed: (address, site, first) => {
      const least = GLOBAL_ENTRY + (first ? 0n : 1n);
      return site !== undefined && site - address >= least ? address + GLOBAL_ENTRY : address;
    },
    /*
     * arch_kprobe_on_func_entry() of ELFv2 kernels counts the two instructions of the global entry in, and those that
     * CONFIG_KPROBES_ON_FTRACE adds; kernels of ELFv1, big-endian, have neither.
     */
    reach: (littleEndian, probesOnFtrace) => (littleEndian ? (probesOnFtrace ? 16 : 8) : 0),
  },
  kprobes: { blacklist: [['head', '_stext', '__head_end']], noReturnProbe: [], onFtrace: true, nameReach: 16n },
  trampolines: {
    eras: [{ since: 'powerpcTrampolines', most: 12, counts: 'registers', structs: 'all', errno: 'EOPNOTSUPP' }],
    withoutSite: { errno: 'EOPNOTSUPP', freed: 'EOPNOTSUPP', module: 'EOPNOTSUPP' },
    takesAnyNop: false,
  },
  syscalls: { libbpf: '__powerpc64_sys_', table: undefined, modifiable: 'sys_' },
  rawImage: undefined,
  pahole: { registers: [], inRegisters: 8 },
};
