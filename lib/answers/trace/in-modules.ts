import { isPlainName } from '../../../elf/escape.js';
import { refused, said, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleAnchor, ModuleInstance } from '../../facts/module-table/module-table.js';
import { verdictOf } from '../../rules/decision.js';
import { moduleFunctionsOf, namesakesOf } from '../../rules/module-functions.js';

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

/** A place in a function of a module, and what is said of a kprobe there once the module is loaded. */
export interface ModulePlace {
  readonly function: ModuleInstance;
  /** Bytes from its start. */
  readonly distance: bigint;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
}

/** No line can name it, whatever the kernel would say. */
const UNWRITABLE: Verdict = refused(
  'unwritable-name',
  undefined,
  said('.symtab', 'the name, or that of its module, has other characters than letters, digits, _, . and $'),
);

/** More instances than these are answered for without a look into their BTF: every module has an init_module. */
const MOST_OPENED = 64;

/** Tracing of a name in modules; undefined if no module was read. */
export function traceInModules(kernel: KernelFacts, name: string): NameInModules | undefined {
  const { modules } = kernel;
  if (modules === undefined) return undefined;
  const rules = moduleFunctionsOf(kernel);
  const instances = modules.find(name);
  const loaded = loadedVerdicts(kernel, name);
  const functions = instances.map((instance, i): ModuleTraceability => {
    const namesakes = namesakesOf(instance, instances);
    const several = namesakes.length > 1;
    const anchor = several || !isPlainName(name) ? modules.anchorOf(instance.row) : undefined;
    const unwritable = !isPlainName(instance.module) || (!isPlainName(name) && anchor === undefined);
    const kprobe = unwritable ? UNWRITABLE : verdictOf(rules.kprobe(instance, namesakes, several && anchor === undefined));
    const decisions = rules.fentry(instance, i < MOST_OPENED);
    const trampoline = { load: verdictOf(decisions.load), attach: verdictOf(decisions.attach) };
    return {
      function: instance,
      probe: `${instance.module}:${anchor === undefined ? name : `${anchor.symbol}+0x${anchor.offset.toString(16)}`}`,
      ...(anchor === undefined ? {} : { anchor }),
      kprobe,
      kretprobe: kprobe,
      fentry: trampoline,
      fexit: trampoline,
      ftrace: verdictOf(rules.ftrace(instance)),
    };
  });
  return { functions, ...(loaded === undefined ? {} : { loaded }) };
}

/** A kprobe by the bare name; undefined if no module keeps a function of that name once it is loaded. */
export function loadedVerdicts(kernel: KernelFacts, name: string): LoadedVerdicts | undefined {
  const kept = kernel.modules?.find(name).filter(({ phase }) => phase !== 'init') ?? [];
  if (kept.length === 0) return undefined;
  const { one, several } = moduleFunctionsOf(kernel).kprobeByName(name, kept);
  const modules = new Set(kept.map(({ module }) => module)).size;
  return { one: verdictOf(one), ...(modules > 1 ? { several: verdictOf(several) } : {}) };
}

/** `nf_nat:nf_nat_setup_info` */
export const OF_MODULE: RegExp = /^([\w-]+):([^:]+)$/;

/** The functions of modules that a text names: by their name, or as MODULE:NAME. */
export function instancesNamed({ modules }: KernelFacts, text: string): readonly ModuleInstance[] {
  const bare = modules?.find(text) ?? [];
  const [, module, name] = OF_MODULE.exec(text) ?? [];
  if (bare.length > 0 || module === undefined || modules === undefined) return bare;
  // The kernel writes a module's name with _ for -.
  return modules.find(name!).filter(instance => instance.module === module.replaceAll('-', '_'));
}

/** Kprobes at a distance from the functions of modules that a name names; undefined if there are none. */
export function placesInModules(kernel: KernelFacts, text: string, distance: bigint): ModulePlace[] | undefined {
  const instances = instancesNamed(kernel, text);
  if (instances.length === 0) return undefined;
  return instances.map(instance => placeInInstance(kernel, instance, namesakesOf(instance, instances), distance));
}

/** A kprobe at a distance from one function. @param namesakes those of the module that the probe's name stands for */
export function placeInInstance(
  kernel: KernelFacts,
  instance: ModuleInstance,
  namesakes: readonly ModuleInstance[],
  distance: bigint,
): ModulePlace {
  const kprobe = verdictOf(moduleFunctionsOf(kernel).inside(instance, namesakes, distance));
  const late = distance > 0n && kprobe.outcome !== 'refused';
  const kretprobe: Verdict = late ? refused('not-the-entry', 'EINVAL', kprobe.because) : kprobe;
  return { function: instance, distance, kprobe, kretprobe };
}

/** Tracing of the functions that MODULE:NAME names; undefined where it names none. */
export function traceInModule(kernel: KernelFacts, text: string): NameInModules | undefined {
  const [first] = OF_MODULE.test(text) ? instancesNamed(kernel, text) : [];
  if (first === undefined) return undefined;
  const all = traceInModules(kernel, first.name)!;
  return { functions: all.functions.filter(({ function: { module } }) => module === first.module) };
}
