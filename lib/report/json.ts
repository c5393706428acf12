import { printableJson } from '../../elf/escape.js';

/** The one JSON of all reports: bigints, which are addresses, become `"0x…"` strings, since a number would round them; maps become objects.
 * What would tell a terminal something is written as `\u009b`. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return hex(item);
    if (item instanceof Map) return Object.fromEntries(item);
    // A list that is made while it is written.
    if (typeof item === 'object' && item !== null && !Array.isArray(item) && Symbol.iterator in item)
      return [...(item as Iterable<unknown>)];
    return item;
  });
  return printableJson(text);
}

/** A document: one line, or of a table a row a line between its first and its last. @param rows the list with the rows, which comes last */
export function* jsonLines(document: object, rows?: string): Generator<string> {
  if (rows === undefined) return yield toJson(document);
  const { [rows]: list, ...head } = document as Readonly<Record<string, unknown>>;
  yield `${toJson(head).slice(0, -1)},${JSON.stringify(rows)}:[`;
  let last: string | undefined;
  for (const row of list as Iterable<object>) {
    if (last !== undefined) yield `${last},`;
    // Without the function of toJson(), which is called for each value: a table has millions.
    last = printableJson(JSON.stringify(row));
  }
  if (last !== undefined) yield last;
  yield ']}';
}

/** A line for each thing in the lists of a document: its own fields, behind the `kernel` of the document. */
export function* ndjsonLines(document: object, lists: readonly string[]): Generator<string> {
  const { kernel, ...fields } = document as Readonly<Record<string, unknown>>;
  const head = toJson({ kernel }).slice(0, -1);
  for (const name of lists)
    for (const item of (fields[name] as Iterable<object> | undefined) ?? [])
      yield `${head}${head === '{' ? '' : ','}${toJson(item).slice(1)}`;
}

/** A number where JSON's have room for it, which is 2^53; else its digits as text. */
export function exact(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
