import { EM, type Machine } from './constants.js';

// What the numbers of elf(5), the generic ABI, its GNU and LLVM extensions and the processor supplements are called, as readelf prints
// them.

type Names = Readonly<Record<number, string>>;

const MACHINES: Names & Readonly<Record<Machine, string>> = {
  [EM.I386]: 'i386',
  [EM.MIPS]: 'MIPS',
  20: 'PowerPC',
  [EM.PPC64]: 'PowerPC64',
  [EM.S390]: 'S/390',
  [EM.ARM]: 'ARM',
  2: 'SPARC',
  15: 'PA-RISC',
  42: 'SuperH',
  43: 'SPARC v9',
  [EM.X86_64]: 'x86-64',
  [EM.AARCH64]: 'AArch64',
  [EM.RISCV]: 'RISC-V',
  [EM.BPF]: 'BPF',
  252: 'C-SKY',
  [EM.LOONGARCH]: 'LoongArch',
};

const FILE_TYPES: Names = { 0: 'NONE', 1: 'REL', 2: 'EXEC', 3: 'DYN', 4: 'CORE' };

const SECTION_TYPES: Names = {
  0: 'NULL',
  1: 'PROGBITS',
  2: 'SYMTAB',
  3: 'STRTAB',
  4: 'RELA',
  5: 'HASH',
  6: 'DYNAMIC',
  7: 'NOTE',
  8: 'NOBITS',
  9: 'REL',
  10: 'SHLIB',
  11: 'DYNSYM',
  14: 'INIT_ARRAY',
  15: 'FINI_ARRAY',
  16: 'PREINIT_ARRAY',
  17: 'GROUP',
  18: 'SYMTAB_SHNDX',
  19: 'RELR',
  1073741844: 'CREL',
  1610612737: 'ANDROID_REL',
  1610612738: 'ANDROID_RELA',
  1879000832: 'GNU_INCREMENTAL_INPUTS',
  1879002112: 'LLVM_ODRTAB',
  1879002113: 'LLVM_LINKER_OPTIONS',
  1879002115: 'LLVM_ADDRSIG',
  1879002116: 'LLVM_DEPENDENT_LIBRARIES',
  1879002117: 'LLVM_SYMPART',
  1879002118: 'LLVM_PART_EHDR',
  1879002122: 'LLVM_BB_ADDR_MAP',
  1879047936: 'ANDROID_RELR',
  1879048181: 'GNU_ATTRIBUTES',
  1879048182: 'GNU_HASH',
  1879048183: 'GNU_LIBLIST',
  1879048189: 'VERDEF',
  1879048190: 'VERNEED',
  1879048191: 'VERSYM',
};

const MACHINE_SECTION_TYPES: Readonly<Record<number, Names>> = {
  [EM.X86_64]: { 1879048193: 'X86_64_UNWIND' },
  [EM.AARCH64]: { 1879048195: 'AARCH64_ATTRIBUTES' },
  [EM.RISCV]: { 1879048195: 'RISCV_ATTRIBUTES' },
  [EM.ARM]: {
    1879048193: 'ARM_EXIDX',
    1879048194: 'ARM_PREEMPTMAP',
    1879048195: 'ARM_ATTRIBUTES',
    1879048196: 'ARM_DEBUGOVERLAY',
    1879048197: 'ARM_OVERLAYSECTION',
  },
  [EM.MIPS]: {
    1879048192: 'MIPS_LIBLIST',
    1879048195: 'MIPS_GPTAB',
    1879048197: 'MIPS_DEBUG',
    1879048198: 'MIPS_REGINFO',
    1879048205: 'MIPS_OPTIONS',
    1879048222: 'MIPS_DWARF',
    1879048234: 'MIPS_ABIFLAGS',
    1879048235: 'MIPS_XHASH',
  },
};

const SEGMENT_TYPES: Names = {
  0: 'NULL',
  1: 'LOAD',
  2: 'DYNAMIC',
  3: 'INTERP',
  4: 'NOTE',
  5: 'SHLIB',
  6: 'PHDR',
  7: 'TLS',
  1685382480: 'GNU_EH_FRAME',
  1685382481: 'GNU_STACK',
  1685382482: 'GNU_RELRO',
  1685382483: 'GNU_PROPERTY',
  1685382484: 'GNU_SFRAME',
  1705237478: 'OPENBSD_RANDOMIZE',
  1705237479: 'OPENBSD_WXNEEDED',
  1705253862: 'OPENBSD_BOOTDATA',
};

