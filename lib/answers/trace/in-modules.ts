import type { Errno, Evidence, Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleAnchor, ModuleInstance } from '../../facts/module-table/module-table.js';
import type { ReasonCode } from '../../reasons.js';
import { countsModules } from '../../rules/name-counting.js';
import { sitesOf } from '../../rules/sites.js';
import type { TracingRules } from '../../rules/tracing.js';
import { describePrototype, PrototypeRules } from '../../rules/trampoline-prototype.js';

/** What each mechanism says about one function of a module, once that module is loaded. */
export interface ModuleTraceability {
  readonly function: ModuleInstance;
  /** How a kprobe names it, whatever else is loaded: `MOD:SYM`, or by its distance from a symbol that is the only one of its name. */
  readonly probe: string;
  /** What it is counted from there; absent if it is the only one of its name in the module. */
  readonly anchor?: ModuleAnchor;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
  /** Through the module's own BTF. */
  readonly fentry: { readonly load: Verdict; readonly attach: Verdict };
  readonly fexit: { readonly load: Verdict; readonly attach: Verdict };
  readonly ftrace: Verdict;
}

/** The answer for a kprobe by the bare name, depending on how many of the modules that have it are loaded. */
export interface LoadedVerdicts {
  readonly one: Verdict;
  /** Absent if one module alone has it. */
  readonly several?: Verdict;
}

/** The part of an answer that covers modules. */
export interface NameInModules {
  readonly functions: readonly ModuleTraceability[];
  /** Absent where only init code has the name: its symbols are gone once a module is loaded. */
  readonly loaded?: LoadedVerdicts;
}

/** A code, and what the kernel answers with where it refuses. */
interface Ruling {
  readonly code: ReasonCode;
  readonly errno?: Errno | undefined;
}

/** More instances than these are answered for without a look into their BTF: every module has an init_module. */
const MOST_OPENED = 64;

/** Tracing of a name in modules; undefined if no module was read. */
export function traceInModules(kernel: KernelFacts, tracing: TracingRules, name: string): NameInModules | undefined {
  const { modules } = kernel;
  if (modules === undefined) return undefined;
  const instances = modules.find(name);
  const loaded = loadedVerdicts(kernel, tracing, name);
  const functions = instances.map((instance, i): ModuleTraceability => {
    const namesakes = namesakesOf(instance, instances);
    const anchor = namesakes > 1 ? modules.anchorOf(instance.row) : undefined;
    const kprobe = kprobeOfPlace(
      kprobeVerdict(kernel, tracing, instance, namesakes),
      instance,
      instances,
      namesakes > 1 && anchor === undefined,
    );
    const [load, attach] = fentryVerdicts(kernel, tracing, instance, i < MOST_OPENED);
    return {
      function: instance,
      probe: `${instance.module}:${anchor === undefined ? name : `${anchor.symbol}+0x${anchor.offset.toString(16)}`}`,
      ...(anchor === undefined ? {} : { anchor }),
      kprobe,
      kretprobe: kprobe,
      fentry: { load, attach },
      fexit: { load, attach },
      ftrace: verdict(siteDecision(instance, 'EINVAL'), siteEvidence(instance)),
    };
  });
  return { functions, ...(loaded === undefined ? {} : { loaded }) };
}

/** How many functions of its name a loaded module has. */
function namesakesOf({ module }: ModuleInstance, all: readonly ModuleInstance[]): number {
  return all.filter(other => other.module === module && other.phase !== 'init').length;
}

/**
 * Where nothing is before one of several functions to count from, its name leads to the first of them, on kernels that take it at all.
 */
function kprobeOfPlace(verdict: Verdict, { row, module }: ModuleInstance, all: readonly ModuleInstance[], byName: boolean): Verdict {
  if (!byName || verdict.outcome !== 'accepted') return verdict;
  const first = all.find(other => other.module === module && other.phase !== 'init');
  return first?.row === row
    ? { ...verdict, certainty: 'likely' }
    : { ...verdict, outcome: 'refused', code: 'ambiguous-name', errno: 'EADDRNOTAVAIL' };
}

