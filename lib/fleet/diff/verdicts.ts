import { REASONS, type ReasonCode } from '../../reasons.js';
import { cellOf } from '../rows/columns.js';
import { MECHANISM_WORDS, MECHANISMS } from '../rows/mechanisms.js';
import type { ShortVerdict } from '../rows/verdicts.js';
import type { Difference, Effect, Fate } from './difference.js';
import type { Sides } from './sides.js';

/** What holds for every function of a kernel is told once. */
const OF_KERNEL: ReadonlySet<ReasonCode> = new Set(['no-kprobes', 'no-ftrace', 'no-trampoline', 'no-kprobe-multi', 'no-btf']);

/** What is told of every function. */
export const EVERY_FUNCTION = 'every function';

/**
 * Verdicts that differ, of functions that both kernels have, by name; mechanisms that fare alike share a change. What is open on either side is not
 * compared.
 */
export function* verdictChanges({ old, new: now }: Sides): Generator<Difference> {
  const [before, after] = [old.functions().verdicts, now.functions().verdicts];
  const others = now.names();
  const ofKernel = new Map<string, { readonly change: Omit<Difference, 'says'>; functions: number }>();
  for (const [name, row] of old.names()) {
    const other = others.get(name);
    if (other === undefined) continue;
    const alike = new Map<string, { readonly one: ShortVerdict; readonly two: ShortVerdict; readonly mechanisms: string[] }>();
    for (const mechanism of MECHANISMS) {
      const one = cellOf(before[mechanism], row);
      const two = cellOf(after[mechanism], other);
      if (isSame(one, two) || one.outcome === 'open' || two.outcome === 'open') continue;
      if (OF_KERNEL.has(one.code) || OF_KERNEL.has(two.code)) {
        const change = changeOf(EVERY_FUNCTION, [MECHANISM_WORDS[mechanism]], one, two);
        const keyOf = ({ code, outcome }: ShortVerdict): string => (OF_KERNEL.has(code) ? code : outcome);
        const key = `${mechanism} ${keyOf(one)} ${keyOf(two)}`;
        const known = ofKernel.get(key);
        if (known === undefined) ofKernel.set(key, { change, functions: 1 });
        else known.functions++;
        continue;
      }
      const key = `${textOf(one)} ${textOf(two)}`;
      const known = alike.get(key);
      if (known === undefined) alike.set(key, { one, two, mechanisms: [MECHANISM_WORDS[mechanism]] });
      else known.mechanisms.push(MECHANISM_WORDS[mechanism]);
    }
    for (const { one, two, mechanisms } of alike.values()) yield changeOf(name, mechanisms, one, two);
  }
  for (const { change, functions } of ofKernel.values()) yield { ...change, says: `of the functions that both kernels have, ${functions}` };
}

function isSame(one: ShortVerdict, two: ShortVerdict): boolean {
  return one.code === two.code && one.outcome === two.outcome && one.errno === two.errno;
}

function changeOf(name: string, mechanisms: readonly string[], one: ShortVerdict, two: ShortVerdict): Difference {
  const [change, effect]: [Fate, Effect] =
    one.outcome === two.outcome ? ['reason', 'changes'] : two.outcome === 'refused' ? ['refused', 'breaks'] : ['accepted', 'adds'];
  const field = mechanisms.join(', ');
  return { kind: 'verdicts', change, effect, name, field, old: textOf(one), new: textOf(two), says: saysOf(one, two) };
}

/** `accepted`, `EADDRNOTAVAIL ambiguous-name` */
function textOf({ outcome, code, errno }: ShortVerdict): string {
  return [code === 'accepted' ? '' : (errno ?? outcome), code].filter(Boolean).join(' ');
}

function saysOf(one: ShortVerdict, two: ShortVerdict): string {
  const sentences = [one, two].map(({ code }, i) => (code === 'accepted' ? undefined : `${i === 0 ? 'old' : 'new'}: ${REASONS[code]}`));
  return sentences.filter(sentence => sentence !== undefined).join('; ');
}
