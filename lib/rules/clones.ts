import type { Evidence, Verdict } from '../evidence.js';

/** What a compiler's suffix says about a function, and of a probe at its first instruction. */
export interface Clone {
  /** `cold`, `isra`, `constprop` … */
  readonly suffix: string;
  /** The name in the source. */
  readonly base: string;
  /** Whether its arguments are where the prototype and the calling convention put them. */
  readonly keepsArguments: boolean;
  /** Whether it is entered by a call: what is jumped to has no return address of its own, which a return probe would take. */
  readonly called: boolean;
  readonly says: string;
}

const KINDS: Readonly<Record<string, { readonly keepsArguments: boolean; readonly called?: false; readonly says: string }>> = {
  cold: {
    keepsArguments: false,
    called: false,
    says: 'the unlikely part of BASE, reached by a jump from it: a probe here sees only calls that take that path, in the middle of BASE, where the arguments are no longer in their registers',
  },
  part: {
    keepsArguments: false,
    says: 'a part of BASE that the compiler split off (-fpartial-inlining): a probe here sees only calls that reach it, with its own arguments',
  },
  isra: {
    keepsArguments: false,
    says: 'a copy of BASE with changed parameters (-fipa-sra): some are removed, or passed by value instead of by pointer',
  },
  constprop: {
    keepsArguments: false,
    says: 'a copy of BASE for calls with constant arguments (-fipa-cp-clone): constants are not passed, and a probe here sees only these calls',
  },
  clone: { keepsArguments: false, says: 'a copy of BASE that the compiler made' },
  llvm: { keepsArguments: true, says: 'BASE, static, renamed for ThinLTO: callers pass what the prototype says' },
  lto_priv: { keepsArguments: true, says: 'BASE, static, renamed for LTO: callers pass what the prototype says' },
};

const OTHER: (typeof KINDS)[string] = { keepsArguments: false, says: 'made of BASE by the compiler' };

/** What a name with suffixes stands for: of several, the one that changes most counts. Undefined for a name without a dot. */
export function cloneOf(name: string): Clone | undefined {
  const dot = name.indexOf('.');
  if (dot <= 0) return undefined;
  const base = name.slice(0, dot);
  const suffixes = name
    .slice(dot + 1)
    .split('.')
    .filter(part => !/^\d*$/.test(part));
  const order = ['cold', 'part', 'isra', 'constprop'];
  const suffix = order.find(kind => suffixes.includes(kind)) ?? suffixes[0] ?? '';
  const { keepsArguments, called = true, says } = KINDS[suffix] ?? OTHER;
  return { suffix, base, keepsArguments, called, says: says.replaceAll('BASE', base) };
}

/**
 * Why a return probe does harm to what is entered by a jump; undefined for what is called. The kernel accepts one at the start of any
 * symbol, and arch_prepare_kretprobe() puts the address of its trampoline where a call leaves the return address: x86 has a word of the
 * caller's frame there, other architectures a register that the caller takes back from its frame, so that the probe stays on the task's
 * list and answers for the next.
 */
export function returnHarm(clone: Clone | undefined): Evidence | undefined {
  if (clone === undefined || clone.called) return undefined;
  const says = `a return probe is accepted, but overwrites the word where a call leaves the return address: ${clone.base} jumps here, so that word is in its frame`;
  return { source: 'kernel', says };
}

/** The answer for a return probe on a function: the kernel's, except where the kernel accepts one that does harm. */
export function returnOf(clone: Clone | undefined, verdict: Verdict): Verdict {
  const harm = verdict.outcome === 'refused' ? undefined : returnHarm(clone);
  return harm === undefined ? verdict : { outcome: 'refused', code: 'not-called', certainty: 'proven', because: [harm] };
}