/** A kprobe at the function, by its place: register_kprobe() and the tracefs layer above it, on a loaded module. */
function kprobeVerdict(kernel: KernelFacts, tracing: TracingRules, instance: ModuleInstance, namesakes: number): Verdict {
  const { path, module, name, section } = instance;
  const evidence: Evidence[] = [];
  if (namesakes > 1) {
    const says = `${namesakes} functions of ${module} share this name: MOD:SYM resolves to the first, or is refused (6.6 and later)`;
    evidence.push({ source: `${path}: .symtab`, says });
  }
  if (!tracing.kprobes.enabled)
    return verdict({ code: 'no-kprobes', errno: 'ENOENT' }, [{ source: '.config', says: 'CONFIG_KPROBES is not set' }]);
  const site = siteEvidence(instance);
  if (instance.phase === 'init') {
    const says = `${section} is freed once ${module} is loaded: p:${module}:${name}, written to kprobe_events before that, is set while the module initializes`;
    return verdict({ code: 'init-text', errno: 'ENOENT' }, [{ source: path, says }]);
  }
  if (tracing.kprobes.notrace.refuses && !instance.site && !baseHasSite(kernel, instance)) {
    return verdict({ code: 'no-ftrace-site', errno: 'EINVAL' }, [
      { source: 'kernel', says: 'within_notrace_func() refuses functions that ftrace cannot trace' },
      ...evidence,
      ...site,
    ]);
  }
  if (instance.blacklisted) {
    const says = `the kprobe blacklist of ${module} covers it (${section === '.text' ? '_kprobe_blacklist' : section})`;
    return verdict({ code: 'kprobe-blacklisted', errno: 'EINVAL' }, [{ source: path, says }, ...evidence]);
  }
  // Without a site, the first instruction may be one that the kernel patches: a module's tables of these are not looked at.
  return verdict({ code: 'accepted' }, [...evidence, ...site], instance.site ? 'proven' : 'likely');
}

/** For `X.cold` and the like, whether X has a site: the kernel then checks X (within_notrace_func()), of the kernel itself first. */
function baseHasSite(kernel: KernelFacts, { name, module }: ModuleInstance): boolean {
  const dot = name.indexOf('.');
  if (dot <= 0) return false;
  const base = name.slice(0, dot);
  const row = kernel.symbols.lookup(base);
  if (row !== undefined) return sitesOf(kernel).hasLive(row);
  return kernel.modules!.find(base).some(other => other.module === module && other.site && other.phase !== 'init');
}

/** Loading and attaching an fentry or fexit program by the module's BTF (bpf_check_attach_target(), register_fentry()). */
function fentryVerdicts(
  kernel: KernelFacts,
  tracing: TracingRules,
  instance: ModuleInstance,
  look: boolean,
): [load: Verdict, attach: Verdict] {
  const both = (decision: Ruling, says: string): [Verdict, Verdict] => {
    const refused = verdict(decision, [{ source: `${instance.path}: .BTF`, says }]);
    return [refused, refused];
  };
  const { name, path } = instance;
  if (kernel.btf === undefined)
    return both({ code: 'no-btf', errno: 'EINVAL' }, `${kernel.name} has no BTF, the base of a module's split BTF`);
  if (!instance.btf) {
    const twin = kernel.btf.find(name, 'FUNC').length > 0;
    const why = twin ? `; the kernel's BTF has one: if the prototypes are the same, pahole keeps only that one` : '';
    return both({ code: 'no-btf-func', errno: 'ENOENT' }, `no FUNC is named ${name}${why}`);
  }
  const found = look ? functionOf(kernel, instance) : undefined;
  const evidence: Evidence[] = found === undefined ? [] : [{ source: `${path}: .BTF`, says: `FUNC ${found.prototype}: ${found.says}` }];
  if (found?.code !== undefined) {
    const refused = verdict({ code: found.code, errno: 'EINVAL' }, evidence);
    return [refused, refused];
  }
  const shadowed = ownSymbols(kernel, name) > 0 && kernel.change('moduleFunctionFirst').has !== true;
  if (shadowed) {
    const says = "kernels before 31bf1dbccfb0 (6.3) take the kernel's own function of the name, not the module's";
    evidence.push({ source: 'release', says });
  }
  const certainty = shadowed || found === undefined ? 'likely' : 'proven';
  const load = verdict({ code: 'accepted' }, evidence, certainty);
  if (!tracing.trampolines.directCalls) {
    const says = 'no register_ftrace_direct: built without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS';
    return [load, verdict({ code: 'no-trampoline', errno: 'ENOTSUPP' }, [...evidence, { source: 'kallsyms', says }])];
  }
  if ((found?.slots ?? 0) > tracing.trampolines.mostSlots.count) {
    return [load, verdict({ code: 'too-many-arguments', errno: 'ENOTSUPP' }, [...evidence, tracing.trampolines.mostSlots.evidence])];
  }
  // Without a site, bpf_arch_text_poke() refuses: x86 text that is not the kernel's own, others all.
  const errno = kernel.arch.trampolines.withoutSite.module;
  return [load, verdict(siteDecision(instance, errno), [...evidence, ...siteEvidence(instance)], certainty)];
}

