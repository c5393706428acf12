import { FormatError } from '../../elf/errors.js';
import { InputError } from '../errors.js';
import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { Module } from '../facts/module/module.js';
import type { ModuleInstance } from '../facts/module-table/module-table.js';
import { once } from '../facts/once.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';
import type { ReasonCode } from '../reasons.js';
import { accepted, type Decision, firstOf, type Rule, refused, untold } from './decision.js';
import { decodedPlace, fixedPlace, LONGEST_INSTRUCTION } from './instructions.js';
import { noKprobes } from './kprobes.js';
import { type CountsModules, countsModules } from './name-counting.js';
import { sitesOf, WHY_NO_SITE } from './sites.js';
import { type TracingRules, tracingOf } from './tracing.js';
import { describePrototype, type PrototypeCheck, PrototypeRules } from './trampoline-prototype.js';
import { NO_DIRECT_CALLS } from './trampolines.js';

/** A kprobe at a function of a loaded module. */
interface Probe {
  readonly instance: ModuleInstance;
  /** The functions of its name that its module keeps, itself among them. */
  readonly namesakes: readonly ModuleInstance[];
  /** Whether the name alone leads to it: nothing stands before it to count from. */
  readonly byName: boolean;
}

type ProbeRule = Rule<ModuleFunctionRules, Probe>;

// A kprobe: register_kprobe() in kernel/kprobes.c, and the layer of tracefs above it, kernel/trace/trace_kprobe.c.

const withoutKprobes: ProbeRule = ({ tracing }) => (tracing.kprobes.missing === undefined ? undefined : noKprobes(tracing.kprobes.missing));

/** do_init_module() in kernel/module/main.c frees it; trace_kprobe_module_callback() sets probes before that. */
const freedOnceLoaded: ProbeRule = (_, { instance: { phase, path, module, name, section } }) => {
  if (phase !== 'init') return undefined;
  const says = `${section} is freed once ${module} is loaded: p:${module}:${name}, written to kprobe_events before that, is set while the module initializes`;
  return refused('init-text', 'ENOENT', () => [{ source: path, says }]);
};

/** within_notrace_func() in kernel/trace/trace_kprobe.c */
const untraceable: ProbeRule = (rules, probe) => {
  const { instance } = probe;
  if (!rules.tracing.kprobes.notrace.refuses || instance.site || rules.baseHasSite(instance)) return undefined;
  return refused('no-ftrace-site', 'EINVAL', () => [
    { source: 'kernel', says: 'within_notrace_func() refuses functions that ftrace cannot trace' },
    ...sharedName(probe),
    ...siteEvidence(instance),
  ]);
};

/** within_kprobe_blacklist() in kernel/kprobes.c; add_module_kprobe_blacklist() adds what the module lists. */
const blacklisted: ProbeRule = (_, probe) => {
  const { blacklisted, module, section, path } = probe.instance;
  if (!blacklisted) return undefined;
  const says = `the kprobe blacklist of ${module} covers it (${section === '.text' ? '_kprobe_blacklist' : section})`;
  return refused('kprobe-blacklisted', 'EINVAL', () => [{ source: path, says }, ...sharedName(probe)]);
};

/** The name leads to the first function of the name, on kernels that take it at all. */
const notTheFirst: ProbeRule = (_, probe) => {
  const { instance, namesakes, byName } = probe;
  if (!byName || namesakes[0]?.row === instance.row) return undefined;
  return refused('ambiguous-name', 'EADDRNOTAVAIL', () => acceptedProbe(probe), certaintyOfProbe(probe));
};

const KPROBE: readonly ProbeRule[] = [withoutKprobes, freedOnceLoaded, untraceable, blacklisted, notTheFirst];

/** Without a site, the first instruction may be one that the kernel patches: a module's tables of these are not looked at. */
function certaintyOfProbe({ instance }: Probe): 'proven' | 'likely' {
  return instance.site ? 'proven' : 'likely';
}

function acceptedProbe(probe: Probe): Evidence[] {
  return [...sharedName(probe), ...siteEvidence(probe.instance)];
}

function sharedName({ instance: { path, module }, namesakes }: Probe): Evidence[] {
  if (namesakes.length < 2) return [];
  const says = `${namesakes.length} functions of ${module} share this name: MOD:SYM resolves to the first, or is refused (6.6 and later)`;
  return [{ source: `${path}: .symtab`, says }];
}

/** A function that an fentry or fexit program is loaded for. */
interface Target {
  readonly instance: ModuleInstance;
  /** Its FUNC; undefined if the file was not opened, or can't be read any more. */
  readonly found: () => FoundFunction | undefined;
}

