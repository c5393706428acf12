import { accepted, said, type Verdict } from '../../evidence.js';
import { idsOfImage } from '../../facts/id-sets.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type KfuncRegistration, kfuncRegistrations } from '../../facts/kfunc-registrations.js';
import { type KfuncRow, kfuncFlagNames, kfuncRows, taggedKfuncs } from '../../facts/kfuncs.js';
import { oncePerKernel } from '../../facts/once-per-kernel.js';
import { mapType } from '../names/map-types.js';
import { PROGRAM_TYPES, programTypeNumber } from '../names/program-types.js';
import { KernelFeatures } from '../preflight/features.js';
import { iterator, iterators, lsmHook, lsmHooks, mayHookSleep } from '../preflight/hooks.js';
import { PreflightModules } from '../preflight/modules.js';
import { REGISTERED, structOpsOf } from '../preflight/struct-ops-check.js';
import { attachTypeOption, attachTypeVerdict } from './attach-types.js';
import type { Feature, FeatureSection, Features, HookFeature, KfuncFeature, TracepointFeature } from './feature.js';
import { helperFeatures } from './helpers.js';
import { countedWith } from './kfunc-hooks.js';
import { mechanisms } from './mechanisms.js';

/** What BPF programs may use of a kernel, and of its modules where they were read: what `bpftool feature probe` asks a running one. */
export const kernelFeatures: (kernel: KernelFacts) => Features = oncePerKernel(kernel => {
  const features = new KernelFeatures(kernel);
  const config = kernel.pieces.config();
  const feature = (name: string, verdict: Verdict, option?: string): Feature => {
    const value = option === undefined ? undefined : config?.get(option);
    const says = value === undefined ? `${option} is not set` : `${option}=${value}`;
    return { name, verdict, ...(option === undefined || config === undefined ? {} : { config: says }) };
  };
  return {
    programTypes: features.programTypes.map(type =>
      feature(type, features.programType(type), PROGRAM_TYPES[programTypeNumber(type)]?.built.option),
    ),
    mapTypes: [...features.mapTypes].map(([number, name]) => feature(name, features.mapType(number, name), mapType(number)?.built.option)),
    attachTypes: features.attachTypes.map(type => feature(type, attachTypeVerdict(features, type), attachTypeOption(type))),
    commands: features.commands.map(name => feature(name, features.command(name))),
    mechanisms: mechanisms(kernel, features).map(({ name, verdict, option }) => feature(name, verdict, option)),
    helpers: helperFeatures(kernel, features),
    kfuncs: kfuncs(kernel),
    structOps: structOps(kernel),
    iterators: iterators(kernel).map(name => ({ name, verdict: iterator(kernel, name) })),
    lsmHooks: lsmHooks(kernel).map((name): HookFeature => {
      const sleepable = mayHookSleep(kernel, name);
      return { name, verdict: lsmHook(kernel, name), ...(sleepable === undefined ? {} : { sleepable }) };
    }),
    tracepoints: tracepoints(kernel),
  };
});

/** Why a list may lack features that the kernel has. */
export interface FeatureGap {
  readonly section: FeatureSection;
  readonly says: string;
}

/** What is not told by what was given, of the lists that are read from the BTF and the image alone. */
export function featureGaps(kernel: KernelFacts): FeatureGap[] {
  const { btf, tracepoints } = kernel;
  const events = tracepoints.listsEvents
    ? []
    : [gap('tracepoints', 'which events tracefs has is not shown: the table stands in the image')];
  if (btf === undefined) {
    const ofBtf = ['kfuncs', 'structOps', 'iterators', 'lsmHooks'] as const;
    return [...ofBtf.map(section => gap(section, 'they are read from BTF, and there is none')), ...events];
  }
  const isKnown = idsOfImage(kernel) !== undefined || taggedKfuncs(btf).size > 0;
  const says = 'their sets stand in the image, and the BTF has no declaration tags of them: the vmlinux or vmlinuz would settle it';
  return [...(isKnown ? [] : [gap('kfuncs', says)]), ...events];
}

function gap(section: FeatureSection, says: string): FeatureGap {
  return { section, says };
}

