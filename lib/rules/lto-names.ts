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
    const rows = promoted.get(base);
    if (rows === undefined) promoted.set(base, [row]);
    else rows.push(row);
  }
  return promoted;
});

/** Whether any symbol has the suffix: in a kernel of which none has, a name leads to the symbols of just that name. */
export function hasPromoted(kernel: KernelFacts): boolean {
  return promotedOf(kernel).size > 0;
}

/** The symbols that the kernel takes for a name, and why they may be others than those of just that name. */
export interface NamedSymbols {
  readonly rows: readonly SymbolRow[];
  /** Empty where no symbol of the name is promoted; else the release decides. */
  readonly because: readonly Evidence[];
}

/** So many are listed. */
const MOST = 4;

/**
 * cleanup_symbol_name() of kernel/kallsyms.c: kernels built with LTO cut the suffix before they compare names, from 5.12 until 6.11 compares
 * them as they are; from 6.2 on the name that is asked for is compared with the cut ones alone.
 */
export function symbolsNamed(kernel: KernelFacts, name: string): NamedSymbols {
  const own = kernel.symbols.find(name);
  const isPromoted = own.length > 0 && name.includes(SUFFIX);
  const promoted = promotedOf(kernel).get(name) ?? [];
  if (promoted.length === 0 && !isPromoted) return { rows: own, because: [] };
  const cuts = kernel.change('cutsLtoSuffix').has !== false && kernel.change('comparesLtoNames').has !== true;
  const says = `kernels with LTO cut ${SUFFIX}HASH off before they compare names, ${sinceOf('cutsLtoSuffix')} and before 6.11; this is ${kernel.release ?? 'of unknown release'}`;
  const because: Evidence[] = [{ source: 'release', says }];
  if (!cuts) return { rows: own, because };
  if (isPromoted) return { rows: kernel.change('comparesCutNames').has === false ? own : [], because };
  const { big } = kernel.symbols.address;
  const rows = [...own, ...promoted].sort((a, b) => (big[a]! < big[b]! ? -1 : 1));
  const shown = promoted.slice(0, MOST).map(row => kernel.symbols.name(row));
  const more = promoted.length > shown.length ? ` and ${promoted.length - shown.length} more` : '';
  return { rows, because: [...because, { source: 'kallsyms', says: `${name} is also ${shown.join(', ')}${more}` }] };
}
