import type { KernelFacts } from '../../facts/kernel-facts.js';
import { btfChanges } from './btf-presence.js';
import { DIFFERENCE_KINDS, type Difference, type DifferenceKind, EFFECTS } from './difference.js';
import { enumeratorChanges } from './enumerators.js';
import { featureChanges } from './features.js';
import { functionChanges } from './functions.js';
import { type InlinedOptions, whereInlined } from './inlined.js';
import { configChanges, exportChanges, kfuncChanges, syscallChanges, tracepointChanges } from './listed.js';
import { moduleChanges } from './modules.js';
import { prototypeChanges } from './prototypes.js';
import { type Side, type Sides, sideOf } from './sides.js';
import { typeChanges } from './types.js';
import { verdictChanges } from './verdicts.js';

/** Options of {@link diffKernels}. */
export interface DiffOptions {
  /** What is compared; everything where not given. */
  readonly kinds?: ReadonlySet<DifferenceKind>;
  /** Which changes count; all where not given. */
  readonly wanted?: (change: Difference) => boolean;
  /** How functions that are gone are looked for among those that were inlined. */
  readonly inlined?: InlinedOptions;
}

/** What differs between two kernels. */
export interface KernelDiff {
  /** By what breaks programs first, then by kind and name. */
  readonly changes: readonly Difference[];
  /** What could not be compared, and what would settle it. */
  readonly notes: readonly string[];
}

const COMPARISONS: Readonly<Record<DifferenceKind, (sides: Sides) => Iterable<Difference>>> = {
  functions: functionChanges,
  prototypes: prototypeChanges,
  verdicts: verdictChanges,
  btf: btfChanges,
  types: typeChanges,
  enumerators: enumeratorChanges,
  tracepoints: tracepointChanges,
  syscalls: syscallChanges,
  kfuncs: kfuncChanges,
  features: featureChanges,
  exports: exportChanges,
  config: configChanges,
};

/**
 * What changed between two kernels, for programs that worked on the old one.
 * @throws FormatError for damage in what is compared
 */
export async function diffKernels(old: KernelFacts, now: KernelFacts, options: DiffOptions = {}): Promise<KernelDiff> {
  const sides: Sides = { old: sideOf(old), new: sideOf(now) };
  const { kinds = new Set(DIFFERENCE_KINDS), wanted = () => true, inlined = { all: false } } = options;
  const changes: Difference[] = [];
  for (const kind of DIFFERENCE_KINDS) {
    if (!kinds.has(kind)) continue;
    for (const change of COMPARISONS[kind](sides)) if (wanted(change)) changes.push(change);
  }
  for (const change of moduleChanges(sides, kinds)) if (wanted(change)) changes.push(change);
  const notes = notesOf(sides, kinds);
  const gone = changes.filter(isGone).map(({ name }) => name);
  const places = await whereInlined(now, gone, inlined);
  if (places === undefined)
    notes.push(`${gone.length} functions are gone: whether they were inlined was not looked for, which --inlined does`);
  const told = changes.map((change): Difference => {
    const says = isGone(change) ? places?.get(change.name) : undefined;
    return says === undefined ? change : { ...change, change: 'inlined', says };
  });
  return { changes: ranked(told), notes };
}

function isGone({ kind, change, module }: Difference): boolean {
  return kind === 'functions' && change === 'gone' && module === undefined;
}

function ranked(changes: Difference[]): Difference[] {
  const rank = ({ effect, kind }: Difference): number => EFFECTS.indexOf(effect) * DIFFERENCE_KINDS.length + DIFFERENCE_KINDS.indexOf(kind);
  return changes.sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name) || compare(a.module ?? '', b.module ?? ''));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What each kind needs of both kernels. */
const NEEDS: readonly { readonly kinds: readonly DifferenceKind[]; lacks(side: Side): string | undefined }[] = [
  { kinds: ['functions', 'verdicts'], lacks: ({ kernel }) => kernel.symbolsMissing },
  {
    kinds: ['prototypes', 'types', 'enumerators', 'kfuncs', 'features'],
    lacks: ({ kernel }) => (kernel.btf === undefined ? `${kernel.name} has no BTF: --btf FILE` : undefined),
  },
  {
    kinds: ['config'],
    lacks: ({ kernel }) => (kernel.pieces.config() === undefined ? `no .config of ${kernel.name} was read: --config FILE` : undefined),
  },
  {
    kinds: ['exports'],
    lacks: ({ kernel }) => (kernel.image === undefined ? `${kernel.name} is no image, which has the tables of exports` : undefined),
  },
];

function notesOf(sides: Sides, kinds: ReadonlySet<DifferenceKind>): string[] {
  return NEEDS.flatMap(({ kinds: needing, lacks }) => {
    const asked = needing.filter(kind => kinds.has(kind));
    const missing = [sides.old, sides.new].flatMap(side => lacks(side) ?? []);
    return asked.length === 0 || missing.length === 0 ? [] : [`${asked.join(' and ')} are not compared: ${missing.join('; ')}`];
  });
}
