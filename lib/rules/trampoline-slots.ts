import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { CHANGES } from '../releases.js';

/** How many argument registers a BPF trampoline of a kernel passes, and what tells. */
export function mostSlots(kernel: KernelFacts): { count: number; evidence: Evidence } {
  const { slots, fewerSlots } = kernel.arch.trampolines;
  const name = kernel.callingConvention?.name;
  const whose = name === undefined ? 'trampolines' : `${name} trampolines`;
  const release = (says: string): Evidence => ({ source: 'release', says });
  if (fewerSlots === undefined) return { count: slots, evidence: release(`${whose} pass ${slots} registers`) };
  const since = CHANGES[fewerSlots.before].since.join('.');
  if (kernel.change(fewerSlots.before).has === true)
    return { count: slots, evidence: release(`${whose} pass ${slots} arguments since ${since}`) };
  const says = `kernel ${kernel.release ?? 'of unknown release'}: ${whose} pass ${fewerSlots.slots} registers before ${since}`;
  return { count: fewerSlots.slots, evidence: release(says) };
}
