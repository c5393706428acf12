import type {
  Feature,
  FeatureSection,
  Features,
  HelperFeature,
  HookFeature,
  KfuncFeature,
  TracepointFeature,
} from '../bpf/features/feature.js';
import type { NeededFeature } from '../bpf/features/for-object.js';
import type { FeatureGap } from '../bpf/features/kernel-features.js';
import type { FeatureOptions } from '../bpf/features/options.js';
import type { Outcome } from '../evidence.js';
import type { KernelId, Report } from './report.js';
import type { ReportTable } from './tables.js';
import { evidenceLine, OUTCOME_WORDS, objectPlace, verdictCells } from './text.js';

/** What each section is called: by `--only`, and above its features. */
export const SECTION_NAMES: Readonly<Record<FeatureSection, string>> = {
  programTypes: 'program-types',
  mapTypes: 'map-types',
  attachTypes: 'attach-types',
  commands: 'commands',
  mechanisms: 'mechanisms',
  helpers: 'helpers',
  kfuncs: 'kfuncs',
  structOps: 'struct-ops',
  iterators: 'iterators',
  lsmHooks: 'lsm-hooks',
  tracepoints: 'tracepoints',
};

export interface FeaturesModel {
  readonly kernel: KernelId;
  readonly config?: FeatureOptions;
  /** The sections that were asked for. */
  readonly features: Partial<Features>;
  /** Why a list may be short. */
  readonly gaps: readonly FeatureGap[];
  /** Whether each feature is to be listed with its evidence. */
  readonly listed: boolean;
}

/** `kelf features`. */
export const featuresReport: Report<FeaturesModel> = {
  schema: 'kelf/features',
  version: 1,
  json: ({ listed: _, gaps, ...model }) => ({
    ...model,
    gaps: gaps.map(({ section, says }) => ({ section: SECTION_NAMES[section], says })),
  }),
  text: featuresLines,
  tables: ({ features }) =>
    (Object.entries(features) as [FeatureSection, readonly Feature[]][]).map(([section, list]) =>
      featureTable(SECTION_NAMES[section], list),
    ),
};

const COLUMNS = ['name', 'there', 'reason', 'details', 'because'] as const;

function featureTable(title: string, list: readonly Feature[]): ReportTable {
  const rows = list.map(feature => {
    const { outcome, certainty, code, because } = feature.verdict;
    const there = `${OUTCOME_WORDS[outcome]}${certainty === 'likely' ? ' (likely)' : ''}`;
    return [feature.name, there, code === 'accepted' ? '' : code, detailsOf(feature).join('; '), because.map(evidenceLine).join('; ')];
  });
  return { title, columns: COLUMNS, rows };
}

/** What an object needs; or why it can't be read. */
export type Needs = { readonly needs: readonly NeededFeature[] } | { readonly unreadable: string };

export interface NeededFeaturesModel {
  readonly kernel: KernelId;
  readonly objects: readonly ({ readonly path: string; readonly offset: number } & Needs)[];
}

/** `kelf features --for OBJECT`. */
export const neededFeaturesReport: Report<NeededFeaturesModel> = {
  schema: 'kelf/features-for',
  version: 1,
  json: ({ objects, ...model }) => ({
    ...model,
    objects: objects.map(object =>
      'unreadable' in object
        ? object
        : {
            ...object,
            needs: object.needs.map(({ section, feature, usedBy }) => ({ section: SECTION_NAMES[section], ...feature, usedBy })),
          },
    ),
  }),
  text: ({ kernel, objects }) =>
    objects.flatMap(object => [
      `${objectPlace(object)} on ${kernelName(kernel)}`,
      ...('unreadable' in object ? [`  unreadable: ${object.unreadable}`] : needsLines(object.needs)),
    ]),
  tables: ({ objects }) =>
    objects.map(object => {
      const needs = 'needs' in object ? object.needs : [];
      const { columns, rows } = featureTable(
        '',
        needs.map(({ feature }) => feature),
      );
      return {
        title: objectPlace(object),
        columns: ['section', ...columns, 'used by'],
        rows: [...rows].map((row, i) => [SECTION_NAMES[needs[i]!.section], ...row, needs[i]!.usedBy.join(' ')]),
      };
    }),
};

function needsLines(needs: readonly NeededFeature[]): string[] {
  return (Object.entries(SECTION_NAMES) as [FeatureSection, string][]).flatMap(([section, name]) => {
    const list = needs.filter(need => need.section === section);
    return list.length === 0
      ? []
      : [`  ${name}`, ...list.flatMap(({ feature, usedBy }) => featureLines(feature, usedBy).map(line => `  ${line}`))];
  });
}

