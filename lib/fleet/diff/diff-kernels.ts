import { expectKernel, type KernelFacts } from '../../facts/kernel-facts.js';
import { kfuncRows } from '../../facts/kfuncs.js';
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

/** Each is called with kernels that have what {@link NEEDS} asks of its kind. */
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
  expectKernel(old, 'old');
  expectKernel(now, 'now');
  const sides: Sides = { old: sideOf(old), new: sideOf(now) };
  const { kinds = new Set(DIFFERENCE_KINDS), wanted = () => true, inlined = { all: false } } = options;
  const changes: Difference[] = [];
  const lacking = lackingOf(sides, kinds);
  for (const kind of DIFFERENCE_KINDS) {
    if (!kinds.has(kind) || lacking.kinds.has(kind)) continue;
    for (const change of COMPARISONS[kind](sides)) if (wanted(change)) changes.push(change);
  }
  for (const change of moduleChanges(sides, kinds)) if (wanted(change)) changes.push(change);
  const { notes } = lacking;
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

function hasSets({ kernel }: Side): boolean {
  return kfuncRows(kernel).some(({ set }) => set !== undefined);
}

/** What kinds need of both kernels. Where one lacks it, they are not compared, and a note says why. */
const NEEDS: readonly { readonly kinds: readonly DifferenceKind[]; lacks(side: Side, other: Side): string | undefined }[] = [
  { kinds: ['functions', 'verdicts'], lacks: ({ kernel }) => kernel.symbolsMissing },
  {
    kinds: ['prototypes', 'btf', 'types', 'enumerators', 'kfuncs', 'features'],
    lacks: ({ kernel }) => (kernel.btf === undefined ? `${kernel.name} has no BTF (--btf FILE)` : undefined),
  },
  {
    kinds: ['kfuncs', 'features'],
    lacks: ({ kernel }, other) =>
      kernel.image === undefined && other.kernel.image !== undefined ? `${kernel.name} is BTF alone, which shows fewer of them` : undefined,
  },
  {
    kinds: ['kfuncs'],
    lacks: (side, other) =>
      hasSets(side) || !hasSets(other) ? undefined : `${side.kernel.name} does not show the sets of .BTF_ids that they stand in`,
  },
  {
    kinds: ['tracepoints'],
    lacks: ({ kernel }) =>
      kernel.tracepoints.listsData || kernel.btf !== undefined
        ? undefined
        : `${kernel.name} has neither data symbols nor BTF, and so not the names of all`,
  },
  {
    kinds: ['syscalls', 'exports'],
    lacks: ({ kernel }) => (kernel.image === undefined ? `${kernel.name} is no image, which has the tables of them` : undefined),
  },
  {
    kinds: ['config'],
    lacks: ({ kernel }) => (kernel.pieces.config() === undefined ? `no .config of ${kernel.name} was read (--config FILE)` : undefined),
  },
];

/** The kinds that can't be compared, and a line for each reason. */
function lackingOf(
  { old, new: now }: Sides,
  kinds: ReadonlySet<DifferenceKind>,
): { readonly kinds: ReadonlySet<DifferenceKind>; readonly notes: string[] } {
  const lacking = new Set<DifferenceKind>();
  const notes: string[] = [];
  for (const { kinds: needing, lacks } of NEEDS) {
    const asked = needing.filter(kind => kinds.has(kind) && !lacking.has(kind));
    const missing = [lacks(old, now), lacks(now, old)].filter(line => line !== undefined);
    if (asked.length === 0 || missing.length === 0) continue;
    for (const kind of asked) lacking.add(kind);
    notes.push(`not compared: ${asked.join(', ')}: ${missing.join('; ')}`);
  }
  return { kinds: lacking, notes };
}
