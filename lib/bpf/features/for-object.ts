import type { Outcome, Verdict } from '../../evidence.js';
import type { BpfObject } from '../object/object.js';
import type { BpfProgram } from '../object/programs.js';
import type { Finding, Preflight } from '../preflight/preflight.js';
import type { AnyFeature, FeatureSection } from './feature.js';
import { kernelFeatures } from './kernel-features.js';

/** A feature that an object needs. */
export interface NeededFeature {
  readonly section: FeatureSection;
  /** Of the kernel, with what the object asks of it: a helper is refused where its programs may not call it. */
  readonly feature: AnyFeature;
  /** The programs that need it. */
  readonly usedBy: readonly string[];
}

interface Need {
  readonly section: FeatureSection;
  readonly name: string;
  /** Absent of what the object's findings do not tell apart. */
  readonly verdict?: Verdict;
  readonly usedBy: readonly string[];
}

const FROM_BEST: readonly Outcome[] = ['accepted', 'open', 'refused'];

/** What an object needs of the kernel that is asked: what `kelf bpf check` looks at, by feature. */
export function featuresFor(preflight: Preflight, object: BpfObject): NeededFeature[] {
  const { findings, programs } = preflight.check(object);
  const needs = [
    ...programs.flatMap(({ program, findings }) => findings.flatMap(finding => needOf(finding, [program]))),
    ...findings.flatMap(finding => needOf(finding, finding.usedBy ?? [])),
    ...object.programs.flatMap(mechanismsOf),
    ...(object.coreRelocations.length === 0 ? [] : [{ section: 'mechanisms', name: 'btf', usedBy: [] } as const]),
  ];
  const byFeature = new Map<string, Need[]>();
  for (const need of needs) {
    const key = `${need.section}\0${need.name}`;
    byFeature.set(key, [...(byFeature.get(key) ?? []), need]);
  }
  const all = kernelFeatures(preflight.kernel);
  return [...byFeature.values()].flatMap(same => {
    const [{ section, name }] = same as [Need];
    const listed = (all[section] as readonly AnyFeature[]).find(feature => feature.name === name);
    const verdict = verdictOf(same, listed?.verdict);
    const usedBy = [...new Set(same.flatMap(need => need.usedBy))];
    return verdict === undefined ? [] : [{ section, feature: { ...listed, name, verdict }, usedBy }];
  });
}

function needOf({ feature, verdict }: Finding, usedBy: readonly string[]): Need[] {
  return feature === undefined ? [] : [{ ...feature, verdict, usedBy }];
}

/** How the programs of a section are attached. */
function mechanismsOf({ name, meaning: { definition } }: BpfProgram): Need[] {
  const need = (mechanism: string): Need[] => [{ section: 'mechanisms', name: mechanism, usedBy: [name] }];
  switch (definition?.grammar) {
    case 'kprobe':
    case 'syscall':
      return need('kprobe');
    case 'uprobe':
    case 'usdt':
      return definition.attachType === undefined ? need('uprobe') : [];
    case 'btf-function':
    case 'lsm':
      return need('trampolines');
    default:
      return [];
  }
}

/** The worst that its uses meet; where they meet nothing, what the kernel itself has to say. */
function verdictOf(needs: readonly Need[], listed: Verdict | undefined): Verdict | undefined {
  // What it is attached to is not of the kernel.
  const verdicts = needs.flatMap(({ verdict }) => (verdict === undefined || verdict.code === 'no-target' ? [] : [verdict]));
  const worst = verdicts.reduce<Verdict | undefined>((a, b) => (a === undefined || isWorse(b, a) ? b : a), undefined);
  if (worst === undefined || listed === undefined) return worst ?? listed;
  return worst.code === 'accepted' && isWorse(listed, worst) ? listed : worst;
}

function isWorse({ outcome }: Verdict, than: Verdict): boolean {
  return FROM_BEST.indexOf(outcome) > FROM_BEST.indexOf(than.outcome);
}
