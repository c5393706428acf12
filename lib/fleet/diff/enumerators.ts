import { cellOf } from '../rows/columns.js';
import { enumeratorRows } from '../rows/enumerators.js';
import { clipped } from './clipped.js';
import type { Difference } from './difference.js';
import { compareKeyed, type Keyed } from './keyed.js';
import type { OwnTypes, Sides } from './sides.js';

interface Enumerator {
  /** `enum pid_type.PIDTYPE_MAX`; of an enum without a name the enumerator's alone. */
  readonly name: string;
  /** Those of all enums of the name: files may have some of their own. */
  readonly values: ReadonlySet<bigint>;
}

const ENUMERATORS: Keyed<Enumerator> = {
  kind: 'enumerators',
  name: ({ name }) => name,
  text: ({ values }) => [...values].join(', '),
  fields: [],
};

export function* enumeratorChanges({ old, new: now }: Sides): Generator<Difference> {
  yield* compareEnumerators({ btf: old.kernel.btf!, first: 1 }, { btf: now.kernel.btf!, first: 1 });
}

export function* compareEnumerators(old: OwnTypes, now: OwnTypes): Generator<Difference> {
  const [before, after] = [enumeratorsOf(old), enumeratorsOf(now)];
  yield* compareKeyed(ENUMERATORS, before.values(), after.values());
  for (const { name, values } of before.values()) {
    const others = after.get(name)?.values ?? values;
    const [was, is] = [missingFrom(values, others), missingFrom(others, values)];
    // Where one kernel has an enum more of the name, its value is no other one.
    if (was.length > 0 && is.length > 0)
      yield { kind: 'enumerators', change: 'changed', effect: 'changes', name, field: 'value', old: was.join(', '), new: is.join(', ') };
  }
}

function missingFrom(values: ReadonlySet<bigint>, others: ReadonlySet<bigint>): bigint[] {
  return [...values].filter(value => !others.has(value));
}

/** `enum pid_type.PIDTYPE_MAX`, of all enumerators. */
export function enumeratorNames(types: OwnTypes): Iterable<string> {
  return enumeratorsOf(types).keys();
}

/** By name: in C all enumerators share one scope. */
function enumeratorsOf({ btf, first }: OwnTypes): Map<string, Enumerator> {
  const rows = enumeratorRows({ btf }, first);
  const found = new Map<string, { readonly name: string; readonly values: Set<bigint> }>();
  for (let row = 0; row < rows.count; row++) {
    const owner = clipped(cellOf(rows.enum, row));
    const own = clipped(rows.name[row]!);
    const name = owner === '' ? own : `enum ${owner}.${own}`;
    const known = found.get(name);
    if (known === undefined) found.set(name, { name, values: new Set([rows.value[row]!]) });
    else known.values.add(rows.value[row]!);
  }
  return found;
}
