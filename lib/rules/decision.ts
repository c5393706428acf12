import type { Errno } from '../evidence.js';
import type { ReasonCode } from '../reasons.js';

/** The outcome of a rule before it is put into words: audits ask for tens of thousands. */
export interface Decision {
  readonly code: ReasonCode;
  /** What the kernel answers with; absent where it accepts, and where it can't be told. */
  readonly errno?: Errno;
}

export const UNKNOWN: Decision = { code: 'sites-unknown' };
export const ACCEPTED: Decision = { code: 'accepted' };
/** What can't be told from what was given. */
export const OPEN: readonly ReasonCode[] = [
  'sites-unknown',
  'entry-patched',
  'not-a-function-entry',
  'error-injection-unknown',
  'instruction-unchecked',
];
