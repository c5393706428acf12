const FIRST_ROOM = 64;
const NO_FLOATS = new Float64Array(0);
const NO_WORDS = new Uint32Array(0);
const NO_BYTES = new Uint8Array(0);

/** A column of numbers that grows: what a table is collected in before its length is known. */
export class Column<T extends Float64Array | Uint32Array | Int32Array | Uint8Array | Uint16Array> {
  length = 0;
  #values: T;
  readonly #create: (length: number) => T;

  /** @param empty what it is before it has a value: units of a few bytes have a dozen such columns, of which all are empty */
  constructor(create: (length: number) => T, empty: T) {
    this.#create = create;
    this.#values = empty;
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#create(Math.max(FIRST_ROOM, this.length * 2));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** The values, without the room for more. */
  done(): T {
    return this.length === this.#values.length ? this.#values : (this.#values.slice(0, this.length) as T);
  }
}

export function float64Column(): Column<Float64Array> {
  return new Column(length => new Float64Array(length), NO_FLOATS);
}

export function uint32Column(): Column<Uint32Array> {
  return new Column(length => new Uint32Array(length), NO_WORDS);
}

export function uint8Column(): Column<Uint8Array> {
  return new Column(length => new Uint8Array(length), NO_BYTES);
}

/** Index of the last value that is not above `value` in an ascending column; -1 where all are. */
export function lastNotAbove(values: Float64Array | Uint32Array, value: number, from = 0, to: number = values.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low === from ? -1 : low - 1;
}
