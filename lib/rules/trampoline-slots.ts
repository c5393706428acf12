import { EM } from '../../elf/constants.js';
import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { atLeast } from '../facts/release.js';

const MOST_SLOTS = 12;

/** How many argument registers a trampoline passes: 6 on x86-64 before 6.6 (473e3150e30a), 8 on arm64, else 12. */
export function mostSlots({ machine, release, symbols }: KernelFacts): { count: number; evidence: Evidence } {
  if (machine === EM.AARCH64) return { count: 8, evidence: { source: 'release', says: 'arm64 trampolines pass 8 registers' } };
  if (machine !== EM.X86_64)
    return { count: MOST_SLOTS, evidence: { source: 'release', says: `trampolines pass ${MOST_SLOTS} registers` } };
  if (symbols.lookup('get_nr_used_regs') !== undefined || atLeast(release, 6, 6) === true) {
    return { count: MOST_SLOTS, evidence: { source: 'release', says: 'x86-64 trampolines pass 12 arguments since 6.6' } };
  }
  return {
    count: 6,
    evidence: { source: 'release', says: `kernel ${release ?? 'of unknown release'}: x86-64 trampolines pass 6 registers before 6.6` },
  };
}
