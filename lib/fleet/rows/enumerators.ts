import type { TypeId } from '../../../btf/ids.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type Coded, CodedBuilder, orderByName } from './columns.js';

/** The enumerators of a kernel in columns, in the order of the enums' names, and those of one in its own. Enums without a name have ''. */
export interface EnumeratorRows {
  readonly count: number;
  readonly enum: Coded<string>;
  /** The type in BTF: several enums may have a name, or none. */
  readonly typeId: Uint32Array;
  readonly name: readonly string[];
  /** As signed 64-bit numbers. */
  readonly value: BigInt64Array;
}

/** Reads the enums of the BTF; none without. @param first the id to begin at @throws FormatError */
export function enumeratorRows({ btf }: Pick<KernelFacts, 'btf'>, first: TypeId = 1): EnumeratorRows {
  const enums: { readonly id: number; readonly name: string; readonly values: readonly { name: string; value: number | bigint }[] }[] = [];
  for (let id = first; id < (btf?.count ?? 0); id++) {
    const kind = btf!.kindOf(id);
    if (kind !== 'ENUM' && kind !== 'ENUM64') continue;
    const type = btf!.type(id);
    if (type.kind === 'ENUM' || type.kind === 'ENUM64') enums.push(type);
  }
  const sorted = Array.from(orderByName(enums.map(({ name }) => name)), row => enums[row]!);
  const count = sorted.reduce((sum, { values }) => sum + values.length, 0);
  const rows = {
    count,
    enum: new CodedBuilder<string>(count),
    typeId: new Uint32Array(count),
    name: new Array<string>(count),
    value: new BigInt64Array(count),
  };
  let row = 0;
  for (const { id, name, values } of sorted) {
    for (const each of values) {
      rows.enum.set(row, name);
      rows.typeId[row] = id;
      rows.name[row] = each.name;
      rows.value[row] = BigInt.asIntN(64, BigInt(each.value));
      row++;
    }
  }
  return rows;
}
