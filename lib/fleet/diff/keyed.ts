import type { Difference, DifferenceKind, Effect, Fate } from './difference.js';

/** What is compared of one thing: fields by name, and what another value of each does. */
export interface Field<T> {
  /** `number`, `arguments`: said where it differs. */
  readonly field: string;
  /** undefined where nothing tells: it is then not compared. */
  text(thing: T): string | undefined;
  readonly effect: Effect | ((old: T, now: T) => Effect);
}

/** How things of a kind are compared. */
export interface Keyed<T> {
  readonly kind: DifferenceKind;
  name(thing: T): string;
  module?(thing: T): string | undefined;
  /** What there is to see of one that is gone or new. */
  text?(thing: T): string | undefined;
  readonly fields: readonly Field<T>[];
}

/** Compares two lists of things that names identify: those that are gone and new, and each field that differs. */
export function* compareKeyed<T>(
  { kind, name, module, text, fields }: Keyed<T>,
  old: Iterable<T>,
  now: Iterable<T>,
): Generator<Difference> {
  const key = (thing: T): string => `${module?.(thing) ?? ''}\0${name(thing)}`;
  const byKey = (things: Iterable<T>): Map<string, T> => {
    const map = new Map<string, T>();
    for (const thing of things) if (!map.has(key(thing))) map.set(key(thing), thing);
    return map;
  };
  const [before, after] = [byKey(old), byKey(now)];
  const change = (thing: T, change: Fate, effect: Effect, rest: Pick<Difference, 'field' | 'old' | 'new'>): Difference => {
    const own = module?.(thing);
    return { kind, change, effect, name: name(thing), ...(own === undefined ? {} : { module: own }), ...rest };
  };
  for (const [id, thing] of before) {
    const other = after.get(id);
    if (other === undefined) {
      const was = text?.(thing);
      yield change(thing, 'gone', 'breaks', was === undefined ? {} : { old: was });
      continue;
    }
    for (const { field, text: textOf, effect } of fields) {
      const [one, two] = [textOf(thing), textOf(other)];
      if (one === two || one === undefined || two === undefined) continue;
      const does = typeof effect === 'string' ? effect : effect(thing, other);
      yield change(thing, 'changed', does, { field, old: one, new: two });
    }
  }
  for (const [id, thing] of after) {
    if (before.has(id)) continue;
    const is = text?.(thing);
    yield change(thing, 'new', 'adds', is === undefined ? {} : { new: is });
  }
}