const MACHINE_SEGMENT_TYPES: Readonly<Record<number, Names>> = {
  [EM.ARM]: { 1879048193: 'ARM_EXIDX' },
  [EM.AARCH64]: { 1879048192: 'AARCH64_ARCHEXT', 1879048194: 'AARCH64_MEMTAG_MTE' },
  [EM.S390]: { 1879048192: 'S390_PGSTE' },
  [EM.RISCV]: { 1879048195: 'RISCV_ATTRIBUTES' },
  [EM.MIPS]: { 1879048192: 'MIPS_REGINFO', 1879048193: 'MIPS_RTPROC', 1879048194: 'MIPS_OPTIONS', 1879048195: 'MIPS_ABIFLAGS' },
};

const SYMBOL_TYPES: Names = {
  0: 'NOTYPE',
  1: 'OBJECT',
  2: 'FUNC',
  3: 'SECTION',
  4: 'FILE',
  5: 'COMMON',
  6: 'TLS',
  8: 'RELC',
  9: 'SRELC',
  10: 'IFUNC',
};
const BINDINGS: Names = { 0: 'LOCAL', 1: 'GLOBAL', 2: 'WEAK', 10: 'UNIQUE' };
const VISIBILITIES: Names = { 0: 'DEFAULT', 1: 'INTERNAL', 2: 'HIDDEN', 3: 'PROTECTED' };
const SECTION_INDICES: Names = { 0: 'UND', 65521: 'ABS', 65522: 'COM' };

/** `x86-64`, `AArch64`; `0x…` for a number without a name, as with all of the functions below. */
export function machineName(machine: number): string {
  return MACHINES[machine] ?? hex(machine);
}

/** e_type: `REL`, `EXEC`, `DYN`. */
export function fileTypeName(type: number): string {
  return FILE_TYPES[type] ?? hex(type);
}

/** sh_type: `PROGBITS`, `SYMTAB`. */
export function sectionTypeName(type: number, machine: number): string {
  return MACHINE_SECTION_TYPES[machine]?.[type] ?? SECTION_TYPES[type] ?? hex(type);
}

/** p_type: `LOAD`, `GNU_STACK`. */
export function segmentTypeName(type: number, machine: number): string {
  return MACHINE_SEGMENT_TYPES[machine]?.[type] ?? SEGMENT_TYPES[type] ?? hex(type);
}

/** The type in st_info: `FUNC`, `OBJECT`. 10 is GNU's IFUNC. */
export function symbolTypeName(type: number): string {
  return SYMBOL_TYPES[type] ?? hex(type);
}

/** The binding in st_info: `LOCAL`, `GLOBAL`, `WEAK`. 10 is GNU's UNIQUE. */
export function bindingName(binding: number): string {
  return BINDINGS[binding] ?? hex(binding);
}

/** The visibility in st_other: `DEFAULT`, `HIDDEN`. */
export function visibilityName(visibility: number): string {
  return VISIBILITIES[visibility] ?? hex(visibility);
}

/** The reserved section indices: `UND`, `ABS`, `COM`; undefined for the others. */
export function reservedIndexName(index: number): string | undefined {
  return SECTION_INDICES[index];
}

/** sh_flags as letters in the order of the bits: `WAX`, `AMS`. */
export function sectionFlagLetters(flags: number, machine: number): string {
  let letters = '';
  let rest = flags;
  for (const [bit, letter] of FLAG_LETTERS) {
    const known = letter !== 'l' || machine === EM.X86_64;
    if (!known || Math.floor(flags / bit) % 2 === 0) continue;
    letters += letter;
    rest -= bit;
  }
  // As readelf has it: o of the system, p of the processor, x unknown.
  if (Math.floor(rest / 0x0010_0000) % 0x100 !== 0) letters += 'o';
  if (Math.floor(rest / 0x1000_0000) % 0x10 !== 0) letters += 'p';
  return rest % 0x0010_0000 !== 0 || rest >= 2 ** 32 ? `${letters}x` : letters;
}

const FLAG_LETTERS: readonly (readonly [bit: number, letter: string])[] = [
  [0x1, 'W'],
  [0x2, 'A'],
  [0x4, 'X'],
  [0x10, 'M'],
  [0x20, 'S'],
  [0x40, 'I'],
  [0x80, 'L'],
  [0x100, 'O'],
  [0x200, 'G'],
  [0x400, 'T'],
  [0x800, 'C'],
  [0x20_0000, 'R'],
  [0x100_0000, 'D'],
  [0x1000_0000, 'l'],
  [0x8000_0000, 'E'],
];

/** p_flags as letters: `R-X`, `RW-`. */
export function segmentFlagLetters(flags: number): string {
  return `${flags & 4 ? 'R' : '-'}${flags & 2 ? 'W' : '-'}${flags & 1 ? 'X' : '-'}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
