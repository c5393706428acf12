import type { Json } from './page-data.js';

/**
 * Answers about many functions, small. Answers of one shape, the same keys and lengths of lists, have their leaves in columns; a column that says the
 * same of each function has one value, and equal columns stand once. A function's name and
 * address are marks in texts, which are then equal for two functions. What comes out is what went in.
 */
export interface PackedAnswers {
  /** For each shape the tree, with the number of a column in the place of each leaf. */
  readonly shapes: readonly Json[];
  readonly columns: readonly (readonly Leaf[])[];
  readonly answers: readonly PackedAnswer[];
}

/** The name, the address that others are counted from, in hexadecimal, the shape, and the row in its columns. */
type PackedAnswer = readonly [name: string, origin: string, shape: number, row: number];

type Leaf = string | number | boolean | null;

/** An answer to be packed. */
export interface NamedAnswer {
  readonly name: string;
  /** An address that the answer is about, `0x…`. */
  readonly origin: string;
  readonly answer: Json;
}

/** What stands for the name, and for an address before its distance from the origin. Text that has one of them is left as it is. */
const NAME = '\ue000';
const ADDRESS = '\ue001';
const PLAIN = '\ue002';
const PLACED = /\ue001([0-9a-f]+);/g;
const MARKED = /[\ue000-\ue002]/;
const HEX = /0x[1-9a-f][0-9a-f]{4,15}(?![0-9a-f])/g;
/** Addresses are near, or have nothing to do with the function. */
const NEAR = 0x1_0000n;

/** Leaves of one shape, a list for each answer. */
interface Group {
  readonly tree: Json;
  readonly rows: Leaf[][];
}

export function packAnswers(list: readonly NamedAnswer[]): PackedAnswers {
  const groups = new Map<string, Group>();
  const order = new Map<Group, number>();
  const answers = list.map(({ name, origin, answer }): PackedAnswer => {
    const leaves: Leaf[] = [];
    const mark = marker(name, BigInt(origin));
    const tree = treeOf(answer, leaf => leaves.push(typeof leaf === 'string' ? mark(leaf) : leaf) - 1);
    const key = JSON.stringify(tree);
    let group = groups.get(key);
    if (group === undefined) {
      groups.set(key, (group = { tree, rows: [] }));
      order.set(group, order.size);
    }
    return [name, origin, order.get(group)!, group.rows.push(leaves) - 1];
  });
  const columns: Leaf[][] = [];
  const known = new Map<string, number>();
  const placeOf = (column: Leaf[]): number => {
    const short = column.every(leaf => leaf === column[0]) ? column.slice(0, 1) : column;
    const key = JSON.stringify(short);
    let place = known.get(key);
    if (place === undefined) known.set(key, (place = columns.push(short) - 1));
    return place;
  };
  const shapes = Array.from(order.keys(), ({ tree, rows }) => {
    const places = rows[0]!.map((_, i) => placeOf(rows.map(row => row[i]!)));
    return treeOf(tree, leaf => places[leaf as number]!);
  });
  return { shapes, columns, answers };
}

/** The answer in a row. */
export function unpackAnswer({ shapes, columns, answers }: PackedAnswers, at: number): Json {
  const [name, origin, shape, row] = answers[at]!;
  return treeOf(shapes[shape]!, place => {
    const column = columns[place as number]!;
    const leaf = column[column.length === 1 ? 0 : row]!;
    return typeof leaf === 'string' ? unmarked(leaf, name, BigInt(origin)) : leaf;
  });
}

/** A tree with other leaves. */
function treeOf(value: Json, leafOf: (leaf: Leaf) => Leaf): Json {
  if (typeof value !== 'object' || value === null) return leafOf(value);
  if (isList(value)) return value.map(child => treeOf(child, leafOf));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, treeOf(child, leafOf)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Puts marks into texts. An answer says most of what it says several times. */
function marker(name: string, origin: bigint): (text: string) => string {
  const known = new Map<string, string>();
  return text => {
    let found = known.get(text);
    if (found === undefined) known.set(text, (found = marked(text, name, origin)));
    return found;
  };
}

function marked(text: string, name: string, origin: bigint): string {
  if (MARKED.test(text) || MARKED.test(name)) return `${PLAIN}${text}`;
  const placed = text.replace(HEX, digits => {
    const distance = BigInt(digits) - origin;
    return distance < 0n || distance > NEAR ? digits : `${ADDRESS}${distance.toString(16)};`;
  });
  return name === '' ? placed : placed.replaceAll(name, NAME);
}

/** Names first: one may be made of the digits of a distance. */
function unmarked(text: string, name: string, origin: bigint): string {
  if (!MARKED.test(text)) return text;
  if (text.startsWith(PLAIN)) return text.slice(1);
  return text.replaceAll(NAME, () => name).replace(PLACED, (_, digits: string) => `0x${(origin + BigInt(`0x${digits}`)).toString(16)}`);
}
