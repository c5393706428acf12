import { type Certainty, type Errno, type Evidence, type Outcome, untold, type Verdict } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { REASONS, type ReasonCode } from '../reasons.js';

export { accepted, refused, untold } from '../evidence.js';

/** What a rule comes to. Audits ask for tens of thousands: what it rests on is put into words when someone reads it. */
export interface Decision {
  readonly outcome: Outcome;
  readonly code: ReasonCode;
  /** What the kernel answers with where it refuses. */
  readonly errno?: Errno;
  readonly certainty: Certainty;
  readonly because: () => readonly Evidence[];
}

/** A rule about subjects of one kind; undefined if it does not apply, and the next one is asked. */
export type Rule<Rules, Subject, Result = Decision> = (rules: Rules, subject: Subject) => Result | undefined;

/** The first of some rules that applies. */
export function firstOf<Rules, Subject, Result = Decision>(
  list: readonly Rule<Rules, Subject, Result>[],
  rules: Rules,
  subject: Subject,
): Result | undefined {
  for (const rule of list) {
    const decision = rule(rules, subject);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

/** How sure an acceptance is: without the blacklist, or the tables of what the kernel patches, a refusal may have been missed. */
export function certaintyOfAcceptance({ pieces, image }: KernelFacts): Certainty {
  return pieces.blacklist() === undefined || image === undefined ? 'likely' : 'proven';
}

/** What can't be told of a kernel whose symbols are missing: of its BTF alone. Undefined where they are there. */
export function withoutSymbols({ symbolsMissing }: KernelFacts, more?: () => readonly Evidence[]): Decision | undefined {
  if (symbolsMissing === undefined) return undefined;
  return untold('symbols-unknown', () => [...(more?.() ?? []), { source: 'kallsyms', says: symbolsMissing }]);
}

/** The less certain of two. */
export function leastOf(one: Certainty, other: Certainty): Certainty {
  return ORDER[Math.min(ORDER.indexOf(one), ORDER.indexOf(other))]!;
}

const ORDER: readonly Certainty[] = ['open', 'likely', 'proven'];

/** The decision in words. */
export function verdictOf({ outcome, code, errno, certainty, because }: Decision): Verdict {
  const evidence = because();
  return {
    outcome,
    code,
    certainty,
    ...(errno === undefined ? {} : { errno }),
    because: evidence.length > 0 ? evidence : [{ source: 'kallsyms', says: REASONS[code] }],
  };
}
