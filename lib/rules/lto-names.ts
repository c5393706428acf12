import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';
import { sinceOf } from '../releases.js';

/** What clang's ThinLTO puts behind the name of a static function that another object calls: `.llvm.` and a hash. */
const SUFFIX = '.llvm.';

/** The symbols with that suffix, by the name before it. */
const promotedOf = oncePerKernel(({ symbols }): ReadonlyMap<string, readonly SymbolRow[]> => {
  const promoted = new Map<string, SymbolRow[]>();
  for (const row of symbols.rowsWith(SUFFIX)) {
    const name = symbols.name(row);
    const base = name.slice(0, name.indexOf(SUFFIX));
    promoted.set(base, [...(promoted.get(base) ?? []), row]);
  }
  return promoted;
});

/** The symbols that the kernel takes for a name, and why they are others than those of just that name. */
export interface NamedSymbols {
  readonly rows: readonly SymbolRow[];
  readonly because: readonly Evidence[];
}

/**
 * cleanup_symbol_name() of kernel/kallsyms.c: kernels built with LTO cut the suffix before they compare names, from 5.12 until 6.11 compares
 * them as they are.
 */
export function symbolsNamed(kernel: KernelFacts, name: string): NamedSymbols {
  const { symbols } = kernel;
  const own = symbols.find(name);
  const promoted = promotedOf(kernel).get(name) ?? [];
  if (promoted.length === 0 || kernel.change('cutsLtoSuffix').has === false || kernel.change('comparesLtoNames').has === true) {
    return { rows: own, because: [] };
  }
  const { big } = symbols.address;
  const rows = [...own, ...promoted].sort((a, b) => (big[a]! < big[b]! ? -1 : 1));
  const names = promoted.map(row => symbols.name(row)).join(', ');
  const says = `kernels with LTO cut ${SUFFIX}HASH off before they compare names, ${sinceOf('cutsLtoSuffix')} and before 6.11: ${name} is also ${names}`;
  return { rows, because: [{ source: 'kallsyms', says }] };
}
