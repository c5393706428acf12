/** What a compiler's suffix says of a function, and of a probe at its first instruction. */
export interface Clone {
  /** `cold`, `isra`, `constprop` … */
  readonly suffix: string;
  /** The name in the source. */
  readonly base: string;
  /** Whether its arguments are where the prototype and the calling convention put them. */
  readonly keepsArguments: boolean;
  readonly says: string;
}

const KINDS: Readonly<Record<string, { readonly keepsArguments: boolean; readonly says: string }>> = {
  cold: {
    keepsArguments: false,
    says: 'the unlikely part of BASE, reached by a jump from it: a probe here sees only runs that take that path, in the middle of BASE, with no arguments in their places',
  },
  part: {
    keepsArguments: false,
    says: 'a part of BASE that the compiler split off (-fpartial-inlining): a probe here sees only runs that go on into it, with arguments of its own',
  },
  isra: {
    keepsArguments: false,
    says: 'a copy of BASE with changed parameters (-fipa-sra): some are left out, or passed by value in place of a pointer',
  },
  constprop: {
    keepsArguments: false,
    says: 'a copy of BASE for calls with constant arguments (-fipa-cp-clone): those are not passed, and a probe here sees these calls alone',
  },
  clone: { keepsArguments: false, says: 'a copy of BASE that the compiler made' },
  llvm: { keepsArguments: true, says: 'BASE, static, renamed for ThinLTO: it is called as the prototype says' },
  lto_priv: { keepsArguments: true, says: 'BASE, static, renamed for LTO: it is called as the prototype says' },
};

const OTHER = { keepsArguments: false, says: 'made of BASE by the compiler' };

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
  const { keepsArguments, says } = KINDS[suffix] ?? OTHER;
  return { suffix, base, keepsArguments, says: says.replaceAll('BASE', base) };
}
