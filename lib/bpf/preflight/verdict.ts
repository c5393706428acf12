import type { Certainty, Errno, Verdict } from '../../evidence.js';
import type { ReasonCode } from '../../reasons.js';

/** A verdict that rests on one observation. */
export function accepted(source: string, says: string, code: ReasonCode = 'accepted', certainty: Certainty = 'proven'): Verdict {
  return { outcome: 'accepted', code, certainty, because: [{ source, says }] };
}

export function refused(code: ReasonCode, errno: Errno, source: string, says: string, certainty: Certainty = 'proven'): Verdict {
  return { outcome: 'refused', code, certainty, errno, because: [{ source, says }] };
}

/** What the file and the kernel do not tell; `says` names what would settle it. */
export function untold(code: ReasonCode, source: string, says: string): Verdict {
  return { outcome: 'open', code, certainty: 'open', because: [{ source, says }] };
}
