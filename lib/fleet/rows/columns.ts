/** A column whose values are few: that of a row is `values[codes[row]]`. */
export interface Coded<T> {
  readonly codes: Uint32Array;
  readonly values: readonly T[];
}

/** The value of a row. */
export function cellOf<T>({ codes, values }: Coded<T>, row: number): T {
  return values[codes[row]!]!;
}

/** Gathers a coded column, row by row. Values are the same where they are identical. */
export class CodedBuilder<T> implements Coded<T> {
  readonly codes: Uint32Array;
  readonly values: T[] = [];
  readonly #known = new Map<T, number>();

  constructor(rows: number) {
    this.codes = new Uint32Array(rows);
  }

  set(row: number, value: T): void {
    let code = this.#known.get(value);
    if (code === undefined) {
      code = this.values.length;
      this.values.push(value);
      this.#known.set(value, code);
    }
    this.codes[row] = code;
  }
}

/** Rows in the order of their names, as bytes compare; rows of one name keep their order. */
export function orderByName(names: readonly string[]): Uint32Array {
  const order = new Uint32Array(names.length);
  for (let row = 0; row < order.length; row++) order[row] = row;
  return order.sort((a, b) => {
    const one = names[a]!;
    const other = names[b]!;
    return one < other ? -1 : one > other ? 1 : a - b;
  });
}
