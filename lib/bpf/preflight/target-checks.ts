import type { ModuleTraceability } from '../../answers/trace/in-modules.js';
import { traceabilityOf } from '../../answers/trace/traceability.js';
import { tracepointAnswer } from '../../answers/trace/tracepoint.js';
import { accepted, refused, said, untold, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleInstance } from '../../facts/module-table/module-table.js';
import { tracingOf } from '../../rules/tracing.js';
import type { SectionMeaning } from '../names/section-names.js';
import type { BpfProgram } from '../object/programs.js';
import { iterator, lsmHook, lsmInactive } from './hooks.js';
import type { PreflightModules } from './modules.js';

/** The verdict about one target of a program. */
export interface TargetVerdict {
  /** `load for do_exit`, `kprobe on __x64_sys_execve` */
  readonly subject: string;
  readonly verdict: Verdict;
}

/** What libbpf reads of a target for kprobes: `%m[a-zA-Z0-9_.]+%li` (attach_kprobe). */
const KPROBE = /^([A-Za-z0-9_.]+)(?:\+(0x[0-9a-f]+|\d+))?$/i;

/**
 * Iterators that are attached with something to go through (attach_target of struct bpf_iter_reg), without which the kernel refuses them.
 */
const ITERATED: Readonly<Record<string, string>> = { bpf_map_elem: 'a map', bpf_sk_storage_map: 'a map', cgroup: 'a cgroup' };

/** Whether a program attaches to what its section names. */
export class TargetChecks {
  readonly #kernel: KernelFacts;
  readonly #modules: PreflightModules;

  constructor(kernel: KernelFacts, modules: PreflightModules) {
    this.#kernel = kernel;
    this.#modules = modules;
  }

