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
  readonly entry: Verdict;
  readonly return: Verdict;
  readonly abi?: CallingConvention;
  readonly signature?: Signature;
}
