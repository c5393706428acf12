import { cellOf } from '../rows/columns.js';
import type { FunctionRows } from '../rows/functions.js';
import type { Side, Sides } from './sides.js';

/** The function that stands for one that is gone, and what they have in common. */
export interface Renamed {
  readonly name: string;
  readonly says: string;
}

/** What is known of a function beside its name. */
interface Place {
  readonly name: string;
  /** Of its prototype; undefined without BTF. */
  readonly prototype: number | undefined;
  /** Of local symbols alone: global ones have none in `.symtab`. */
  readonly file: string | undefined;
  /** The functions before and after it that both kernels have. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** More candidates of one file, one prototype or one neighbour are not compared: a prototype such as `void(void)` has thousands. */
const MOST_ALIKE = 64;

/** A pair has to come to this, and to so much more than the next; names with less in common are others. */
const ENOUGH = 4.5;
const MARGIN = 0.5;
const LEAST_ALIKE = 0.4;
/** Characters of a name that are compared. */
const LONGEST = 256;
/** Of a name that is the other and a word behind it, as `__alloc_pages_noprof`. */
const EXTENDED = 0.9;

/**
 * The new names of functions whose old ones are gone, by prototype, source file, place and likeness of the names: a guess, which is made only where
 * each is the best for the other.
 */
export function renames(sides: Sides, gone: readonly string[], added: readonly string[]): ReadonlyMap<string, Renamed> {
  const renamed = new Map<string, Renamed>();
  const left = new Set(added);
  for (const name of gone) {
    const counterpart = ofArchitecture(name, sides);
    if (counterpart === undefined || !left.delete(counterpart)) continue;
    renamed.set(name, { name: counterpart, says: 'the entry of the system call on the other architecture' });
  }
  const others = gone.filter(name => !renamed.has(name));
  const places = { old: placesOf(sides.old, sides.new, others), new: placesOf(sides.new, sides.old, [...left]) };
  for (const [from, to] of bestPairs(places.old, places.new))
    renamed.set(from.name, { name: to.name, says: `likely: ${inCommon(from, to).join(', ')}` });
  return renamed;
}

/** Places of which each is the best for the other. */
function bestPairs(old: readonly Place[], now: readonly Place[]): [Place, Place][] {
  const candidates = candidatesOf(now);
  const best: { readonly from: Place; readonly to: Place; readonly score: number }[] = [];
  const byTarget = new Map<Place, { readonly from: Place; readonly score: number }>();
  for (const from of old) {
    const scored = [...candidates(from)]
      .map(to => ({ to, score: likeness(from, to) }))
      .sort((a, b) => b.score - a.score || (a.to.name < b.to.name ? -1 : 1));
    const [first, second] = scored;
    if (first === undefined || first.score < ENOUGH || first.score - (second?.score ?? 0) < MARGIN) continue;
    best.push({ from, ...first });
    const rival = byTarget.get(first.to);
    if (rival === undefined || rival.score < first.score) byTarget.set(first.to, { from, score: first.score });
  }
  return best.filter(({ from, to }) => byTarget.get(to)!.from === from).map(({ from, to }) => [from, to]);
}

/** `__arm64_sys_read` for `__x64_sys_read`. */
function ofArchitecture(name: string, sides: Sides): string | undefined {
  const [from, to] = [sides.old.kernel.arch.syscalls.modifiable, sides.new.kernel.arch.syscalls.modifiable];
  return from !== undefined && to !== undefined && from !== to && name.startsWith(from) ? to + name.slice(from.length) : undefined;
}

function placesOf(side: Side, other: Side, names: readonly string[]): Place[] {
  const functions = side.functions();
  const rows = side.names();
  const neighbours = neighboursOf(functions, other.names());
  return names.map(name => {
    const row = rows.get(name)!;
    const [before, after] = neighbours(row);
    return { name, prototype: cellOf(functions.prototype, row)?.id, file: cellOf(functions.file, row), before, after };
  });
}

/** The nearest functions by address that the other kernel has too. */
function neighboursOf(
  functions: FunctionRows,
  shared: ReadonlyMap<string, number>,
): (row: number) => [string | undefined, string | undefined] {
  const { anchor, name, count } = functions;
  const order = Uint32Array.from({ length: count }, (_, row) => row)
    .filter(row => !Number.isNaN(anchor[row]!))
    .sort((a, b) => anchor[a]! - anchor[b]!);
  const before = new Int32Array(count).fill(-1);
  const after = new Int32Array(count).fill(-1);
  const walk = (column: Int32Array, rows: Iterable<number>): void => {
    let last = -1;
    for (const row of rows) {
      column[row] = last;
      if (shared.has(name[row]!)) last = row;
    }
  };
  walk(before, order);
  walk(after, order.slice().reverse());
  const nameAt = (row: number): string | undefined => (row < 0 ? undefined : name[row]);
  return row => [nameAt(before[row]!), nameAt(after[row]!)];
}

/** Those that share a file, a prototype or a neighbour. */
function candidatesOf(places: readonly Place[]): (place: Place) => Iterable<Place> {
  const keys = ({ prototype, file, before, after }: Place): string[] => [
    ...(prototype === undefined ? [] : [`p${prototype}`]),
    ...(file === undefined ? [] : [`f${file}`]),
    ...(before === undefined ? [] : [`b${before}`]),
    ...(after === undefined ? [] : [`a${after}`]),
  ];
  const byKey = new Map<string, Place[]>();
  for (const place of places)
    for (const key of keys(place)) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [place]);
      else known.push(place);
    }
  return place =>
    new Set(
      keys(place).flatMap(key => {
        const alike = byKey.get(key) ?? [];
        return alike.length > MOST_ALIKE ? [] : alike;
      }),
    );
}

