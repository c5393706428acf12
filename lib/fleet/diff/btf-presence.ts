import { REASONS } from '../../reasons.js';
import type { Difference } from './difference.js';
import type { Side, Sides } from './sides.js';

/**
 * Functions of both kernels of which one alone has a FUNC, with the reason why the other lacks it. In BTF alone a function without a FUNC can't be told
 * from one that does not exist: its name is in the list all the same.
 */
export function* btfChanges({ old, new: now }: Sides): Generator<Difference> {
  const [before, after] = [old.functions(), now.functions()];
  const [rows, others] = [old.names(), now.names()];
  for (const [name, row] of rows) {
    const other = others.get(name);
    if (other === undefined && now.hasSymbols) continue;
    const [had, has] = [before.hasBtf[row] === 1, other !== undefined && after.hasBtf[other] === 1];
    if (had === has) continue;
    const reason = had
      ? other === undefined
        ? 'the symbols of the kernel would tell whether it exists'
        : whyNot(now, name)
      : whyNot(old, name);
    yield change(name, had, reason);
  }
  if (old.hasSymbols) return;
  for (const [name, row] of others)
    if (after.hasBtf[row] === 1 && !rows.has(name))
      yield change(name, false, 'the symbols of the old kernel would tell whether it had one');
}

function change(name: string, had: boolean, says: string): Difference {
  return { kind: 'btf', change: had ? 'gone' : 'new', effect: had ? 'breaks' : 'adds', name, says };
}

/** `pahole-static: …` */
function whyNot(side: Side, name: string): string {
  const { code, certainty } = side.absence().verdict(name);
  const doubt = certainty === 'proven' ? '' : ` (${certainty})`;
  return `${code}${doubt}: ${REASONS[code]}`;
}