  /** None for programs that a tool attaches itself, to what it names. */
  verdicts({ meaning }: Pick<BpfProgram, 'meaning'>): readonly TargetVerdict[] {
    const found = this.#verdicts(meaning);
    const { definition, target } = meaning;
    const isHook = definition?.grammar === 'lsm' || (definition?.grammar === 'btf-function' && target?.startsWith('bpf_lsm_') === true);
    const inactive = isHook && found.every(({ verdict }) => verdict.outcome !== 'refused') ? lsmInactive(this.#kernel) : undefined;
    return inactive === undefined ? found : [...found, { subject: `calls of ${target}`, verdict: inactive }];
  }

  #verdicts(meaning: SectionMeaning): readonly TargetVerdict[] {
    const { definition, target } = meaning;
    const grammar = definition?.grammar;
    if (definition === undefined || grammar === undefined || grammar === 'struct-ops') return [];
    const name = definition.name;
    if (target === undefined || target === '') {
      const says = definition.needsBtfTarget
        ? `SEC("${meaning.name}") names no target: libbpf refuses to load it unless the tool sets one`
        : `SEC("${meaning.name}") names no target: the tool decides what it attaches to`;
      return [{ subject: `target of ${name}`, verdict: untold('no-target', said('.symtab', says)) }];
    }
    const one = (subject: string, verdict: Verdict): TargetVerdict[] => [{ subject, verdict }];
    switch (grammar) {
      case 'kprobe':
        return one(`${name} on ${target}`, this.#kprobe(name === 'kretprobe', target));
      case 'kprobe-pattern':
        return one(`${name} on ${target}`, this.#pattern(target));
      case 'syscall': {
        const symbol = this.#syscallSymbol(target);
        return one(`${name} on ${symbol}`, this.#kprobe(name === 'kretsyscall', symbol));
      }
      case 'tracepoint':
        return one(`event ${target}`, this.#event(target));
      case 'raw-tracepoint':
        return one(`tracepoint ${target}`, this.#rawTracepoint(target, definition.needsBtfTarget));
      case 'btf-function':
        return this.#trampoline(name.replace(/\.s$/, ''), target);
      case 'lsm':
        return this.#lsm(target);
      case 'iterator':
        return one(`iterator ${target}`, this.#iterator(target));
      case 'btf-pattern':
        return one(
          `${name} on ${target}`,
          untold('target-elsewhere', said('.symtab', `the loader looks up the functions that match ${target}`)),
        );
      case 'program-function':
        return one(
          `${name} ${target}`,
          untold('target-elsewhere', said('.symtab', 'the tool names the program whose function it replaces')),
        );
      case 'uprobe':
      case 'usdt': {
        // uprobes of a section without a file are attached by the tool: libbpf's own attaching refuses them.
        const says = target.includes(':') ? 'the target is in a user-space file' : `${target} names no file: the tool attaches it`;
        return one(`${name} on ${target}`, untold('target-elsewhere', said('.symtab', says)));
      }
    }
  }

  #kprobe(onReturn: boolean, target: string): Verdict {
    const match = KPROBE.exec(target);
    if (match === null) return refused('bad-target', 'EINVAL', said('libbpf', `${target} is not a function name with an offset`));
    const [, symbol, offset] = match;
    if (Number(offset ?? 0) === 0) {
      const answer = traceabilityOf(this.#kernel).answer(symbol!);
      const { byName } = onReturn ? answer.kretprobe : answer.kprobe;
      const [instance] = this.#modules.functions(symbol!);
      const loaded = answer.modules?.loaded?.one;
      if (byName.code !== 'no-symbol' || instance === undefined || loaded === undefined) return this.#unlessModule(byName);
      return this.#modules.in(instance.module, loaded);
    }
    if (onReturn) return refused('not-the-entry', 'EINVAL', said('libbpf', 'a return probe cannot have an offset'));
    const { kprobe, address, modules } = traceabilityOf(this.#kernel).place(target)!;
    const [first] = modules ?? [];
    return address !== undefined || first === undefined ? this.#unlessModule(kprobe) : this.#modules.in(first.function.module, kprobe);
  }

  /** attach_kprobe_multi: a name alone is given to the kernel, a pattern is matched with what ftrace can trace. */
  #pattern(pattern: string): Verdict {
    if (!/^[A-Za-z0-9_.*?]+$/.test(pattern)) return refused('bad-target', 'EINVAL', said('libbpf', `${pattern} is not a function pattern`));
    const { filters } = tracingOf(this.#kernel);
    if (!/[*?]/.test(pattern) || !filters.hasMulti) {
      const { kprobeMulti, modules } = traceabilityOf(this.#kernel).answer(pattern);
      const kept = modules?.functions.filter(each => each.function.phase !== 'init') ?? [];
      const found = kept.find(({ ftrace }) => ftrace.outcome === 'accepted') ?? kept[0];
      if (kprobeMulti.byName.code !== 'no-symbol' || found === undefined) return this.#unlessModule(kprobeMulti.byName);
      // Names are looked up among what ftrace can trace (ftrace_lookup_symbols).
      return this.#modules.in(found.function.module, fromLibbpf(found.ftrace));
    }
    const { functions } = this.#kernel;
    let matched = 0;
    let traceable = 0;
    let unknown = false;
    for (let row = 0; row < functions.count; row++) {
      if (!matchesPattern(functions.name(row), pattern)) continue;
      matched++;
      const { code } = filters.ftraceOfRow(functions.symbolRow[row]!);
      if (code === 'accepted') traceable++;
      unknown ||= code === 'sites-unknown';
    }
    const says = `of ${matched} functions that match ${pattern} ftrace can trace`;
    if (traceable > 0 && traceable === matched) return accepted('proven', said('kallsyms', `${says} all`));
    // Since 1.3 it uses available_filter_functions; before, one that can't be traced keeps the link from being made.
    if (traceable > 0)
      return accepted(
        'likely',
        said('kallsyms', `${says} ${traceable}; libbpf before 1.3 asks for the others too, and the kernel refuses`),
      );
    if (unknown) return untold('sites-unknown', said('kallsyms', `${says} an unknown number`));
    const table = this.#kernel.modules;
    for (let row = 0; row < (table?.count ?? 0); row++) {
      if (!matchesPattern(table!.name(row), pattern)) continue;
      const { site, phase, name, module, path } = table!.at(row);
      if (site && phase !== 'init')
        return this.#modules.in(module, accepted('proven', said(path, `${says} none; ftrace can trace ${name} of ${module}`)));
    }
    return this.#modules.unless(refused('no-match', 'ENOENT', said('kallsyms', `${says} none`)));
  }

  /** The entry of a system call (attach_ksyscall): wrapped where the kernel has a wrapper of bpf(2). */
  #syscallSymbol(name: string): string {
    const prefix = this.#kernel.arch.syscalls.libbpf;
    return prefix !== undefined && this.#kernel.hasFunction(`${prefix}bpf`) !== false ? `${prefix}${name}` : `__se_sys_${name}`;
  }

  #event(target: string): Verdict {
    const slash = target.indexOf('/');
    if (slash < 0) return refused('bad-target', 'EINVAL', said('libbpf', `${target} is not of the form category/name`));
    const system = target.slice(0, slash);
    const name = target.slice(slash + 1);
    const { event, found } = tracepointAnswer(this.#kernel, name);
    if (event.outcome === 'accepted' && found?.system !== undefined && found.system !== system) {
      return refused('no-trace-event', 'ENOENT', said('_ftrace_events', `the event is ${found.system}:${found.name}`));
    }
    // perf_event_set_bpf_prog() wants TRACE_EVENT_FL_TRACEPOINT, or a system call's: the records of ftrace's own buffer have neither.
    if (event.outcome === 'accepted' && system === 'ftrace') {
      return refused(
        'no-trace-event',
        'EINVAL',
        said('_ftrace_events', `${target} is one of ftrace's own records, not a tracepoint: BPF cannot attach to it`),
      );
    }
    if (event.code !== 'no-tracepoint') return event;
    return this.#ofModule(event, name, ({ module, path }, symbols) => {
      if (!symbols.has(`event_${name}`)) return refused('no-trace-event', 'ENOENT', said(path, `no event_${name}`));
      // TRACE_SYSTEM, as the module's events have it.
      if (!symbols.has(`str__${system}__trace_system_name`))
        return refused('no-trace-event', 'ENOENT', said(path, `no event of ${module} is in ${system}`));
      return accepted('proven', said(path, `event_${name} is there`));
    });
  }

  #rawTracepoint(name: string, typed: boolean): Verdict {
    const answer = tracepointAnswer(this.#kernel, name);
    const verdict = typed ? fromLibbpf(answer.tpBtf) : answer.rawTracepoint;
    if (verdict.code !== 'no-tracepoint') return verdict;
    return this.#ofModule(verdict, name, (instance, symbols) => {
      const { path } = instance;
      if (!typed) {
        const map = `__bpf_trace_tp_map_${name}`;
        return symbols.has(map)
          ? accepted('proven', said(path, `${map} is there`))
          : refused('no-raw-tracepoint', 'ENOENT', said(path, `no ${map}`));
      }
      const btf = this.#modules.btfOf(instance);
      const [id] = btf?.find(`btf_trace_${name}`, 'TYPEDEF') ?? [];
      if (id === undefined) return refused('no-tracepoint-btf', 'ESRCH', said(`${path}: .BTF`, `no typedef btf_trace_${name}`));
      return accepted('proven', said(`${path}: .BTF`, `TYPEDEF [${id}] btf_trace_${name}`));
    });
  }

  /** A module that has the tracepoint has the function that calls its probes (DEFINE_TRACE). */
  #ofModule(verdict: Verdict, name: string, ask: (instance: ModuleInstance, symbols: ReadonlySet<string>) => Verdict): Verdict {
    const [instance] = this.#modules.functions(`__traceiter_${name}`);
    if (instance === undefined) return this.#modules.unless(verdict);
    return this.#modules.in(instance.module, ask(instance, this.#modules.symbolsOf(instance)));
  }

  #trampoline(kind: string, target: string): TargetVerdict[] {
    const [module, inModule] = target.split(':');
    const name = inModule ?? module!;
    const answer = traceabilityOf(this.#kernel).answer(name);
    const { load, attach } = kind === 'fmod_ret' ? answer.fmodRet : kind === 'fentry' ? answer.fentry : answer.fexit;
    const named = inModule !== undefined && module !== 'vmlinux';
    if (named || load.code === 'no-btf-func') {
      const found = this.#trampolineInModule(kind, name, named ? module : undefined, answer.modules?.functions ?? []);
      if (found !== undefined) return found;
    }
    const loading = { subject: `${kind} for ${name}`, verdict: this.#unlessModule(load.code === 'no-btf-func' ? fromLibbpf(load) : load) };
    // What is not loaded is not attached.
    return load.outcome === 'refused' ? [loading] : [loading, { subject: `${kind} on ${name}`, verdict: attach }];
  }

  /** By the BTF of the first module that has the function, or of the one that is named (find_kernel_btf_id); undefined if none has. */
  #trampolineInModule(
    kind: string,
    name: string,
    module: string | undefined,
    all: readonly ModuleTraceability[],
  ): TargetVerdict[] | undefined {
    const subject = `${kind} for ${module === undefined ? name : `${module}:${name}`}`;
    if (module !== undefined && this.#kernel.modules === undefined) {
      return [
        { subject, verdict: untold('in-module', said('kernel', `${module} has its own BTF, but no module was read: pass --modules DIR`)) },
      ];
    }
    const places = all.filter(({ function: fn }) => fn.btf && (module === undefined || fn.module === module));
    const found = places.find(({ fentry }) => fentry.attach.outcome === 'accepted') ?? places[0];
    if (found === undefined) {
      if (module === undefined) return undefined;
      return [
        {
          subject,
          verdict: refused('no-btf-func', 'ESRCH', said('kernel', `no module that was read is named ${module} and has a FUNC ${name}`)),
        },
      ];
    }
    const { function: fn } = found;
    if (kind === 'fmod_ret') {
      return [
        {
          subject,
          verdict: untold(
            'in-module',
            said(fn.path, `${fn.module} tells the kernel which of its functions may be changed only when it loads`),
          ),
        },
      ];
    }
    const { load, attach } = kind === 'fentry' ? found.fentry : found.fexit;
    if (load.outcome === 'refused') return [{ subject, verdict: load }];
    return [{ subject: `${kind} on ${fn.module}:${name}`, verdict: this.#modules.in(fn.module, attach) }];
  }

  /** A hook is a function that does nothing, which the program is attached to as fmod_ret is (bpf_trampoline_link_prog). */
  #lsm(target: string): TargetVerdict[] {
    const hook = `bpf_lsm_${target}`;
    const loading = { subject: `hook ${target}`, verdict: lsmHook(this.#kernel, target) };
    if (loading.verdict.outcome !== 'accepted') return [loading];
    return [loading, { subject: `lsm on ${hook}`, verdict: traceabilityOf(this.#kernel).answer(hook).fexit.attach }];
  }

  #iterator(name: string): Verdict {
    const own = iterator(this.#kernel, name);
    // Hooks are the kernel's own (security/security.c), iterators are not.
    const verdict = own.code === 'no-iterator' ? this.#modules.unless(own) : own;
    const of = ITERATED[name];
    if (verdict.outcome !== 'accepted' || of === undefined) return verdict;
    return untold('no-target', said('kernel', `the iterator exists; it attaches to ${of}, which the tool passes`));
  }

  /** Only a name that the kernel itself does not have may be a module's. */
  #unlessModule(verdict: Verdict): Verdict {
    return verdict.code === 'no-symbol' || verdict.code === 'no-btf-func' ? this.#modules.unless(verdict) : verdict;
  }
}

/** What is not found is answered with ESRCH: by libbpf, which looks for types in BTF itself (find_kernel_btf_id). */
function fromLibbpf(verdict: Verdict): Verdict {
  return verdict.outcome === 'refused' ? { ...verdict, errno: 'ESRCH' } : verdict;
}

/** libbpf's glob_match: `*` and `?`. In time that is a product of the lengths, whatever the pattern. */
export function matchesPattern(name: string, pattern: string): boolean {
  let star = -1;
  let resume = 0;
  let at = 0;
  for (let i = 0; i < name.length; ) {
    if (pattern[at] === '*') {
      star = at++;
      resume = i;
    } else if (pattern[at] === '?' || pattern[at] === name[i]) {
      at++;
      i++;
    } else if (star >= 0) {
      // What follows the last star begins a character later.
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
