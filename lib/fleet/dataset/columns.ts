import type { Coded } from '../rows/columns.js';

/** What a cell holds: null where the kernel's files do not tell. */
export type Cell = string | number | bigint | boolean | Uint8Array | null;

/** A column of a table as it is written. */
export interface Column {
  readonly name: string;
  readonly type: 'STRING' | 'INT32' | 'INT64' | 'BOOLEAN' | 'BYTE_ARRAY';
  readonly data: Cell[];
  /** Whether rows are in its order: what a question looks up. No cell is null then. */
  readonly sorted?: true;
  /** Whether no cell is null, of any kernel. */
  readonly required?: true;
}

/** A column of texts. */
export function texts(name: string, data: readonly (string | null)[]): Column {
  return { name, type: 'STRING', data: data as Cell[] };
}

/** What rows are in the order of. */
export function sorted(column: Column): Column {
  return { ...column, sorted: true };
}

export function required(column: Column): Column {
  return { ...column, required: true };
}

/** A column whose texts are those of a coded one. */
export function coded<T>(name: string, column: Coded<T>, text: (value: T) => string | null): Column {
  return { name, type: 'STRING', data: decode(column, text) };
}

/** Whole numbers of at most 53 bits; NaN is null. */
export function numbers(name: string, values: ArrayLike<number>): Column {
  const data = new Array<Cell>(values.length);
  for (let row = 0; row < data.length; row++) data[row] = Number.isNaN(values[row]!) ? null : BigInt(values[row]!);
  return { name, type: 'INT64', data };
}

/** The cells of a coded column: one for each of its values, and not for each row. */
export function decode<T>({ codes, values }: Coded<T>, cell: (value: T) => Cell): Cell[] {
  const cells = values.map(cell);
  const data = new Array<Cell>(codes.length);
  for (let row = 0; row < data.length; row++) data[row] = cells[codes[row]!]!;
  return data;
}
