// Numbers of elf(5), the generic ABI and the processor supplements, under their own names. What kelf decides by is here; what it only
// prints is in names.ts.

export const ET: { readonly REL: 1; readonly EXEC: 2; readonly DYN: 3; readonly CORE: 4 } = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 };

export const EM: {
  readonly I386: 3;
  readonly MIPS: 8;
  readonly PPC64: 21;
  readonly S390: 22;
  readonly ARM: 40;
  readonly X86_64: 62;
  readonly AARCH64: 183;
  readonly RISCV: 243;
  readonly BPF: 247;
  readonly LOONGARCH: 258;
} = { I386: 3, MIPS: 8, PPC64: 21, S390: 22, ARM: 40, X86_64: 62, AARCH64: 183, RISCV: 243, BPF: 247, LOONGARCH: 258 };

/** The machines that kelf knows: the tables of elf/ have a row for each, so that the compiler lists those that a new one lacks. */
export type Machine = (typeof EM)[keyof typeof EM];

export const SHN: {
  readonly UNDEF: 0;
  readonly LORESERVE: 0xff00;
  readonly ABS: 0xfff1;
  readonly COMMON: 0xfff2;
  readonly XINDEX: 0xffff;
} = {
  UNDEF: 0,
  LORESERVE: 0xff00,
  ABS: 0xfff1,
  COMMON: 0xfff2,
  XINDEX: 0xffff,
};

export const SHT: {
  readonly NULL: 0;
  readonly SYMTAB: 2;
  readonly STRTAB: 3;
  readonly RELA: 4;
  readonly DYNAMIC: 6;
  readonly NOTE: 7;
  readonly NOBITS: 8;
  readonly REL: 9;
  readonly DYNSYM: 11;
  readonly SYMTAB_SHNDX: 18;
  readonly RELR: 19;
  readonly CREL: 0x40000014;
  readonly ANDROID_REL: 0x60000001;
  readonly ANDROID_RELA: 0x60000002;
  readonly ANDROID_RELR: 0x6fffff00;
} = {
  NULL: 0,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  DYNAMIC: 6,
  NOTE: 7,
  NOBITS: 8,
  REL: 9,
  DYNSYM: 11,
  SYMTAB_SHNDX: 18,
  RELR: 19,
  CREL: 0x40000014,
  ANDROID_REL: 0x60000001,
  ANDROID_RELA: 0x60000002,
  ANDROID_RELR: 0x6fffff00,
};

export const SHF: { readonly WRITE: 1; readonly ALLOC: 2; readonly EXECINSTR: 4; readonly COMPRESSED: 0x800 } = {
  WRITE: 1,
  ALLOC: 2,
  EXECINSTR: 4,
  COMPRESSED: 0x800,
};

export const PT: { readonly LOAD: 1; readonly DYNAMIC: 2; readonly NOTE: 4 } = { LOAD: 1, DYNAMIC: 2, NOTE: 4 };

export const PN_XNUM = 0xffff;

export const STT: {
  readonly NOTYPE: 0;
  readonly OBJECT: 1;
  readonly FUNC: 2;
  readonly SECTION: 3;
  readonly FILE: 4;
  readonly GNU_IFUNC: 10;
} = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4, GNU_IFUNC: 10 };

export const STB: { readonly LOCAL: 0; readonly GLOBAL: 1; readonly WEAK: 2; readonly GNU_UNIQUE: 10 } = {
  LOCAL: 0,
  GLOBAL: 1,
  WEAK: 2,
  GNU_UNIQUE: 10,
};

export const NT_GNU_BUILD_ID = 3;