/** The FUNC in the module's BTF. */
interface FoundFunction {
  /** In C. */
  readonly declared: string;
  readonly prototype: PrototypeCheck;
}

type TargetRule = Rule<ModuleFunctionRules, Target>;

// Loading an fentry or fexit program by the module's own BTF: bpf_check_attach_target() in kernel/bpf/verifier.c.

const noKernelBtf: TargetRule = ({ kernel }, { instance: { path } }) => {
  if (kernel.btf !== undefined) return undefined;
  return refused('no-btf', 'EINVAL', () => [
    { source: `${path}: .BTF`, says: `${kernel.name} has no BTF, the base of a module's split BTF` },
  ]);
};

const noFunc: TargetRule = ({ kernel }, { instance: { btf, name, path } }) => {
  if (btf) return undefined;
  return refused('no-btf-func', 'ESRCH', () => {
    const twin = kernel.btf!.find(name, 'FUNC').length > 0;
    const why = twin ? `; the kernel's BTF has one: if the prototypes are the same, pahole keeps only that one` : '';
    return [{ source: `${path}: .BTF`, says: `no FUNC is named ${name}${why}` }];
  });
};

const unfitPrototype: TargetRule = ({ tracing }, target) => {
  const prototype = target.found()?.prototype;
  if (prototype?.code === undefined) return undefined;
  return refused(prototype.code, 'EINVAL', () => declaration(target), tracing.trampolines.certaintyOfCheck(prototype));
};

const LOAD: readonly TargetRule[] = [noKernelBtf, noFunc, unfitPrototype];

// Attaching it: register_fentry() in kernel/bpf/trampoline.c.

const noDirectCalls: TargetRule = (rules, target) =>
  rules.tracing.trampolines.directCalls
    ? undefined
    : refused('no-trampoline', 'ENOTSUPP', () => [...rules.becauseOfLoad(target), NO_DIRECT_CALLS]);

const beyondLimits: TargetRule = (rules, target) => {
  const prototype = target.found()?.prototype;
  const limit = prototype === undefined ? undefined : rules.tracing.trampolines.limits.of(prototype);
  return limit === undefined
    ? undefined
    : refused(limit.code, limit.errno, () => [...rules.becauseOfLoad(target), limit.evidence], limit.certainty);
};

/** Without a site, bpf_arch_text_poke() refuses: x86 text that is not the kernel's own, others all. */
const noSite: TargetRule = (rules, target) => {
  const { instance } = target;
  const code = withoutSite(instance);
  if (code === undefined) return undefined;
  const because = (): Evidence[] => [...rules.becauseOfLoad(target), ...siteEvidence(instance)];
  return refused(code, rules.kernel.arch.trampolines.withoutSite.module, because, rules.certaintyOfLoad(target));
};

const ATTACH: readonly TargetRule[] = [beyondLimits, noDirectCalls, noSite];

function declaration({ instance: { path }, found }: Target): Evidence[] {
  const func = found();
  if (func === undefined) return [];
  return [{ source: `${path}: .BTF`, says: `FUNC ${func.declared}: ${describePrototype(func.prototype)}` }];
}

/** A kprobe by a name that loaded modules have, and maybe the kernel itself. */
interface BareName {
  readonly name: string;
  /** The functions of the name that stay once their modules are loaded. */
  readonly kept: readonly ModuleInstance[];
  /** How many symbols of the kernel itself have it. */
  readonly own: number;
  readonly counting: CountsModules;
  readonly because: () => readonly Evidence[];
}

/** The decision about a kprobe by the bare name, depending on how many of the modules that have it are loaded. */
export interface LoadedDecisions {
  readonly one: Decision;
  readonly several: Decision;
}

type NameRule = Rule<ModuleFunctionRules, BareName, LoadedDecisions>;

// By the bare name: number_of_same_symbols() in kernel/trace/trace_kprobe.c counts it.

/** The kernel's own come first wherever names are not counted, or not over modules. */
const ofKernel: NameRule = ({ tracing }, { name, own, counting, because }) => {
  const { refuses } = tracing.kprobes.countsNames;
  const first = own > 1 || (own === 1 && (!refuses || !counting.counts || counting.kernelFirst));
  if (!first) return undefined;
  const decision = tracing.kprobes.byName(name);
  if (decision.outcome === 'open') return alike({ ...decision, because: () => [...because(), ...decision.because()] });
  return alike({ ...decision, certainty: counting.certainty, because });
};

const ofKernelAndModule: NameRule = (_, subject) => (subject.own === 1 ? alike(ambiguous(subject)) : undefined);

