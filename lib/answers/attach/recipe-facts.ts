import type { CallingConvention } from '../../arch/calling-convention.js';
import type { Verdict } from '../../evidence.js';
import type { ProbePlace } from './place.js';
import type { Signature } from './signature.js';

/** At the function's first instruction, or where it returns. */
export type ProbeKind = 'entry' | 'return';

/** What a form is written from. */
export interface RecipeFacts {
  readonly name: string;
  /** The name of the event, which no other of the same answer has. */
  readonly event: string;
  readonly place: ProbePlace;
  /** What the kernel says to a probe there. */
  readonly entry: Verdict;
  /** The same of a return probe; `not-called` where the kernel accepts one that would do harm. */
  readonly return: Verdict;
  /** The calling convention, the same for all functions; absent for architectures without a table. */
  readonly abi?: CallingConvention;
  /** Absent if nothing tells the prototype. */
  readonly signature?: Signature;
}
