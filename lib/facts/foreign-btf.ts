import type { KernelFacts } from './kernel-facts.js';

/**
 * The share of BTF's functions without a symbol of their name above which it counts as another kernel's, in percent. Of Debian's 6.1 and
 * 6.12 for amd64 and arm64 0.4 at most are without one in their own kernel, and 5.6 to 18.4 in each other's.
 */
const FOREIGN = 4;

/** What shows that the BTF which was given instead of the kernel's own is another kernel's: a sentence; undefined if nothing does. */
export function foreignBtf(kernel: KernelFacts): string | undefined {
  const { btf, source, buildId } = kernel.pieces.btf() ?? {};
  if (btf === undefined) return undefined;
  const { names, length } = btf.functions();
  const { index } = kernel.symbols;
  let missing = 0;
  for (const offset of names) if (index.firstOf(btf.strings.bytes, offset) < 0) missing++;
  const doubt = 'answers that use BTF may be wrong';
  if (missing * 100 > length * FOREIGN)
    return `${source} looks like the BTF of another kernel: ${missing} of its ${length} functions have no symbol here: ${doubt}`;
  if (buildId === undefined || kernel.buildId === undefined || buildId === kernel.buildId) return undefined;
  return `${source} is from a different build, ${buildId}, than the kernel, ${kernel.buildId}: ${doubt}`;
}