/** One for each function, whatever the number of sets it stands in. */
function kfuncs(kernel: KernelFacts): KfuncFeature[] {
  const byName = new Map<string, KfuncRow[]>();
  for (const row of kfuncRows(kernel)) {
    const key = `${row.name}\0${row.module ?? ''}`;
    byName.set(key, [...(byName.get(key) ?? []), row]);
  }
  return [...byName.values()].map(rows => kfunc(rows, kernel));
}

function kfunc(rows: readonly KfuncRow[], kernel: KernelFacts): KfuncFeature {
  const [{ name, prototype, module }] = rows as readonly [KfuncRow];
  const sets = rows.flatMap(({ set }) => set ?? []);
  const flags = rows.flatMap(row => row.flags ?? []);
  const source = module === undefined ? (kernel.btfSource ?? '.BTF') : `${module}: .BTF`;
  const says = sets.length === 0 ? `FUNC ${name} has the declaration tag bpf_kfunc` : `${sets.join(', ')} of .BTF_ids has FUNC ${name}`;
  const verdict = accepted('proven', said(source, says));
  return {
    name,
    prototype,
    verdict: module === undefined ? verdict : new PreflightModules(kernel).in(module, verdict),
    ...(flags.length === 0 ? {} : { flags: kfuncFlagNames(flags.reduce((all, each) => all | each, 0)) }),
    sets,
    ...(module === undefined ? registeredFor(kernel, sets) : { module }),
  };
}

/** Of the kernel's own sets; one that is none of a registration is for a filter of another one. */
function registeredFor(kernel: KernelFacts, sets: readonly string[]): Pick<KfuncFeature, 'programs' | 'filtered'> {
  const all = kfuncRegistrations(kernel).sets;
  const own = sets.flatMap(set => all?.get(set) ?? []);
  if (own.length === 0) return {};
  const { release } = kernel;
  const namesOf = (registered: readonly KfuncRegistration[]): string[] =>
    registered.flatMap(({ types }) => types.map(type => PROGRAM_TYPES[type]?.name ?? `type ${type}`));
  const named = [...new Set(namesOf(own))];
  // A filter is asked about each function that its types may call, whichever set it stands in.
  const filters = countedWith(namesOf([...all!.values()].filter(({ filtered }) => filtered)), release);
  // Whom it leaves is its own matter.
  const programs = own.some(({ filtered }) => filtered) ? named : countedWith(named, release);
  return { programs, ...(programs.some(type => filters.includes(type)) ? { filtered: true } : {}) };
}

function structOps(kernel: KernelFacts): Feature[] {
  const { btf, btfSource } = kernel;
  if (btf === undefined) return [];
  const modules = new PreflightModules(kernel);
  const own = structOpsOf(btf).map(({ name, id }) => ({
    name,
    verdict: accepted<Verdict['because']>('proven', said(btfSource ?? '.BTF', `STRUCT [${id}] ${name}, and bpf_struct_ops_${name}`)),
  }));
  const others = modules.withTypeLike(REGISTERED).flatMap(({ module, btf }) =>
    structOpsOf(btf).map(({ name, id }) => {
      const says = `STRUCT [${id}] ${name}, and bpf_struct_ops_${name}`;
      return { name, verdict: modules.in(module.name, accepted('proven', said(`${module.path}: .BTF`, says))) };
    }),
  );
  return [...own, ...others];
}

function tracepoints({ tracepoints, btfSource }: KernelFacts): TracepointFeature[] {
  return tracepoints.all().map(({ name, system, raw, btf, event, address, tracepoint }) => {
    const typed = said(btfSource ?? '.BTF', `TYPEDEF [${btf}] btf_trace_${name}`);
    const own = said('kallsyms', tracepoint ? `__tracepoint_${name}, or __traceiter_${name}` : `event_${name} in the table of events`);
    return {
      name,
      verdict: accepted('proven', btf !== undefined && address === undefined ? typed : own),
      ...(system === undefined ? {} : { system }),
      raw,
      typed: btf !== undefined,
      event,
    };
  });
}
