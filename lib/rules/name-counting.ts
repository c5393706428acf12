import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';

/**
 * Whether a kprobe by a name that several symbols bear is refused (b022f0c7e404: 6.6, and stable releases since 6.1.60). The image shows it by the
 * functions that count; where neither is in the table, they may have been inlined, and the release decides.
 */
export function countsNames(kernel: KernelFacts): { refuses: boolean; evidence: Evidence } {
  const { has, shownBy: counter } = kernel.change('countsNames');
  if (counter !== undefined) {
    return {
      refuses: true,
      evidence: { source: 'kallsyms', says: `the kernel counts symbols of a name before it sets a kprobe: it has ${counter}()` },
    };
  }
  const refuses = has !== false;
  const release = kernel.release ?? 'of unknown release';
  return {
    refuses,
    evidence: {
      source: 'release',
      says: `kernel ${release}, and no function that counts is listed: ${refuses ? 'kernels since 6.6 refuse a name of several symbols' : 'kernels before 6.6 take the first, but for stable releases that refuse (6.1.60, 5.15.137)'}`,
    },
  };
}
