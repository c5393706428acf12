import type { ReasonCode } from './reasons.js';

/** How sure an answer is: it follows from the bytes; it is what the bytes suggest; it can't be told from what was given. */
export type Certainty = 'proven' | 'likely' | 'open';

/** One observation that an answer rests on. */
export interface Evidence {
  /** What was looked at: `.symtab`, `kallsyms`, `__mcount_loc`, `.rela.dyn`, `.BTF`, `.config`, a rule of the kernel or of pahole. */
  readonly source: string;
  /** The address in the image that it is about. */
  readonly address?: bigint;
  /** One plain sentence. */
  readonly says: string;
}

/** The errno values that the kernel answers with, by name. */
export type Errno = 'ENOENT' | 'EBUSY' | 'EINVAL' | 'EOPNOTSUPP' | 'EADDRNOTAVAIL' | 'ENOTSUPP' | 'ESRCH';

/** The numbers of {@link Errno}; ENOTSUPP (524) is the kernel's own and has no name in user space. */
export const ERRNO_NUMBERS: Readonly<Record<Errno, number>> = {
  ENOENT: 2,
  EBUSY: 16,
  EINVAL: 22,
  EOPNOTSUPP: 95,
  EADDRNOTAVAIL: 99,
  ENOTSUPP: 524,
  ESRCH: 3,
};

/** What becomes of something that the kernel is asked to do. */
export type Outcome = 'accepted' | 'refused' | 'open';

/** An answer to "does the kernel accept this?", with what it rests on. */
export interface Verdict {
  /** `open` where it can't be told: `certainty` is `open` then, and `because` names what would settle it. */
  readonly outcome: Outcome;
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  /** What the kernel answers with where it refuses. */
  readonly errno?: Errno;
  readonly because: readonly Evidence[];
}
