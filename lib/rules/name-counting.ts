import type { Certainty, Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';

/** Whether the kernel counts the symbols of a name. */
export interface CountsNames {
  readonly refuses: boolean;
  readonly certainty: Certainty;
  readonly evidence: Evidence;
}

/**
 * Whether a kprobe by a name that several symbols share is refused (b022f0c7e404: 6.6, and stable releases since 6.1.60). The image shows
 * it by the functions that count; where neither is in the table, they may have been inlined, and the release decides.
 */
export function countsNames(kernel: KernelFacts): CountsNames {
  const { has, shownBy: counter } = kernel.change('countsNames');
  if (counter !== undefined) {
    return {
      refuses: true,
      certainty: 'proven',
      evidence: { source: 'kallsyms', says: `the kernel counts symbols of a name before it sets a kprobe: it has ${counter}()` },
    };
  }
  const refuses = has !== false;
  const release = kernel.release ?? 'of unknown release';
  return {
    refuses,
    certainty: 'likely',
    evidence: {
      source: 'release',
      says: `kernel ${release}, and no counting function is listed: ${refuses ? 'kernels since 6.6 refuse a name that several symbols share' : 'kernels before 6.6 take the first, except stable releases that refuse (6.1.60, 5.15.137)'}`,
    },
  };
}

/** What the count is over. */
export interface CountsModules {
  /** Symbols of loaded modules count too (926fe783c8a6: 6.7, and stable releases such as 6.1.71). */
  readonly counts: boolean;
  /** A name that the kernel itself has is not looked for in modules (1870ddcd94b0: 7.1). */
  readonly kernelFirst: boolean;
  readonly certainty: 'proven' | 'likely';
  readonly evidence: Evidence;
}

/** Whether symbols of loaded modules are counted too. */
export function countsModules(kernel: KernelFacts): CountsModules {
  const { release } = kernel;
  const kernelFirst = kernel.change('kernelNameFirst').has === true;
  if (kernelFirst) {
    const says = `kernel ${release}: if the kernel itself has the name, it does not count the name in modules (7.1)`;
    return { counts: true, kernelFirst, certainty: 'likely', evidence: { source: 'release', says } };
  }
  const counting = kernel.change('countsModules');
  if (counting.shownBy !== undefined) {
    const says = 'the kernel counts the symbols of loaded modules too: it has count_mod_symbols()';
    return { counts: true, kernelFirst, certainty: 'proven', evidence: { source: 'kallsyms', says } };
  }
  const counts = counting.has !== false;
  const says = `kernel ${release ?? 'of unknown release'}: ${counts ? 'kernels since 6.7 count' : 'kernels before 6.7 mostly do not count'} symbols of loaded modules`;
  return { counts, kernelFirst, certainty: 'likely', evidence: { source: 'release', says } };
}
