import { EM, type Machine } from '../constants.js';

/** DW_LANG_*, DWARF 5 §7.12 and the list of later numbers at dwarfstd.org. */
const LANGUAGES: Readonly<Record<number, string>> = {
  1: 'C89',
  2: 'C',
  4: 'C++',
  12: 'C99',
  26: 'C++11',
  28: 'Rust',
  29: 'C11',
  33: 'C++14',
  43: 'C++17',
  44: 'C17',
  46: 'C++20',
  58: 'C++23',
  62: 'C23',
  32769: 'assembly',
};

/** `C11` for 0x1d; `0x…` for numbers that kernels are not written in. */
export function languageName(language: number): string {
  return LANGUAGES[language] ?? `0x${language.toString(16)}`;
}

/** DW_CC_*, §7.15, and what clang adds. */
const CONVENTIONS: Readonly<Record<number, string>> = {
  1: 'normal',
  2: 'program',
  3: 'nocall',
  4: 'pass_by_reference',
  5: 'pass_by_value',
};

/** `nocall` for DW_CC_nocall: the function may not follow the ABI, and a debugger can not call it. */
export function conventionName(convention: number): string {
  return CONVENTIONS[convention] ?? `0x${convention.toString(16)}`;
}

const X86_64 = ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'];
const I386 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip'];
const RISCV = [
  'zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7',
  's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6',
]; // biome-ignore format: rows of registers

const numbered =
  (prefix: string, count: number) =>
  (register: number): string | undefined =>
    register < count ? `${prefix}${register}` : undefined;

/** The names of registers by their DWARF numbers; undefined for those that are not named here. */
const REGISTERS: Readonly<Record<Machine, (register: number) => string | undefined>> = {
  // System V ABI, AMD64 supplement, figure 3.36
  [EM.X86_64]: register => X86_64[register] ?? (register >= 17 && register <= 32 ? `xmm${register - 17}` : undefined),
  [EM.I386]: register => I386[register],
  // DWARF for the Arm 64-bit Architecture
  [EM.AARCH64]: register =>
    register < 31 ? `x${register}` : register === 31 ? 'sp' : register >= 64 && register <= 95 ? `v${register - 64}` : undefined,
  [EM.ARM]: numbered('r', 16),
  [EM.RISCV]: register => RISCV[register],
  // The floating point registers are not in order.
  [EM.S390]: numbered('r', 16),
  [EM.PPC64]: register => (register === 65 ? 'lr' : numbered('r', 32)(register)),
  [EM.LOONGARCH]: numbered('$r', 32),
  [EM.MIPS]: numbered('$r', 32),
  [EM.BPF]: () => undefined,
};

/** The name of a register by its DWARF number, as the ABI of each machine counts them; `reg17` for those it does not name here. */
export function registerName(machine: number, register: number): string {
  return (REGISTERS as Readonly<Record<number, (register: number) => string | undefined>>)[machine]?.(register) ?? `reg${register}`;
}