function likeness(a: Place, b: Place): number {
  const name = nameLikeness(a.name, b.name);
  if (name < LEAST_ALIKE) return 0;
  const prototype = a.prototype === undefined || b.prototype === undefined ? 0 : a.prototype === b.prototype ? 1.5 : -1;
  const file = a.file === undefined || b.file === undefined ? 0 : a.file === b.file ? 1 : -2;
  const near = (a.before !== undefined && a.before === b.before ? 1 : 0) + (a.after !== undefined && a.after === b.after ? 1 : 0);
  return prototype + file + near + 3 * name;
}

function inCommon(a: Place, b: Place): string[] {
  return [
    ...(a.prototype !== undefined && a.prototype === b.prototype ? ['the same prototype'] : []),
    ...(a.file !== undefined && a.file === b.file ? [`in ${a.file}`] : []),
    ...(a.before !== undefined && a.before === b.before ? [`behind ${a.before}`] : []),
    ...(a.after !== undefined && a.after === b.after ? [`before ${a.after}`] : []),
  ];
}

/** Sørensen and Dice's coefficient of the pairs of characters, underscores at the ends left out: 1 for names that differ in those alone. */
function nameLikeness(a: string, b: string): number {
  const [one, other] = [a, b].map(name => bareName(name).slice(0, LONGEST)) as [string, string];
  if (one.startsWith(`${other}_`) || other.startsWith(`${one}_`)) return EXTENDED;
  const [pairs, others] = [pairsOf(one), pairsOf(other)];
  let shared = 0;
  for (const [pair, count] of pairs) shared += Math.min(count, others.get(pair) ?? 0);
  const total = Math.max(0, one.length - 1) + Math.max(0, other.length - 1);
  return total === 0 ? 0 : (2 * shared) / total;
}

/** Without the underscores at its ends. */
export function bareName(name: string): string {
  return name.replace(/^_+|_+$/g, '');
}

function pairsOf(text: string): Map<string, number> {
  const pairs = new Map<string, number>();
  for (let at = 0; at + 1 < text.length; at++) {
    const pair = text.slice(at, at + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}
