import type { KernelDiff } from '../fleet/diff/diff-kernels.js';
import { DIFFERENCE_KINDS, type Difference, type DifferenceKind, EFFECTS, type Effect } from '../fleet/diff/difference.js';
import type { KernelId, Report } from './report.js';
import type { ReportTable } from './tables.js';
import { table } from './text.js';

interface DiffModel extends KernelDiff {
  readonly old: KernelId;
  readonly new: KernelId;
  /** Changes of one kind and effect that the text shows at most. */
  readonly most: number;
}

/** What effects are called at the head of a list. */
const HEADS: Readonly<Record<Effect, string>> = {
  breaks: 'breaks programs',
  changes: 'to be looked at',
  adds: 'new',
};

/** `kelf diff`. */
export const diffReport: Report<DiffModel> = {
  schema: 'kelf/diff',
  version: 1,
  rows: 'changes',
  json: ({ old, new: now, notes, changes }) => ({ old, new: now, notes, counts: countsOf(changes), changes }),
  *text({ old, new: now, changes, most }) {
    yield `${titleOf(old)} -> ${titleOf(now)}`;
    yield '';
    if (changes.length === 0) {
      yield 'no difference';
      return;
    }
    yield* summary(changes);
    for (const [effect, kind, some] of groupsOf(changes)) {
      yield '';
      yield `${kind}: ${HEADS[effect]} (${some.length})`;
      yield* table(some.slice(0, most).map(cells), '  ');
      if (some.length > most) yield `  … and ${some.length - most} more: --only ${kind} shows them all`;
    }
  },
  *tables({ changes }): Generator<ReportTable> {
    for (const [effect, kind, some] of groupsOf(changes))
      yield {
        title: `${kind}: ${HEADS[effect]}`,
        columns: ['name', 'change', 'what', 'old', 'new', 'why'],
        rows: some.map(change => [
          fullName(change),
          change.change,
          change.field ?? '',
          change.old ?? '',
          change.new ?? '',
          change.says ?? '',
        ]),
      };
  },
};

function titleOf({ name, release }: KernelId): string {
  return release === undefined ? name : `${release} (${name})`;
}

/** The changes of each effect and kind, in the order that they are in. */
function* groupsOf(changes: readonly Difference[]): Generator<[Effect, DifferenceKind, Difference[]]> {
  for (const effect of EFFECTS)
    for (const kind of DIFFERENCE_KINDS) {
      const some = changes.filter(change => change.effect === effect && change.kind === kind);
      if (some.length > 0) yield [effect, kind, some];
    }
}

function summary(changes: readonly Difference[]): string[] {
  const counts = countsOf(changes);
  return table(
    [
      ['', ...EFFECTS.map(effect => HEADS[effect])],
      ...Object.entries(counts).map(([kind, byEffect]) => [kind, ...EFFECTS.map(effect => byEffect[effect])]),
    ],
    '',
    [1, 2, 3],
  );
}

function countsOf(changes: readonly Difference[]): Readonly<Record<string, Readonly<Record<Effect, number>>>> {
  const counts: Record<string, Record<Effect, number>> = {};
  for (const kind of DIFFERENCE_KINDS) {
    for (const change of changes) {
      if (change.kind !== kind) continue;
      counts[kind] ??= { breaks: 0, changes: 0, adds: 0 };
      counts[kind][change.effect]++;
    }
  }
  return counts;
}

function cells(change: Difference): string[] {
  const { kind, change: what, field, old, new: now, says } = change;
  // What differs of two prototypes is in the sentence.
  const values = kind === 'prototypes' ? '' : old !== undefined && now !== undefined ? `${old} -> ${now}` : (old ?? now ?? '');
  const sentence = says === undefined ? '' : values === '' ? says : `[${says}]`;
  return [fullName(change), field === undefined ? what : `${what}: ${field}`, [values, sentence].filter(Boolean).join('  ')];
}

function fullName({ name, module }: Difference): string {
  return module === undefined || module === name ? name : `${module}:${name}`;
}
