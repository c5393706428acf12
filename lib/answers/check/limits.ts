import type { ReasonCode } from '../../reasons.js';
import type { Audit, Tally } from '../audit.js';

/** A figure of an audit: how many, and a few names of them. */
export interface Figure {
  readonly count: number;
  readonly examples: readonly string[];
}

export interface Limitable {
  /** What is counted, behind `at most N`. */
  readonly says: string;
  /** @param code counts one reason alone, where the figure has reasons */
  figure(audit: Audit, code: ReasonCode | undefined): Figure;
  /** Whether it can be limited by reason. */
  readonly byReason?: true;
}

/** The figures of an audit that a list can limit. */
export const LIMITS: Readonly<Record<string, Limitable>> = {
  duplicates: { says: 'names that several functions share', figure: ({ duplicates }) => count(duplicates.names) },
  'duplicate-functions': { says: 'functions with such names', figure: ({ duplicates }) => count(duplicates.functions) },
  'first-untraceable': {
    says: 'names whose first function cannot be traced while a later one can',
    figure: ({ duplicates }) => names(duplicates.firstUntraceable),
  },
  'shared-with-data': { says: 'function names that data shares', figure: ({ sharedWithData }) => names(sharedWithData) },
  'without-btf': { says: 'text names without a BTF function', figure: ({ missingBtf }, code) => sum(missingBtf, code), byReason: true },
  'btf-without-symbol': { says: 'BTF functions without a symbol', figure: ({ btf }) => count(btf?.withoutSymbol ?? 0) },
  'kprobe-by-name': {
    says: 'names for which the kernel does not accept a kprobe',
    figure: ({ kprobeByName }, code) => sum(kprobeByName, code),
    byReason: true,
  },
  'kprobe-by-address': {
    says: 'addresses at which the kernel does not accept a kprobe',
    figure: ({ kprobeByAddress }, code) => sum(kprobeByAddress, code),
    byReason: true,
  },
  fentry: { says: 'BTF functions to which fentry cannot attach', figure: ({ fentry }, code) => sum(fentry, code), byReason: true },
};

/** A figure by the name that a list calls it. */
export type LimitName = string;

/** The figure, and what it counts. */
export function figureOf(audit: Audit, name: LimitName, code: ReasonCode | undefined): Figure & { readonly says: string } {
  const { says, figure } = LIMITS[name]!;
  return { says: code === undefined ? says : `${says}, for ${code}`, ...figure(audit, code) };
}

/** Whether a figure can be limited by reason. */
export function hasReasons(name: LimitName): boolean {
  return LIMITS[name]?.byReason === true;
}

function count(count: number): Figure {
  return { count, examples: [] };
}

function names(examples: readonly string[]): Figure {
  return { count: examples.length, examples: examples.slice(0, 3) };
}

/** All that is not accepted, or one reason. */
function sum(tally: Tally, code: ReasonCode | undefined): Figure {
  const counted = tally.filter(entry => (code === undefined ? entry.code !== 'accepted' : entry.code === code));
  return {
    count: counted.reduce((total, entry) => total + entry.count, 0),
    examples: counted.flatMap(({ examples }) => examples).slice(0, 3),
  };
}
