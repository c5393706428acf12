import type { Errno, Outcome } from '../../evidence.js';
import type { ReasonCode } from '../../reasons.js';
import type { Decision } from '../../rules/decision.js';
import type { Coded } from './columns.js';

/** What a decision comes to, without what it rests on. */
export type ShortVerdict = Pick<Decision, 'outcome' | 'code' | 'errno'>;

/** A column of verdicts: a kernel gives few different ones, and they are told apart without a text for each. */
export class VerdictColumn implements Coded<ShortVerdict> {
  readonly codes: Uint32Array;
  readonly values: ShortVerdict[] = [];

  constructor(rows: number) {
    this.codes = new Uint32Array(rows);
  }

  /** @returns the code, for rows of the same name */
  set(row: number, { outcome, code, errno }: Decision): number {
    const index = this.#indexOf(outcome, code, errno);
    this.codes[row] = index;
    return index;
  }

  #indexOf(outcome: Outcome, code: ReasonCode, errno: Errno | undefined): number {
    const { values } = this;
    for (let i = 0; i < values.length; i++) {
      const known = values[i]!;
      if (known.code === code && known.errno === errno && known.outcome === outcome) return i;
    }
    values.push(errno === undefined ? { outcome, code } : { outcome, code, errno });
    return values.length - 1;
  }
}
