import { cellOf } from '../rows/columns.js';
import type { FunctionRows } from '../rows/functions.js';
import type { Difference } from './difference.js';
import { renames } from './renames.js';
import type { Side, Sides } from './sides.js';

/** What the compiler left of a function: itself, and the clones and parts that it made of it. */
interface Forms {
  readonly whole: boolean;
  /** `vfs_read.isra.0` */
  readonly clones: readonly string[];
}

/**
 * Functions that are gone, new, renamed, or have become clones. A name with a suffix of the compiler is the function before the dot: the numbers after
 * it change with every build.
 */
export function* functionChanges(sides: Sides): Generator<Difference> {
  const { old: before, new: after } = { old: formsOf(sides.old.functions()), new: formsOf(sides.new.functions()) };
  const gone = [...before].filter(([name, { whole }]) => whole && !after.has(name)).map(([name]) => name);
  const added = [...after].filter(([name, { whole }]) => whole && !before.has(name)).map(([name]) => name);
  const renamed = renames(sides, gone, added);
  for (const name of gone) {
    const to = renamed.get(name);
    if (to !== undefined) yield { kind: 'functions', change: 'renamed', effect: 'breaks', name, old: name, new: to.name, says: to.says };
    else yield { kind: 'functions', change: 'gone', effect: 'breaks', name, ...prototypeIn('old', sides.old, name) };
  }
  const taken = new Set([...renamed.values()].map(({ name }) => name));
  for (const name of added) {
    if (!taken.has(name)) yield { kind: 'functions', change: 'new', effect: 'adds', name, ...prototypeIn('new', sides.new, name) };
  }
  for (const [name, forms] of before) {
    const now = after.get(name);
    if (now !== undefined) yield* clonedFunction(name, forms, now);
  }
}

function* clonedFunction(name: string, before: Forms, after: Forms): Generator<Difference> {
  if (before.whole && !after.whole) {
    const says = 'the compiler left only clones: a probe needs their names, and their arguments may differ';
    yield { kind: 'functions', change: 'cloned', effect: 'breaks', name, old: name, new: after.clones.join(', '), says };
  } else if (!before.whole && after.whole) {
    yield {
      kind: 'functions',
      change: 'new',
      effect: 'adds',
      name,
      old: before.clones.join(', '),
      new: name,
      says: 'only clones of it existed',
    };
  } else if (before.whole && before.clones.length === 0 && after.clones.length > 0) {
    const says = 'the compiler made clones beside it: some callers enter these, and a probe on the function does not see them';
    yield { kind: 'functions', change: 'cloned', effect: 'changes', name, old: name, new: [name, ...after.clones].join(', '), says };
  }
}

/** What the compiler moves out of a function is not entered by a call. */
const COLD = /\.cold(\.\d+)?$/;

function formsOf({ name, count }: FunctionRows): Map<string, Forms> {
  const forms = new Map<string, { whole: boolean; clones: string[] }>();
  for (let row = 0; row < count; row++) {
    const text = name[row]!;
    if (row > 0 && name[row - 1] === text) continue;
    const dot = text.indexOf('.');
    // A label of assembly.
    if (dot === 0) continue;
    const isClone = dot > 0;
    if (isClone && COLD.test(text)) continue;
    const base = isClone ? text.slice(0, dot) : text;
    let known = forms.get(base);
    if (known === undefined) forms.set(base, (known = { whole: false, clones: [] }));
    if (isClone) known.clones.push(text);
    else known.whole = true;
  }
  return forms;
}

function prototypeIn<K extends 'old' | 'new'>(key: K, side: Side, name: string): { readonly [P in K]?: string } {
  const prototype = cellOf(side.functions().prototype, side.names().get(name)!);
  return (prototype === undefined ? {} : { [key]: prototype.text }) as { readonly [P in K]?: string };
}
