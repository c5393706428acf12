import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { ACCEPTED, type Decision, UNKNOWN } from './decision.js';
import { deniedIds, noreturnIds } from './id-sets.js';
import type { KprobeRules } from './kprobes.js';
import { type Modifiable, ModifyReturn } from './modify-return.js';
import { type PrototypeCheck, PrototypeRules } from './trampoline-prototype.js';
import { mostSlots } from './trampoline-slots.js';

/** Programs that run in a BPF trampoline: fentry, fexit, fmod_ret. A FUNC is given by its id in `kernel.btf`. */
export class TrampolineRules {
  readonly #kernel: KernelFacts;
  readonly #rules: KprobeRules;
  /** Whether ftrace calls BPF trampolines directly. */
  readonly directCalls: boolean;
  /** How many registers a trampoline passes. */
  readonly mostSlots: { readonly count: number; readonly evidence: Evidence };
  #prototypes: PrototypeRules | undefined;
  #denied: ReadonlySet<number> | undefined;
  #noreturn: ReadonlySet<number> | undefined;
  #modifyReturn: ModifyReturn | undefined;

  constructor(kernel: KernelFacts, rules: KprobeRules) {
    this.#kernel = kernel;
    this.#rules = rules;
    const has = (name: string): boolean => kernel.symbols.lookup(name) !== undefined;
    this.directCalls = has('register_ftrace_direct') || has('register_ftrace_direct_multi');
    this.mostSlots = mostSlots(kernel);
  }

  /** Loading an fentry program for a FUNC: bpf_check_attach_target() in kernel/bpf/verifier.c. */
  fentryLoad(functionId: number): Decision {
    const func = this.func(functionId);
    if (func === undefined) return { code: 'no-btf-func', errno: 'ENOENT' };
    if (func.prototype.code !== undefined) return { code: func.prototype.code, errno: 'EINVAL' };
    if (func.symbolRow < 0) return { code: 'no-symbol', errno: 'ENOENT' };
    if (this.denied.has(functionId)) return { code: 'btf-denied', errno: 'EINVAL' };
    return ACCEPTED;
  }

  /** Loading an fexit program: the same, but for functions that do not return (noreturn_deny, 6.15 and carried back). */
  fexitLoad(functionId: number): Decision {
    const load = this.fentryLoad(functionId);
    return load.errno === undefined && this.noreturn.has(functionId) ? { code: 'noreturn', errno: 'EINVAL' } : load;
  }

  /** Loading an fmod_ret program: as fexit, and the function must be one whose result may be changed. */
  fmodRetLoad(functionId: number): Decision {
    const load = this.fexitLoad(functionId);
    if (load.errno !== undefined) return load;
    const { outcome } = this.modifiable(functionId)!;
    if (outcome === 'open') return { code: 'error-injection-unknown' };
    return outcome === 'accepted' ? ACCEPTED : { code: 'not-modifiable', errno: 'EINVAL' };
  }

  /** Whether the result of a FUNC's function may be changed; undefined for a FUNC without a symbol. */
  modifiable(functionId: number): Modifiable | undefined {
    const row = this.func(functionId)?.symbolRow ?? -1;
    this.#modifyReturn ??= new ModifyReturn(this.#kernel);
    return row < 0 ? undefined : this.#modifyReturn.check(functionId, row);
  }

  /** Attaching an fexit program for a FUNC. */
  fexitAttach(functionId: number): Decision {
    const load = this.fexitLoad(functionId);
    return load.errno === undefined ? this.fentryAttach(functionId) : load;
  }

  /** Attaching an fmod_ret program for a FUNC. */
  fmodRetAttach(functionId: number): Decision {
    const load = this.fmodRetLoad(functionId);
    return load.code === 'accepted' ? this.fentryAttach(functionId) : load;
  }

  /**
   * Attaching an fentry program: the name leads to the lowest address that bears it (kallsyms_lookup_name()), whether or not that one has an ftrace
   * site. bpf_trampoline_link_prog(), register_fentry() in kernel/bpf/trampoline.c.
   */
  fentryAttach(functionId: number): Decision {
    const load = this.fentryLoad(functionId);
    if (load.errno !== undefined) return load;
    if (!this.directCalls) return { code: 'no-trampoline', errno: 'ENOTSUPP' };
    const { symbols, arch } = this.#kernel;
    const { withoutSite, takesAnyNop } = arch.trampolines;
    const { prototype, symbolRow } = this.func(functionId)!;
    if (prototype.slots > this.mostSlots.count) return { code: 'too-many-arguments', errno: 'ENOTSUPP' };
    if (this.#rules.hasLiveSite(symbolRow)) return ACCEPTED;
    if (this.#rules.undecided(symbolRow)) return UNKNOWN;
    // Without a site the call would have to be patched into the text itself.
    if (this.#rules.init.at(symbols.address, symbolRow) !== undefined) return { code: 'init-text', errno: withoutSite.freed };
    if (takesAnyNop) {
      const nop = this.#rules.entryNop(symbolRow);
      if (nop !== false) return nop ? ACCEPTED : { code: 'entry-patched' };
    }
    const later = symbols.index.rowsFrom(symbolRow).some(row => this.#rules.hasLiveSite(row));
    return { code: later ? 'first-match-untraceable' : 'no-ftrace-site', errno: withoutSite.errno };
  }

  /** A FUNC with what the verifier makes of its prototype, and the symbol that its name leads to: the first of the name; -1 where there is none. */
  func(id: number): { readonly prototype: PrototypeCheck; readonly symbolRow: number } | undefined {
    const { btf, symbols } = this.#kernel;
    if (btf === undefined || id >= btf.count || btf.kindOf(id) !== 'FUNC') return undefined;
    this.#prototypes ??= new PrototypeRules(btf);
    const prototypeId = btf.ownerOf(id).words[btf.recordOf(id) + 2]!;
    btf.requireProto(id, prototypeId);
    return { prototype: this.#prototypes.check(prototypeId), symbolRow: symbols.index.firstOf(btf.strings.bytes, btf.nameOffset(id)) };
  }

  /** The FUNCs that the verifier denies. */
  get denied(): ReadonlySet<number> {
    this.#denied ??= deniedIds(this.#kernel);
    return this.#denied;
  }

  /** The FUNCs that do not return. */
  get noreturn(): ReadonlySet<number> {
    this.#noreturn ??= noreturnIds(this.#kernel);
    return this.#noreturn;
  }
}
