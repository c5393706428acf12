import { refused, said, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { SECTION_DEFINITIONS, type SectionDefinition } from '../names/section-names.js';
import type { KernelFeatures } from '../preflight/features.js';
import { HelperChecks } from '../preflight/helper-checks.js';
import { type HelperRule, helperKind, isLoaded } from '../preflight/helper-sets.js';
import type { HelperFeature } from './feature.js';

/** A kind of program that differs from others in what it may call: a section of it, and one of those that may sleep. */
interface Kind {
  readonly definition: SectionDefinition;
  readonly sleeping?: SectionDefinition;
}

type Kinds = ReadonlyMap<string, Kind>;

/** Who may call a helper. */
type Callers = Pick<HelperFeature, 'programs' | 'gplOnly' | 'byTarget' | 'unknown'>;

/** Every helper, whether the kernel has it, and which of the programs that it has may call it. */
export function helperFeatures(kernel: KernelFacts, features: KernelFeatures): HelperFeature[] {
  const checks = new HelperChecks(kernel, features);
  const kinds = kindsOf(features, kernel.release);
  return features.helpers.map(id => {
    const verdict = checks.exists(id);
    const name = features.helperName(id);
    if (verdict.outcome === 'refused') return { name, id, verdict, ...NONE };
    const callers = callersOf(id, kinds, checks);
    return { name, id, verdict: verdict.outcome === 'accepted' ? (uncalled(callers) ?? verdict) : verdict, ...callers };
  });
}

const NONE: Callers = { programs: [], gplOnly: [], byTarget: [], unknown: [] };

/** Of the types and attach types that the kernel does not lack. */
function kindsOf(features: KernelFeatures, release: string | undefined): Kinds {
  const has = (definition: SectionDefinition): boolean =>
    features.programType(definition.type).outcome !== 'refused' && features.attachType(definition)?.outcome !== 'refused';
  const kinds = new Map<string, Kind>();
  for (const definition of SECTION_DEFINITIONS.values()) {
    const name = helperKind(definition).replace(/\.s$/, '');
    const known = kinds.get(name);
    // Kernels before 7.1 take no programs of tracepoints that may sleep.
    const maySleep = definition.sleepable && !definition.grammar?.endsWith('tracepoint') && isLoaded(`${name}.s`, release);
    const isSleeping = maySleep && known !== undefined;
    if (isSleeping) kinds.set(name, { sleeping: definition, ...known });
    else if (known === undefined && has(definition)) kinds.set(name, { definition });
  }
  return kinds;
}

/** What the verifier says of a helper in the programs of a kind: a list of {@link Callers}. */
type List = keyof Callers;

function callersOf(id: number, kinds: Kinds, checks: HelperChecks): Callers {
  const found: Record<List, string[]> = { programs: [], gplOnly: [], byTarget: [], unknown: [] };
  for (const [type, ofType] of byType(kinds)) {
    const lists = ofType.map(([, { definition }]) => listOf(checks.rule(id, definition)));
    // A type alone is all of its kinds.
    if (lists[0] !== undefined && lists.every(list => list === lists[0])) found[lists[0]].push(type);
    else
      for (const [i, [kind, { sleeping }]] of ofType.entries()) {
        const name = kind === type && ofType.length > 1 ? `${type}:none` : kind;
        const asleep = lists[i] === undefined && sleeping !== undefined ? listOf(checks.rule(id, sleeping)) : undefined;
        if (lists[i] !== undefined) found[lists[i]].push(name);
        else if (asleep !== undefined) found[asleep].push(`${name}.s`);
      }
  }
  return found;
}

function byType(kinds: Kinds): ReadonlyMap<string, [string, Kind][]> {
  const types = new Map<string, [string, Kind][]>();
  for (const entry of kinds) {
    const [type] = entry[0].split(':', 1) as [string];
    types.set(type, [...(types.get(type) ?? []), entry]);
  }
  return types;
}

function listOf({ answer, gplOnly }: HelperRule): List | undefined {
  if (answer === 'yes') return gplOnly ? 'gplOnly' : 'programs';
  return answer === 'target' ? 'byTarget' : answer === 'unknown' ? 'unknown' : undefined;
}

/** A helper that no program may call is as good as none. */
function uncalled({ programs, gplOnly, byTarget, unknown }: Callers): Verdict | undefined {
  if ([programs, gplOnly, byTarget, unknown].some(kinds => kinds.length > 0)) return undefined;
  return refused(
    'helper-not-for-type',
    'EINVAL',
    said('kernel', 'no type of program that the kernel was built with may call it'),
    'likely',
  );
}
