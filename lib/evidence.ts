import type { ReasonCode } from './reasons.js';

/** How certain an answer is: the bytes prove it; the bytes suggest it; the given files do not show it. */
export type Certainty = 'proven' | 'likely' | 'open';

/** One piece of evidence for an answer. */
export interface Evidence {
  /** The source: `.symtab`, `kallsyms`, `__mcount_loc`, `.rela.dyn`, `.BTF`, `.config`, a rule of the kernel or of pahole. */
  readonly source: string;
  /** The address in the image that it is about. */
  readonly address?: bigint;
  /** One plain sentence. */
  readonly says: string;
}

/** The errno values that the kernel returns, by name. */
export type Errno =
  | 'EACCES'
  | 'ENOENT'
  | 'ENOMEM'
  | 'EBUSY'
  | 'EINVAL'
  | 'EOPNOTSUPP'
  | 'EADDRNOTAVAIL'
  | 'ENOTSUPP'
  | 'ESRCH'
  | 'EFAULT'
  | 'EILSEQ';

/** The numbers of {@link Errno}; ENOTSUPP (524) is the kernel's own and has no name in user space. */
export const ERRNO_NUMBERS: Readonly<Record<Errno, number>> = {
  EACCES: 13,
  ENOENT: 2,
  ENOMEM: 12,
  EBUSY: 16,
  EINVAL: 22,
  EOPNOTSUPP: 95,
  EADDRNOTAVAIL: 99,
  ENOTSUPP: 524,
  ESRCH: 3,
  EFAULT: 14,
  EILSEQ: 84,
};

/** Whether the kernel does what it is asked to do. */
export type Outcome = 'accepted' | 'refused' | 'open';

/** An answer to "does the kernel accept this?", with its evidence. */
export interface Verdict {
  /** `open` if the files do not show it: `certainty` is then `open`, and `because` names what would settle it. */
  readonly outcome: Outcome;
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  /** The errno that the kernel returns if it refuses. */
  readonly errno?: Errno;
  readonly because: readonly Evidence[];
}

/** What is decided before it is in words, and after: `Because` is the evidence, or a function that gives it. */
export interface Decided<Because> extends Omit<Verdict, 'because'> {
  readonly because: Because;
}

/** @param errno undefined where something other than the kernel refuses */
export function refused<Because>(
  code: ReasonCode,
  errno: Errno | undefined,
  because: Because,
  certainty: Certainty = 'proven',
): Decided<Because> {
  return errno === undefined ? { outcome: 'refused', code, certainty, because } : { outcome: 'refused', code, certainty, errno, because };
}

/** What can't be told from what was given: the evidence says what would settle it. */
export function untold<Because>(code: ReasonCode, because: Because): Decided<Because> {
  return { outcome: 'open', code, certainty: 'open', because };
}

/** @param code another one where the acceptance has a condition */
export function accepted<Because>(certainty: Certainty, because: Because, code: ReasonCode = 'accepted'): Decided<Because> {
  return { outcome: 'accepted', code, certainty, because };
}

/** The evidence of what rests on one observation. */
export function said(source: string, says: string): readonly Evidence[] {
  return [{ source, says }];
}
