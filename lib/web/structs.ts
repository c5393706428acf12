import type { Btf } from '../../btf/btf.js';
import type { TypeDescriber, TypeDescription } from '../../btf/print/describe.js';
import { isFormatError } from '../../elf/errors.js';
import { MissingError } from '../errors.js';
import { orderByName } from '../fleet/rows/columns.js';
import type { StructData, StructRows } from './page-data.js';

type Struct = TypeDescription & Required<Pick<TypeDescription, 'members' | 'size'>>;

/** The named structs of a BTF with what is unused in them. Damaged ones are left out. */
export function structRows(btf: Btf, types: TypeDescriber): StructRows {
  const found: Struct[] = [];
  for (let id = btf.firstId; id < btf.count; id++) {
    if (btf.kindOf(id) !== 'STRUCT' || btf.nameOf(id) === '') continue;
    const type = described(types, id);
    if (type !== undefined) found.push(type);
  }
  const rows = Array.from(orderByName(found.map(({ name }) => name)), row => found[row]!);
  const holes = rows.map(({ members }) => members.flatMap(({ hole = 0 }) => (hole > 0 ? [hole] : [])));
  return {
    id: rows.map(({ id }) => id),
    name: rows.map(({ name }) => name),
    size: rows.map(({ size }) => size),
    members: rows.map(({ members }) => members.length),
    holes: holes.map(({ length }) => length),
    unused: rows.map(({ padding = 0 }, i) => holes[i]!.reduce((sum, hole) => sum + hole, padding)),
  };
}

/** @throws MissingError where the id is of no struct or union, FormatError for a damaged one */
export function structData(btf: Btf, types: TypeDescriber, id: number): StructData {
  const kind = id > 0 && id < btf.count ? btf.kindOf(id) : 'VOID';
  if (kind !== 'STRUCT' && kind !== 'UNION') throw new MissingError(`type ${id} is no struct`);
  const { name, size, members, padding = 0 } = types.describe(id) as Struct;
  return { id, kind, name, size, padding, members: members.map(({ typeId: _, ...member }) => member) };
}

function described(types: TypeDescriber, id: number): Struct | undefined {
  try {
    return types.describe(id) as Struct;
  } catch (error) {
    if (!isFormatError(error)) throw error;
    return undefined;
  }
}
