import type { KernelFacts } from '../../facts/kernel-facts.js';

/** Where a function is declared, by DWARF. */
export interface SourceOfFunction {
  /** Without the directory of compilation: `fs/binfmt_elf.c`. */
  readonly file: string;
  readonly line: number;
  /** The file that was compiled: `fs/compat_binfmt_elf.c`, which includes the other. The same as `file` mostly. */
  readonly unit?: string;
}

/** Where the function at an address is declared; undefined without debug information, and for code that it does not describe. */
export function sourceOfFunction(kernel: KernelFacts, address: bigint): SourceOfFunction | undefined {
  const fn = kernel.dwarf()?.subprogramAt(address);
  const declared = fn?.declared;
  if (fn === undefined || declared === undefined) return undefined;
  const { name } = fn.unit;
  return { file: declared.file, line: declared.line, ...(name === undefined ? {} : { unit: name }) };
}

/** `fs/binfmt_elf.c:850, in fs/compat_binfmt_elf.c` */
export function sourceText({ file, line, unit }: SourceOfFunction): string {
  return `${file}:${line}${unit === undefined || unit === file ? '' : `, in ${unit}`}`;
}
