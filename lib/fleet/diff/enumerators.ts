import { cellOf } from '../rows/columns.js';
import { enumeratorRows } from '../rows/enumerators.js';
import type { Difference } from './difference.js';
import { compareKeyed, type Keyed } from './keyed.js';
import type { OwnTypes, Sides } from './sides.js';

interface Enumerator {
  /** `enum pid_type.PIDTYPE_MAX`; of an enum without a name the enumerator's alone. */
  readonly name: string;
  readonly value: bigint;
}

const ENUMERATORS: Keyed<Enumerator> = {
  kind: 'enumerators',
  name: ({ name }) => name,
  text: ({ value }) => String(value),
  fields: [{ field: 'value', text: ({ value }) => String(value), effect: 'changes' }],
};

export function* enumeratorChanges({ old, new: now }: Sides): Generator<Difference> {
  if (old.kernel.btf !== undefined && now.kernel.btf !== undefined)
    yield* compareEnumerators({ btf: old.kernel.btf, first: 1 }, { btf: now.kernel.btf, first: 1 });
}

export function compareEnumerators(old: OwnTypes, now: OwnTypes): Generator<Difference> {
  return compareKeyed(ENUMERATORS, enumeratorsOf(old), enumeratorsOf(now));
}

/** `enum pid_type.PIDTYPE_MAX`, of all enumerators. */
export function enumeratorNames(types: OwnTypes): string[] {
  return [...enumeratorsOf(types)].map(({ name }) => name);
}

/** In C all enumerators share one scope, but several files may have their own of a name: the first counts. */
function* enumeratorsOf({ btf, first }: OwnTypes): Generator<Enumerator> {
  const rows = enumeratorRows({ btf }, first);
  for (let row = 0; row < rows.count; row++) {
    const owner = cellOf(rows.enum, row);
    yield { name: owner === '' ? rows.name[row]! : `enum ${owner}.${rows.name[row]}`, value: rows.value[row]! };
  }
}