interface FoundFunction {
  readonly prototype: string;
  readonly says: string;
  readonly slots: number;
  readonly code?: ReasonCode;
}

/** The FUNC in the module's BTF, as the verifier sees it; undefined if the file can't be read any more. */
function functionOf(kernel: KernelFacts, { path, name }: ModuleInstance): FoundFunction | undefined {
  const btf = kernel.modules!.btfOf(path);
  const id = btf?.find(name, 'FUNC').find(id => id >= btf.firstId);
  if (btf === undefined || id === undefined) return undefined;
  const check = new PrototypeRules(btf).check(btf.ownerOf(id).words[btf.recordOf(id) + 2]!);
  const { code, slots } = check;
  return { prototype: btf.prototype(id), says: describePrototype(check), slots, ...(code === undefined ? {} : { code }) };
}

/**
 * A kprobe by the bare name, by what number_of_same_symbols() of kernel/trace/trace_kprobe.c counts; undefined if no module keeps a
 * function of that name once it is loaded.
 */
export function loadedVerdicts(kernel: KernelFacts, tracing: TracingRules, name: string): LoadedVerdicts | undefined {
  const all = kernel.modules?.find(name) ?? [];
  const kept = all.filter(({ phase }) => phase !== 'init');
  const [first] = kept;
  if (first === undefined) return undefined;
  const own = ownSymbols(kernel, name);
  const modules = new Set(kept.map(({ module }) => module)).size;
  const { refuses } = tracing.kprobes.countsNames;
  const counting = countsModules(kernel);
  const kernels = own === 0 ? 'no symbol' : own === 1 ? 'one symbol' : `${own} symbols`;
  const evidence = [{ source: 'kallsyms', says: `the kernel itself has ${kernels} with this name` }, counting.evidence];
  const bare = tracing.kprobes.byName(name);
  // The kernel's own come first wherever names are not counted, or not over modules.
  const unaffected = own > 1 || (own === 1 && (!refuses || !counting.counts || counting.kernelFirst));
  const ambiguous = verdict({ code: 'ambiguous-name', errno: 'EADDRNOTAVAIL' }, evidence, counting.certainty);
  if (unaffected) {
    const same = verdict(bare, evidence, counting.certainty);
    return { one: same, ...(modules > 1 ? { several: same } : {}) };
  }
  if (own === 1) return { one: ambiguous, ...(modules > 1 ? { several: ambiguous } : {}) };
  if (refuses && !counting.counts) {
    const unknown = verdict({ code: 'no-symbol', errno: 'ENOENT' }, evidence, counting.certainty);
    return { one: unknown, ...(modules > 1 ? { several: unknown } : {}) };
  }
  // What the one module's function says; where modules differ in that, what the first says, as likely.
  const verdicts = kept.map(instance => {
    const namesakes = namesakesOf(instance, all);
    return namesakes > 1 && refuses ? ambiguous : kprobeVerdict(kernel, tracing, instance, namesakes);
  });
  const alike = verdicts.every(({ code }) => code === verdicts[0]!.code);
  const one = alike ? verdicts[0]! : { ...verdicts[0]!, certainty: 'likely' as const };
  const several = refuses ? ambiguous : { ...one, certainty: 'likely' as const };
  return { one, ...(modules > 1 ? { several } : {}) };
}

/** Symbols of the kernel itself: those of a running one hold its modules' too. */
function ownSymbols({ symbols }: KernelFacts, name: string): number {
  return symbols.find(name).filter(row => symbols.module(row) === undefined).length;
}

function siteDecision({ phase, site }: ModuleInstance, errno: 'EINVAL' | 'ENOTSUPP'): Ruling {
  if (phase === 'init') return { code: 'init-text', errno };
  return site ? { code: 'accepted' } : { code: 'no-ftrace-site', errno };
}

function siteEvidence({ path, name, section, phase, site }: ModuleInstance): Evidence[] {
  if (phase === 'init') return [{ source: path, says: `${section} is freed once the module is loaded, and its ftrace sites with it` }];
  const says = site
    ? `${name} has an ftrace site`
    : `${name} has no ftrace site: notrace, noinstr, inline copy, assembly, or a part split off`;
  return [{ source: path, says }];
}

function verdict({ code, errno }: Ruling, because: readonly Evidence[], certainty: 'proven' | 'likely' = 'proven'): Verdict {
  return { outcome: errno === undefined ? 'accepted' : 'refused', code, certainty, ...(errno === undefined ? {} : { errno }), because };
}
