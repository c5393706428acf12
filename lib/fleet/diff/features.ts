import type { FeatureSection, Features } from '../../bpf/features/feature.js';
import { kernelFeatures } from '../../bpf/features/kernel-features.js';
import type { Verdict } from '../../evidence.js';
import { REASONS } from '../../reasons.js';
import type { Difference } from './difference.js';
import type { Sides } from './sides.js';

/** The sections of features that no other kind of change tells of. */
const SECTIONS = [
  'programTypes',
  'mapTypes',
  'attachTypes',
  'commands',
  'mechanisms',
  'helpers',
  'structOps',
  'iterators',
  'lsmHooks',
] as const;
/** What one of a section is called. */
const WORDS: Readonly<Partial<Record<FeatureSection, string>>> = {
  programTypes: 'program type',
  mapTypes: 'map type',
  attachTypes: 'attach type',
  commands: 'command',
  mechanisms: 'mechanism',
  helpers: 'helper',
  structOps: 'struct_ops',
  iterators: 'iterator',
  lsmHooks: 'LSM hook',
};

/** `map type xskmap` */
export function featureName(section: FeatureSection, name: string): string {
  return `${WORDS[section] ?? section} ${name}`;
}

/** What BPF programs may use, that is there on one side and not on the other. What is open on either is not compared. */
export function* featureChanges({ old, new: now }: Sides): Generator<Difference> {
  const [before, after] = [kernelFeatures(old.kernel), kernelFeatures(now.kernel)];
  for (const section of SECTIONS) {
    const outcomes = (features: Features): Map<string, Verdict> => new Map(features[section].map(({ name, verdict }) => [name, verdict]));
    const [had, has] = [outcomes(before), outcomes(after)];
    for (const name of new Set([...had.keys(), ...has.keys()])) {
      const [one, two] = [had.get(name), has.get(name)];
      if (one?.outcome === 'open' || two?.outcome === 'open') continue;
      // Without the sets of .BTF_ids, a hook that is disabled looks like the others.
      if (section === 'lsmHooks' && [one, two].some(verdict => verdict?.outcome === 'accepted' && verdict.certainty !== 'proven')) continue;
      const [could, can] = [one?.outcome === 'accepted', two?.outcome === 'accepted'];
      if (could === can) continue;
      const lacking = could ? two : one;
      const says = lacking === undefined ? undefined : `${could ? 'new' : 'old'}: ${REASONS[lacking.code]}`;
      const change = could ? ({ change: 'gone', effect: 'breaks' } as const) : ({ change: 'new', effect: 'adds' } as const);
      yield { kind: 'features', ...change, name: featureName(section, name), ...(says === undefined ? {} : { says }) };
    }
  }
}