function* featuresLines({ kernel, config, features, gaps, listed }: FeaturesModel): Generator<string> {
  yield kernelName(kernel);
  for (const [section, list] of Object.entries(features) as [FeatureSection, readonly Feature[]][]) {
    const name = SECTION_NAMES[section];
    yield '';
    yield `${name}: ${countsOf(list)}`;
    for (const gap of gaps) if (gap.section === section) yield `  ${gap.says}`;
    if (listed) for (const feature of list) yield* featureLines(feature);
    else yield* summaryLines(name, list);
  }
  if (listed || config === undefined) return;
  yield '';
  yield `options, of ${config.source}`;
  for (const [option, value] of config.options) yield value === null ? `  # ${option} is not set` : `  ${option}=${value}`;
}

function kernelName({ name, release }: KernelId): string {
  return release === undefined ? name : `${name} (${release})`;
}

const OUTCOMES: readonly Outcome[] = ['accepted', 'refused', 'open'];

function countsOf(list: readonly Feature[]): string {
  const counts = OUTCOMES.flatMap(outcome => {
    const count = list.filter(({ verdict }) => verdict.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${OUTCOME_WORDS[outcome]}`];
  });
  return counts.length === 0 ? 'none found' : counts.join(', ');
}

/** More names than these are counted. */
const MOST_NAMES = 70;
const WIDTH = 100;

/** The names, by outcome. */
function summaryLines(section: string, list: readonly Feature[]): string[] {
  return OUTCOMES.flatMap(outcome => {
    const names = list.filter(({ verdict }) => verdict.outcome === outcome).map(({ name }) => name);
    if (names.length === 0) return [];
    const word = OUTCOME_WORDS[outcome].padEnd(4);
    if (names.length > MOST_NAMES) return [`  ${word}  ${names.length}, which --only ${section} lists`];
    return wrapped(names).map((line, i) => `  ${i === 0 ? word : '    '}  ${line}`);
  });
}

function wrapped(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length < WIDTH) lines[lines.length - 1] = `${last} ${name}`;
    else lines.push(name);
  }
  return lines;
}

/** A feature, what is known of it besides, and what that rests on. */
function featureLines(feature: Feature, usedBy: readonly string[] = []): string[] {
  const { name, verdict, config } = feature;
  const [answer, errno, reason] = verdictCells(verdict) as [string, string, string];
  const by = usedBy.length === 0 ? [] : [`used by ${usedBy.join(', ')}`];
  const lines = [
    ...detailsOf(feature),
    ...verdict.because.map(evidenceLine),
    ...(config === undefined ? [] : [`.config: ${config}`]),
    ...by,
  ];
  return [[`  ${answer.padEnd(4)}  ${name}`, errno, reason].filter(Boolean).join('  '), ...lines.map(line => `        ${line}`)];
}

function detailsOf(feature: Feature): string[] {
  if ('prototype' in feature) return kfuncDetails(feature as KfuncFeature);
  if ('gplOnly' in feature) return helperDetails(feature as HelperFeature);
  if ('sleepable' in feature) return (feature as HookFeature).sleepable === true ? ['programs may sleep'] : [];
  if ('typed' in feature) return tracepointDetails(feature as TracepointFeature);
  return [];
}

function kfuncDetails({ prototype, flags = [], sets, programs, filtered, module }: KfuncFeature): string[] {
  const where = sets.length === 0 ? 'no set of .BTF_ids was found' : `in ${sets.join(', ')}`;
  return [
    `${prototype};`,
    [...flags, where, ...(module === undefined ? [] : [`module ${module}`])].join('  '),
    programs === undefined
      ? 'which programs may call it is not shown'
      : `programs: ${programs.join(' ')}${filtered === true ? ', of which the kernel may filter some' : ''}`,
  ];
}

function helperDetails({ programs, gplOnly, byTarget, unknown }: HelperFeature): string[] {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['programs', programs],
    ['under the GPL', gplOnly],
    ['by target', byTarget],
    ['not known of', unknown],
  ];
  return rows.filter(([, kinds]) => kinds.length > 0).map(([title, kinds]) => `${title}: ${kinds.join(' ')}`);
}

function tracepointDetails({ system, raw, typed, event }: TracepointFeature): string[] {
  const ways = [...(raw === true ? ['raw_tp'] : []), ...(typed ? ['tp_btf'] : []), ...(event === true ? [`event ${system ?? '?'}`] : [])];
  return ways.length === 0 ? [] : [ways.join(', ')];
}
