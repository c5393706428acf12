/** Where a row of a table is in an object's file. */
export interface Placed {
  readonly sectionIndex: number;
  /** In bytes, from the start of the section. */
  readonly offset: number;
}

/** The first row, of rows by section and offset, that is at an offset of a section or after it. */
export function firstAt(rows: readonly Placed[], sectionIndex: number, offset: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle]!;
    if (row.sectionIndex < sectionIndex || (row.sectionIndex === sectionIndex && row.offset < offset)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row, of rows by section and offset, that holds a byte of a section. Where several begin there, the last of them is looked at. */
export function rowHolding<T extends Placed & { readonly size: number }>(
  rows: readonly T[],
  sectionIndex: number,
  offset: number,
): T | undefined {
  const row = rows[firstAt(rows, sectionIndex, offset + 1) - 1];
  return row !== undefined && row.sectionIndex === sectionIndex && offset < row.offset + row.size ? row : undefined;
}
