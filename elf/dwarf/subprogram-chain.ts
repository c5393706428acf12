import { NO_STRING, type StringHandle } from './debug-strings.js';
import type { SubprogramTable } from './subprogram-table.js';
import type { Unit } from './unit.js';
import type { UnitList } from './unit-list.js';

/** A row that another refers to. */
export interface SubprogramLink {
  readonly unit: Unit;
  /** The subprograms of the unit. */
  readonly table: SubprogramTable;
  readonly row: number;
  /** How the one in front refers to it. */
  readonly by: 'itself' | 'abstract-origin' | 'specification';
}

/** Entries that refer to each other in a circle are damage; the chain of a function has three mostly. */
const LONGEST_CHAIN = 8;

/**
 * The rows from one to the last that it refers to: its abstract origin, the declaration of that, each with the unit it is in. The first is
 * the row itself.
 */
export function subprogramChain(units: UnitList, unit: Unit, row: number): readonly SubprogramLink[] {
  const links: SubprogramLink[] = [{ unit, table: unit.subprograms, row, by: 'itself' }];
  for (let last = links[0]!; links.length < LONGEST_CHAIN; ) {
    const by = last.table.origin[last.row]! >= 0 ? 'abstract-origin' : 'specification';
    const to = by === 'abstract-origin' ? last.table.origin[last.row]! : last.table.specification[last.row]!;
    if (to < 0) break;
    const next = units.unitContaining(to, last.unit);
    if (next === undefined) break;
    const table = next.subprograms;
    const at = table.rowAt(to);
    if (at < 0 || links.some(link => link.table === table && link.row === at)) break;
    last = { unit: next, table, row: at, by };
    links.push(last);
  }
  return links;
}

/** The handle of a row's name, its own or that of what it refers to. */
export function subprogramName(units: UnitList, unit: Unit, row: number): StringHandle {
  const { name, origin, specification } = unit.subprograms;
  if (name[row]! >= 0) return name[row]!;
  if (origin[row]! < 0 && specification[row]! < 0) return NO_STRING;
  for (const { table, row: at } of subprogramChain(units, unit, row)) if (table.name[at]! >= 0) return table.name[at]!;
  return NO_STRING;
}