/** Kernels that count names, and not those of modules, count none. */
const uncounted: NameRule = ({ tracing }, { counting, because }) =>
  tracing.kprobes.countsNames.refuses && !counting.counts ? alike(refused('no-symbol', 'ENOENT', because, counting.certainty)) : undefined;

const BY_NAME: readonly NameRule[] = [ofKernel, ofKernelAndModule, uncounted];

/** What the one module's function comes to; where modules differ in that, what the first comes to, as likely. */
function ofModules(rules: ModuleFunctionRules, subject: BareName): LoadedDecisions {
  const { refuses } = rules.tracing.kprobes.countsNames;
  const decisions = subject.kept.map(instance => {
    const namesakes = namesakesOf(instance, subject.kept);
    return namesakes.length > 1 && refuses ? ambiguous(subject) : rules.kprobe(instance, namesakes);
  });
  const first = decisions[0]!;
  const one: Decision = decisions.every(({ code }) => code === first.code) ? first : { ...first, certainty: 'likely' };
  return { one, several: refuses ? ambiguous(subject) : { ...one, certainty: 'likely' } };
}

function ambiguous({ counting, because }: BareName): Decision {
  return refused('ambiguous-name', 'EADDRNOTAVAIL', because, counting.certainty);
}

function alike(decision: Decision): LoadedDecisions {
  return { one: decision, several: decision };
}

/** How the kernel decides about functions of a module, once that is loaded. */
export class ModuleFunctionRules {
  readonly kernel: KernelFacts;
  readonly tracing: TracingRules;

  constructor(kernel: KernelFacts) {
    this.kernel = kernel;
    this.tracing = tracingOf(kernel);
  }

  /**
   * A kprobe at a function, by its place.
   * @param namesakes the functions of its name that its module keeps
   * @param byName whether nothing but the name can name it
   */
  kprobe(instance: ModuleInstance, namesakes: readonly ModuleInstance[], byName = false): Decision {
    const probe: Probe = { instance, namesakes, byName };
    return firstOf(KPROBE, this, probe) ?? accepted(byName ? 'likely' : certaintyOfProbe(probe), () => acceptedProbe(probe));
  }

  /** A kprobe at a place in a function, from its start. */
  inside(instance: ModuleInstance, namesakes: readonly ModuleInstance[], distance: bigint): Decision {
    const atEntry = this.kprobe(instance, namesakes);
    if (distance === 0n || atEntry.outcome === 'refused') return atEntry;
    const { path, name } = instance;
    const place = BigInt(instance.offset) + distance;
    const told = (says: string) => (): Evidence[] => [{ source: path, says }, ...siteEvidence(instance)];
    if (distance >= BigInt(instance.size))
      return untold('instruction-unchecked', told(`${name} is ${instance.size} bytes long: the place is behind it`));
    const found = this.#inModule(path, module => codeOf(module, instance, place));
    if (found === undefined) return untold('instruction-unchecked', told('the module was not read again: it has changed'));
    if (found.site === place && !this.tracing.kprobes.onFtrace)
      return refused('on-ftrace-site', 'EINVAL', told('ftrace patches this instruction, and the kernel has no CONFIG_KPROBES_ON_FTRACE'));
    return fixedPlace(this.kernel, place, told) ?? decodedPlace(this.kernel, { name, code: found.code, target: Number(distance), told });
  }

