import { EM } from 'kelf/elf';

/** The machines of the nine calling conventions, by the names of their tables: what callingConventionOf() takes. */
export const ABIS: Readonly<Record<string, readonly [machine: number, wordSize: number, littleEndian: boolean]>> = {
  'x86-64': [EM.X86_64, 8, true],
  i386: [EM.I386, 4, true],
  arm64: [EM.AARCH64, 8, true],
  arm32: [EM.ARM, 4, true],
  riscv64: [EM.RISCV, 8, true],
  s390x: [EM.S390, 8, false],
  ppc64le: [EM.PPC64, 8, true],
  loongarch64: [EM.LOONGARCH, 8, true],
  mips64: [EM.MIPS, 8, false],
};
