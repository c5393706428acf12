import type { KernelFacts } from '../../facts/kernel-facts.js';
import { wrapperOf } from '../attach/syscalls.js';

/** An entry function of a system call. */
export interface SyscallSymbol {
  readonly symbol: string;
  /** Whether its one argument is the caller's registers, struct pt_regs. */
  readonly takesRegisters: boolean;
}

/** The functions of a system call: `execve` has `__x64_sys_execve` and, for 32-bit programs, `__ia32_compat_sys_execve`. */
export function syscallSymbols(kernel: KernelFacts, name: string): SyscallSymbol[] {
  const { callingConvention: abi } = kernel;
  const { btf } = kernel;
  const exists = (symbol: string): boolean =>
    kernel.symbolsMissing === undefined ? kernel.functions.find(symbol).length > 0 : (btf?.find(symbol, 'FUNC').length ?? 0) > 0;
  const prefixes = abi?.syscalls.map(({ prefix }) => prefix) ?? [];
  const wrappers = prefixes.map(prefix => `${prefix}${name}`).filter(exists);
  const plain = wrappers.length > 0 ? [] : [`sys_${name}`, `__se_sys_${name}`].filter(exists).slice(0, 1);
  return [...wrappers, ...plain].map(symbol => {
    const [id] = btf?.find(symbol, 'FUNC') ?? [];
    const wrapped = abi !== undefined && wrapperOf(abi, symbol) !== undefined;
    const takesRegisters =
      id === undefined ? wrapped && !symbol.startsWith('sys_') : /\((?:const )?struct pt_regs \*\w*\)$/.test(btf!.prototype(id));
    return { symbol, takesRegisters };
  });
}
