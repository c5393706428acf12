import { EM } from '../../elf/constants.js';
import type { Abi } from './calling-convention.js';

export type { Abi as CallingConvention };

import { ARM32 } from './arm.js';
import { ARM64 } from './arm64.js';
import { I386 } from './i386.js';
import { LOONGARCH64 } from './loongarch.js';
import { MIPS64 } from './mips.js';
import { PPC64LE } from './powerpc.js';
import { RISCV64 } from './riscv.js';
import { S390X } from './s390.js';
import { X86_64 } from './x86-64.js';

const TABLES: Readonly<Record<number, readonly Abi[]>> = {
  [EM.X86_64]: [X86_64],
  [EM.I386]: [I386],
  [EM.AARCH64]: [ARM64],
  [EM.ARM]: [ARM32],
  [EM.RISCV]: [RISCV64],
  [EM.S390]: [S390X],
  [EM.PPC64]: [PPC64LE],
  [EM.LOONGARCH]: [LOONGARCH64],
  [EM.MIPS]: [MIPS64],
};

/** How functions of a kernel are called; undefined where there is no table: 32-bit riscv, mips and loongarch, and big-endian ppc64, whose ABI is another. */
export function callingConventionOf(machine: number, wordSize: number, littleEndian: boolean): Abi | undefined {
  if (machine === EM.PPC64 && !littleEndian) return undefined;
  return TABLES[machine]?.find(abi => abi.wordSize === wordSize);
}
