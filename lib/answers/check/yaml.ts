import { Composer, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, Parser } from 'yaml';
import { RequirementsError } from './problems.js';

/** A value of a list with its place. Keys of a map are in the order of the file, and each occurs once. */
export type ListValue =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly at: ListPlace }
  | { readonly kind: 'list'; readonly items: readonly ListValue[]; readonly at: ListPlace }
  | { readonly kind: 'map'; readonly entries: readonly ListEntry[]; readonly at: ListPlace };

/** A key with its value. */
export interface ListEntry {
  readonly key: string;
  readonly keyAt: ListPlace;
  readonly value: ListValue;
}

/** From 1. */
export interface ListPlace {
  readonly line: number;
  readonly column: number;
}

/** The library takes a second for a megabyte of well-formed text, and square time for some that is not. */
const LARGEST = 256 << 10;
/** A list nests five deep. */
const DEEPEST = 16;
/** As many as `maxAliasCount` of the library, which counts when values are made: here, nodes are read instead. */
const MOST_ALIASES = 100;
/** Values that aliases may make of a list. */
const MOST_VALUES = 200_000;

/**
 * Reads YAML 1.2, of which JSON is a part, with the place of each value. The steps of the library are called one by one: so that it ends at
 * the first error, and at what is nested too deep, before it composes nodes, which it does by recursion.
 * @throws RequirementsError
 */
export async function readYaml(text: string, name: string): Promise<ListValue> {
  if (text.length > LARGEST)
    throw new RequirementsError(name, [{ line: 1, column: 1, message: `is larger than ${LARGEST >> 10} KiB: split it` }]);
  const lines = new LineCounter();
  const fail = (offset: number, message: string): never => {
    throw new RequirementsError(name, [{ ...placeOf(lines, offset), message }]);
  };
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, merge: false, version: '1.2', schema: 'core' });
  let document: Document.Parsed | undefined;
  const take = (composed: Iterable<Document.Parsed>): void => {
    for (const next of composed) {
      const [error] = next.errors;
      if (error !== undefined) fail(error.pos[0], firstLine(error.message));
      if (document !== undefined) fail(next.range[0], 'a second document begins here: one is expected');
      document = next;
    }
  };
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    if (token.type === 'error') fail(token.offset, firstLine(token.message));
    if (token.type === 'document') {
      const deep = tooDeep(token);
      if (deep !== undefined) fail(deep, `is nested deeper than ${DEEPEST}`);
    }
    take(composer.next(token));
  }
  take(composer.end(false, text.length));
  const contents = document?.contents ?? undefined;
  if (contents === undefined) return fail(0, 'is empty: a list of functions is expected');
  return new Values(document!, lines, fail).read(contents, 0);
}

function firstLine(message: string): string {
  return message.split('\n')[0]!.slice(0, 200);
}

function placeOf(lines: LineCounter, offset: number): ListPlace {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** A node of the library's concrete syntax, as far as it is looked at here. */
interface SyntaxNode {
  readonly offset?: number;
  readonly value?: unknown;
  readonly items?: readonly { readonly key?: unknown; readonly value?: unknown }[];
}

/** Where a document goes too deep; undefined if it does not. */
function tooDeep(document: object): number | undefined {
  const pending: [node: SyntaxNode, depth: number][] = [[document as SyntaxNode, 0]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, depth] = next;
    if (depth > DEEPEST) return node.offset ?? 0;
    for (const { key, value } of node.items ?? [{ key: undefined, value: node.value }]) {
      for (const child of [key, value]) if (typeof child === 'object' && child !== null) pending.push([child, depth + 1]);
    }
  }
  return undefined;
}

/** Turns the library's nodes into values. */
class Values {
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #fail: (offset: number, message: string) => never;
  #aliases = 0;
  #count = 0;

  constructor(document: Document.Parsed, lines: LineCounter, fail: (offset: number, message: string) => never) {
    this.#document = document;
    this.#lines = lines;
    this.#fail = fail;
  }

  read(node: Node | null | undefined, depth: number): ListValue {
    const offset = node?.range?.[0] ?? 0;
    const at = placeOf(this.#lines, offset);
    if (++this.#count > MOST_VALUES) this.#fail(offset, `aliases make more than ${MOST_VALUES} values of this list`);
    // Depth is checked again: an alias can stand for what it is in.
    if (depth > DEEPEST) this.#fail(offset, `is nested deeper than ${DEEPEST}`);
    if (isAlias(node)) {
      if (++this.#aliases > MOST_ALIASES) this.#fail(offset, `more than ${MOST_ALIASES} aliases`);
      const target = node.resolve(this.#document);
      if (target === undefined) this.#fail(offset, `the alias *${node.source} has no anchor`);
      return this.read(target, depth + 1);
    }
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map(item => this.read(item as Node, depth + 1)) };
    if (isMap(node)) return { kind: 'map', at, entries: this.#entries(node.items, depth) };
    if (!isScalar(node)) return { kind: 'scalar', value: null, at };
    const { value } = node;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { kind: 'scalar', value, at };
    return this.#fail(offset, `a value of the type ${node.tag ?? typeof value} has no meaning here`);
  }

  #entries(pairs: readonly { readonly key: unknown; readonly value: unknown }[], depth: number): ListEntry[] {
    const seen = new Set<string>();
    return pairs.map(({ key: keyNode, value }) => {
      const key = this.read(keyNode as Node, depth + 1);
      const offset = (keyNode as Node).range?.[0] ?? 0;
      if (key.kind !== 'scalar') return this.#fail(offset, 'a key has to be a plain word');
      const text = String(key.value);
      if (seen.has(text)) this.#fail(offset, `the key '${text}' occurs twice`);
      seen.add(text);
      return { key: text, keyAt: key.at, value: this.read(value as Node, depth + 1) };
    });
  }
}
