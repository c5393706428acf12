import { accepted, type Evidence, refused, untold, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { tracingOf } from '../../rules/tracing.js';
import { missingBtf } from '../missing-btf/missing-btf.js';
import type { ModuleTraceability } from '../trace/in-modules.js';
import type { TraceabilityAnswer } from '../trace/traceability.js';
import { decide, type MechanismName } from './mechanisms.js';

/** What mechanisms say about a function that is required of a module, or of a name that modules have too. */
export class ModuleRequirement {
  readonly #kernel: KernelFacts;
  readonly #answer: TraceabilityAnswer;
  readonly #module: string | undefined;
  /** The functions of the name; where a module is named, of that one alone. */
  readonly functions: readonly ModuleTraceability[];

  /** @param kernel whose `modules` were read */
  constructor(kernel: KernelFacts, answer: TraceabilityAnswer, module: string | undefined) {
    this.#kernel = kernel;
    this.#answer = answer;
    this.#module = module;
    const all = answer.modules?.functions ?? [];
    this.functions = module === undefined ? all : all.filter(each => each.function.module === module);
  }

  /** Undefined if it is not told of functions in modules. */
  decide(mechanism: MechanismName): Verdict | undefined {
    if (this.functions.length === 0) return refused('no-symbol', undefined, this.#absent());
    const modules = [...new Set(this.functions.map(each => each.function.module))];
    const verdicts = modules.map(module => this.#decideIn(module, mechanism));
    const decisive = verdicts.find(verdict => verdict?.outcome === 'refused') ?? verdicts.find(verdict => verdict?.outcome !== 'accepted');
    const said = verdicts.includes(undefined) && decisive?.outcome !== 'refused' ? undefined : (decisive ?? verdicts[0]);
    return said === undefined || this.#module !== undefined ? said : this.#onceLoaded(mechanism, said);
  }

  /** What the kernel itself says about a name by which modules, once they are loaded, may make it ambiguous: it depends on which are. */
  ofKernel(mechanism: MechanismName, verdict: Verdict): Verdict {
    return this.functions.length === 0 ? verdict : this.#onceLoaded(mechanism, verdict);
  }

  #onceLoaded(mechanism: MechanismName, verdict: Verdict): Verdict {
    const loaded = this.#answer.modules?.loaded;
    if (verdict.outcome !== 'accepted' || loaded === undefined) return verdict;
    const kept = this.functions.filter(stays);
    const modules = [...new Set(kept.map(each => each.function.module))];
    const named = `${modules.slice(0, 4).join(', ')}${modules.length > 4 ? ` and ${modules.length - 4} more` : ''}`;
    const because: Evidence[] = [{ source: 'kernel', says: `it depends on which of these modules are loaded: ${named}` }];
    if (mechanism === 'unique') {
      const several = this.#answer.functions.length + kept.length > 1;
      return several ? untold('ambiguous-name', because) : verdict;
    }
    if (mechanism !== 'kprobe' && mechanism !== 'kretprobe') return verdict;
    const other = [loaded.one, loaded.several].find(each => each !== undefined && each.outcome !== 'accepted');
    if (other === undefined) return this.#answer.functions.length > 0 ? verdict : loaded.one;
    return { ...other, ...untold(other.code, [...because, ...other.because]) };
  }

  #decideIn(module: string, mechanism: MechanismName): Verdict | undefined {
    const all = this.functions.filter(each => each.function.module === module);
    const kept = all.filter(stays);
    const subjects = kept.length > 0 ? kept : all;
    const first = subjects[0]!;
    const several = subjects.length > 1;
    const ambiguous = refused('ambiguous-name', undefined, [
      { source: first.function.path, says: `${subjects.length} functions of ${module} are named ${this.#answer.name}` },
    ]);
    switch (mechanism) {
      case 'symbol':
        return accepted('proven', []);
      case 'unique':
        return several ? ambiguous : accepted('proven', []);
      case 'btf':
        return first.function.btf ? accepted('proven', []) : first.fentry.load;
      case 'kprobe':
      case 'kretprobe':
        // By MOD:SYM, which is counted where names are.
        return several && tracingOf(this.#kernel).kprobes.countsNames.refuses ? ambiguous : first[mechanism];
      case 'kprobe-address':
        return worst(subjects.map(({ kprobe }) => kprobe));
      case 'kretprobe-address':
        return worst(subjects.map(({ kretprobe }) => kretprobe));
      case 'fentry':
      case 'fexit':
        return worst([first[mechanism].load, first[mechanism].attach]);
      case 'ftrace':
        return subjects.find(({ ftrace }) => ftrace.outcome === 'accepted')?.ftrace ?? first.ftrace;
      case 'kprobe.multi': {
        // Names are looked up among what ftrace can trace, of modules too (ftrace_lookup_symbols).
        const { byName } = this.#answer.kprobeMulti;
        return byName.code === 'no-kprobe-multi' ? byName : this.#decideIn(module, 'ftrace');
      }
      default:
        // Where the kernel has no such thing at all, a function of a module makes no difference.
        return UNBUILT.has(this.#ofKernel(mechanism).code) ? this.#ofKernel(mechanism) : undefined;
    }
  }

  #ofKernel(mechanism: MechanismName): Verdict {
    return decide(mechanism, { answer: this.#answer, missingBtf: () => missingBtf(this.#kernel, this.#answer.name) });
  }

  #absent(): Evidence[] {
    const { modules } = this.#kernel.modules!;
    const module = modules.find(({ name }) => name === this.#module);
    if (module !== undefined) return [{ source: `${module.path}: .symtab`, says: `no function is named ${this.#answer.name}` }];
    return [{ source: 'modules', says: `none of the ${modules.length} modules that were read is named ${this.#module}` }];
  }
}

const UNBUILT: ReadonlySet<string> = new Set(['no-fprobe-events', 'no-trampoline', 'no-btf']);

function stays({ function: { phase } }: ModuleTraceability): boolean {
  return phase !== 'init';
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.find(({ outcome }) => outcome === 'refused') ?? verdicts.find(({ outcome }) => outcome === 'open') ?? verdicts.at(-1)!;
}