  #inModule<T>(path: string, read: (module: Module) => T): T | undefined {
    try {
      using module = this.kernel.modules!.open(path);
      return read(module);
    } catch (error) {
      if (error instanceof FormatError || error instanceof InputError) return undefined;
      throw error;
    }
  }

  /**
   * A kprobe by the name alone.
   * @param kept the functions of the name that stay once their modules are loaded, one at least
   */
  kprobeByName(name: string, kept: readonly ModuleInstance[]): LoadedDecisions {
    const own = this.#ownSymbols(name);
    const counting = countsModules(this.kernel);
    const because = (): Evidence[] => {
      const kernels = own === 0 ? 'no symbol' : own === 1 ? 'one symbol' : `${own} symbols`;
      return [{ source: 'kallsyms', says: `the kernel itself has ${kernels} with this name` }, counting.evidence];
    };
    const subject: BareName = { name, kept, own, counting, because };
    return firstOf(BY_NAME, this, subject) ?? ofModules(this, subject);
  }

  /**
   * Loading and attaching an fentry or fexit program by the module's BTF.
   * @param look whether to open the module for its prototype
   */
  fentry(instance: ModuleInstance, look: boolean): { load: Decision; attach: Decision } {
    const target: Target = { instance, found: once(() => (look ? this.#functionOf(instance) : undefined)) };
    const refusal = firstOf(LOAD, this, target);
    if (refusal !== undefined) return { load: refusal, attach: refusal };
    const because = (): Evidence[] => this.becauseOfLoad(target);
    const certainty = this.certaintyOfLoad(target);
    const attach =
      firstOf(ATTACH, this, target) ?? accepted<Decision['because']>(certainty, () => [...because(), ...siteEvidence(instance)]);
    return { load: accepted(certainty, because), attach };
  }

  /** ftrace's filter. */
  ftrace(instance: ModuleInstance): Decision {
    const because = (): Evidence[] => siteEvidence(instance);
    const code = withoutSite(instance);
    return code === undefined ? accepted('proven', because) : refused(code, 'EINVAL', because);
  }

  /** For `X.cold` and the like, whether X has a site: the kernel then checks X (within_notrace_func()), of the kernel itself first. */
  baseHasSite({ name, module }: ModuleInstance): boolean {
    const dot = name.indexOf('.');
    if (dot <= 0) return false;
    const base = name.slice(0, dot);
    const row = this.kernel.symbols.lookup(base);
    if (row !== undefined) return sitesOf(this.kernel).hasLive(row);
    return this.kernel.modules!.find(base).some(other => other.module === module && other.site && other.phase !== 'init');
  }

  certaintyOfLoad(target: Target): 'proven' | 'likely' {
    const prototype = target.found()?.prototype;
    return this.#shadowed(target) || prototype === undefined ? 'likely' : this.tracing.trampolines.certaintyOfCheck(prototype);
  }

  becauseOfLoad(target: Target): Evidence[] {
    const says = "kernels before 31bf1dbccfb0 (6.3) take the kernel's own function of the name, not the module's";
    return [...declaration(target), ...(this.#shadowed(target) ? [{ source: 'release', says }] : [])];
  }

  /** Whether the verifier takes the kernel's own function of the name for the module's. */
  #shadowed({ instance: { name } }: Target): boolean {
    return this.#ownSymbols(name) > 0 && this.kernel.change('moduleFunctionFirst').has !== true;
  }

  /** Symbols of the kernel itself: those of a running one hold its modules' too. */
  #ownSymbols(name: string): number {
    const { symbols } = this.kernel;
    return symbols.find(name).filter(row => symbols.module(row) === undefined).length;
  }

  #functionOf({ path, name }: ModuleInstance): FoundFunction | undefined {
    const btf = this.kernel.modules!.btfOf(path);
    const id = btf?.find(name, 'FUNC').find(id => id >= btf.firstId);
    if (btf === undefined || id === undefined) return undefined;
    return {
      declared: btf.prototype(id),
      prototype: new PrototypeRules(btf, change => this.kernel.change(change).has).check(btf.ownerOf(id).words[btf.recordOf(id) + 2]!),
    };
  }
}

/** The code of a function up to a place in its section, and the place that ftrace patches; a place beyond the section has no code. */
function codeOf(module: Module, { name, offset }: ModuleInstance, place: bigint): { site?: bigint; code?: Uint8Array } {
  const own = module.find(name).find(fn => fn.offset === offset);
  const bytes = own && module.file.section(own.section)?.data();
  return {
    ...(own?.site === undefined ? {} : { site: BigInt(own.site) }),
    ...(bytes === undefined || place >= bytes.length ? {} : { code: bytes.subarray(offset, Number(place) + LONGEST_INSTRUCTION) }),
  };
}

/** The rules for functions of a kernel's modules. */
export const moduleFunctionsOf: (kernel: KernelFacts) => ModuleFunctionRules = oncePerKernel(kernel => new ModuleFunctionRules(kernel));

/** Those of the functions of a name that the module of one of them keeps once it is loaded. */
export function namesakesOf({ module }: ModuleInstance, all: readonly ModuleInstance[]): ModuleInstance[] {
  return all.filter(other => other.module === module && other.phase !== 'init');
}

/** Why ftrace can't trace a function; undefined if it can. */
function withoutSite({ phase, site }: ModuleInstance): ReasonCode | undefined {
  if (phase === 'init') return 'init-text';
  return site ? undefined : 'no-ftrace-site';
}

function siteEvidence({ path, name, section, phase, site }: ModuleInstance): Evidence[] {
  if (phase === 'init') return [{ source: path, says: `${section} is freed once the module is loaded, and its ftrace sites with it` }];
  return [{ source: path, says: site ? `${name} has an ftrace site` : `${name} has no ftrace site: ${WHY_NO_SITE}` }];
}
