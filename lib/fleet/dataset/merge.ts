import type { Cell, Column } from './columns.js';

/** A table of one set, column by column. */
export type TablePart = readonly Column[];

/**
 * Tables of several sets as one: in the order of the column that rows are in the order of, which is the first after `kernel`, and in it set by
 * set. A table without such a column is one after the other.
 */
export function mergeTables(parts: readonly TablePart[]): Column[] {
  const [first] = parts;
  if (first === undefined) return [];
  const rows = parts.map(([column]) => column!.data.length);
  const places = placesOf(
    parts.map(([, key]) => key!),
    rows,
  );
  return first.map((column, i) => {
    const data = new Array<Cell>(places.length);
    let row = 0;
    for (const part of parts) for (const cell of part[i]!.data) data[places[row++]!] = cell;
    return { ...column, data };
  });
}

/** Where each row goes: rows of one key follow each other, in the order they are met. */
function placesOf(keys: readonly Column[], rows: readonly number[]): Uint32Array {
  const count = rows.reduce((sum, each) => sum + each, 0);
  const places = new Uint32Array(count);
  if (keys[0]!.sorted === undefined) return places.map((_, row) => row);
  const counts = new Map<Cell, number>();
  for (const { data } of keys) for (const key of data) counts.set(key, (counts.get(key) ?? 0) + 1);
  const next = new Map<Cell, number>();
  let at = 0;
  for (const key of ([...counts.keys()] as string[]).sort()) {
    next.set(key, at);
    at += counts.get(key)!;
  }
  let row = 0;
  for (const { data } of keys)
    for (const key of data) {
      const place = next.get(key)!;
      places[row++] = place;
      next.set(key, place + 1);
    }
  return places;
}
