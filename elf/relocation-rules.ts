import { EM, type Machine } from './constants.js';

/** How a relocation makes its value: S the symbol's value, A the addend, P the place. The image is taken to run where it is linked. */
export type RelocationForm =
  /** Leaves the word as it is. */
  | 'none'
  /** A */
  | 'relative'
  /** S + A */
  | 'absolute'
  /** S + A - P */
  | 'pc-relative'
  /** S + A in the two immediates of a BPF ld_imm64. */
  | 'bpf-immediate64'
  /** (S + A) / 8 - 1 in the immediate of a BPF call. */
  | 'bpf-call';

/** What a relocation does. */
export interface RelocationRule {
  readonly form: RelocationForm;
  /** How many bytes at r_offset it writes to. */
  readonly width: number;
}

const rules = (rows: Record<number, readonly [RelocationForm, number]>): ReadonlyMap<number, RelocationRule> =>
  new Map(Object.entries(rows).map(([type, [form, width]]) => [Number(type), { form, width }]));

// The data relocations that fill words of kernels, modules and BPF objects. Those of instructions are not applied: nothing reads operands.
const RULES: Readonly<Record<Machine, ReadonlyMap<number, RelocationRule>>> = {
  // System V ABI, AMD64 supplement, §4.4
  [EM.X86_64]: rules({
    0: ['none', 0], // NONE
    1: ['absolute', 8], // 64
    2: ['pc-relative', 4], // PC32
    4: ['pc-relative', 4], // PLT32
    6: ['absolute', 8], // GLOB_DAT
    8: ['relative', 8], // RELATIVE
    10: ['absolute', 4], // 32
    11: ['absolute', 4], // 32S
    24: ['pc-relative', 8], // PC64
  }),
  // System V ABI, Intel386 supplement, §4
  [EM.I386]: rules({
    0: ['none', 0], // NONE
    1: ['absolute', 4], // 32
    2: ['pc-relative', 4], // PC32
    6: ['absolute', 4], // GLOB_DAT
    8: ['relative', 4], // RELATIVE
  }),
  // ELF for the Arm 64-bit Architecture, "Relocation"
  [EM.AARCH64]: rules({
    0: ['none', 0], // NONE
    256: ['none', 0], // NONE
    257: ['absolute', 8], // ABS64
    258: ['absolute', 4], // ABS32
    260: ['pc-relative', 8], // PREL64
    261: ['pc-relative', 4], // PREL32
    1025: ['absolute', 8], // GLOB_DAT
    1027: ['relative', 8], // RELATIVE
  }),
  // ELF for the Arm Architecture, "Relocation"
  [EM.ARM]: rules({
    0: ['none', 0], // NONE
    2: ['absolute', 4], // ABS32
    3: ['pc-relative', 4], // REL32
    21: ['absolute', 4], // GLOB_DAT
    23: ['relative', 4], // RELATIVE
  }),
  // zSeries ELF ABI supplement, "Relocation Types"
  [EM.S390]: rules({
    0: ['none', 0], // NONE
    4: ['absolute', 4], // 32
    5: ['pc-relative', 4], // PC32
    10: ['absolute', 8], // GLOB_DAT
    12: ['relative', 8], // RELATIVE
    22: ['absolute', 8], // 64
    23: ['pc-relative', 8], // PC64
  }),
  // RISC-V ELF psABI, "Relocations"
  [EM.RISCV]: rules({
    0: ['none', 0], // NONE
    1: ['absolute', 4], // 32
    2: ['absolute', 8], // 64
    3: ['relative', 8], // RELATIVE
    57: ['pc-relative', 4], // 32_PCREL
  }),
  // Power Architecture 64-bit ELF V2 ABI, §3.5
  [EM.PPC64]: rules({
    0: ['none', 0], // NONE
    1: ['absolute', 4], // ADDR32
    22: ['relative', 8], // RELATIVE
    26: ['pc-relative', 4], // REL32
    38: ['absolute', 8], // ADDR64
    44: ['pc-relative', 8], // REL64
  }),
  // LoongArch ELF psABI, "Relocations"
  [EM.LOONGARCH]: rules({
    0: ['none', 0], // NONE
    1: ['absolute', 4], // 32
    2: ['absolute', 8], // 64
    3: ['relative', 8], // RELATIVE
    99: ['pc-relative', 4], // 32_PCREL
    109: ['pc-relative', 8], // 64_PCREL
  }),
  // SYSTEM V ABI, MIPS RISC supplement, §4, and the 64-bit ELF object file specification, §2.9
  [EM.MIPS]: rules({
    0: ['none', 0], // NONE
    2: ['absolute', 4], // 32
    18: ['absolute', 8], // 64
  }),
  // Documentation/bpf/llvm_reloc.rst
  [EM.BPF]: rules({
    0: ['none', 0], // NONE
    1: ['bpf-immediate64', 16], // 64_64
    2: ['absolute', 8], // 64_ABS64
    3: ['absolute', 4], // 64_ABS32
    4: ['absolute', 4], // 64_NODYLD32
    10: ['bpf-call', 8], // 64_32
  }),
};

/** What a relocation type does on a machine; undefined for those kelf does not apply. */
export function relocationRule(machine: number, type: number): RelocationRule | undefined {
  return rulesOf(machine)?.get(type);
}

/** The machine's R_*_RELATIVE, which RELR stands for; 0 if kelf knows none. */
export function relativeType(machine: number): number {
  for (const [type, { form }] of rulesOf(machine) ?? []) if (form === 'relative') return type;
  return 0;
}

/** None for a machine that kelf does not know. */
function rulesOf(machine: number): ReadonlyMap<number, RelocationRule> | undefined {
  return (RULES as Readonly<Record<number, ReadonlyMap<number, RelocationRule>>>)[machine];
}
