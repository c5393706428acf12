import type { KernelFacts } from './kernel-facts.js';

/**
 * A function of a kernel that is worked out once for each: what a rule or an answer needs of the whole kernel is kept beside the facts, and
 * the facts need not know of it.
 */
export function oncePerKernel<T extends object>(workOut: (kernel: KernelFacts) => T): (kernel: KernelFacts) => T {
  const known = new WeakMap<KernelFacts, T>();
  return kernel => {
    let result = known.get(kernel);
    if (result === undefined) known.set(kernel, (result = workOut(kernel)));
    return result;
  };
}
