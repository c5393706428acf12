import type { TypeId } from '../../btf/ids.js';
import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Certainty, Evidence } from '../evidence.js';
import { idSet } from '../facts/id-sets.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { once } from '../facts/once.js';
import type { HasChange } from '../releases.js';
import {
  accepted,
  certaintyOfAcceptance,
  type Decision,
  firstOf,
  leastOf,
  type Rule,
  refused,
  untold,
  withoutSymbols,
} from './decision.js';
import type { KprobeRules } from './kprobes.js';
import { symbolsNamed } from './lto-names.js';
import { type Modifiable, ModifyReturn } from './modify-return.js';
import { nearFunctions } from './near-names.js';
import type { Sites } from './sites.js';
import { TrampolineLimits } from './trampoline-limits.js';
import { describePrototype, type PrototypeCheck, PrototypeRules } from './trampoline-prototype.js';

/** The programs that run in a BPF trampoline. */
export type TrampolineProgram = 'fentry' | 'fexit' | 'fmod_ret';

/** A FUNC that a program is loaded for. */
interface Target {
  readonly id: TypeId;
  readonly prototype: PrototypeCheck;
  /** The symbol that its name leads to: the first of the name (kallsyms_lookup_name()); -1 if there is none. */
  readonly symbolRow: SymbolRow;
  /** Whether the release alone tells what its name leads to. */
  readonly byRelease: boolean;
  /** What a decision about it rests on, with what speaks of this one alone in its place. */
  because(...own: Evidence[]): () => Evidence[];
}

type TrampolineRule = Rule<TrampolineRules, Target>;

// Loading a program: check_attach_btf_id() in kernel/bpf/verifier.c, which asks bpf_check_attach_target() first, in its order.

const unfitPrototype: TrampolineRule = (rules, { prototype, because }) =>
  prototype.code === undefined ? undefined : refused(prototype.code, 'EINVAL', because(), rules.certaintyOfCheck(prototype));

/** attach_uses_trampoline_retval(): the trampoline keeps eight bytes of what the function returned. */
const longResult: TrampolineRule = (rules, { prototype, because }) => {
  const { has, certainty } = rules.shortResults;
  if (prototype.returned <= 8 || has === false) return undefined;
  const says = `it returns ${prototype.returned} bytes, and programs that see a result are refused for more than 8 in 7.3 and in stable releases such as 6.12.117`;
  return refused('unsupported-return', 'EOPNOTSUPP', because({ source: 'release', says }), certainty === 'proven' ? 'proven' : 'likely');
};

/** Without symbols, it is unknown what its name leads to. */
const unknownSymbol: TrampolineRule = ({ kernel }, { because }) => withoutSymbols(kernel, because());

const noSymbol: TrampolineRule = (_, { symbolRow, byRelease, because }) =>
  symbolRow < 0 ? refused('no-symbol', 'ENOENT', because(), byRelease ? 'likely' : 'proven') : undefined;

const denied: TrampolineRule = (rules, { id, because }) => {
  if (!rules.denied().has(id)) return undefined;
  return refused(
    'btf-denied',
    'EINVAL',
    because({ source: 'kernel', says: `the set btf_id_deny of the verifier holds ${rules.nameOf(id)}` }),
  );
};

/** noreturn_deny: 6.15, and carried back. */
const noreturn: TrampolineRule = (rules, { id, because }) => {
  if (!rules.noreturn().has(id)) return undefined;
  return refused(
    'noreturn',
    'EINVAL',
    because({ source: 'kernel', says: `the set noreturn_deny of the verifier holds ${rules.nameOf(id)}` }),
  );
};

/** check_attach_modify_return(): the function must be one whose result may be changed. */
const notModifiable: TrampolineRule = (rules, { id, symbolRow, because }) => {
  const { outcome, certainty, evidence } = rules.modifiable(id, symbolRow);
  return outcome === 'refused' ? refused('not-modifiable', 'EINVAL', because(evidence), certainty) : undefined;
};

/** The same where nothing tells: after the sets that refuse it in any case. */
const modifiableUnknown: TrampolineRule = (rules, { id, symbolRow, because }) => {
  const { outcome, evidence } = rules.modifiable(id, symbolRow);
  return outcome === 'open' ? untold('error-injection-unknown', because(evidence)) : undefined;
};

/** bpf_trampoline_get() of include/linux/bpf.h, where trampoline.c is not built. */
const noJit: TrampolineRule = ({ kernel }, { because }) => {
  if (kernel.hasFunction('bpf_check_attach_target') !== true || kernel.hasFunction('bpf_trampoline_get') !== false) return undefined;
  return refused('no-trampoline', 'ENOMEM', because({ source: 'kallsyms', says: 'no bpf_trampoline_get: built without CONFIG_BPF_JIT' }));
};

const LOAD: Readonly<Record<TrampolineProgram, readonly TrampolineRule[]>> = {
  fentry: [unfitPrototype, unknownSymbol, noSymbol, denied, noJit],
  fexit: [unfitPrototype, longResult, unknownSymbol, noSymbol, denied, noreturn, noJit],
  fmod_ret: [unfitPrototype, longResult, unknownSymbol, noSymbol, notModifiable, denied, noreturn, modifiableUnknown, noJit],
};

// Attaching it: bpf_trampoline_link_prog() and register_fentry() in kernel/bpf/trampoline.c.

/** Of kernels whose ftrace calls no trampolines directly. */
export const NO_DIRECT_CALLS: Evidence = {
  source: 'kallsyms',
  says: 'no register_ftrace_direct: built without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS',
};

/** arch_prepare_bpf_trampoline(). */
const beyondLimits: TrampolineRule = ({ limits }, { prototype, because }) => {
  const limit = limits.of(prototype);
  return limit === undefined ? undefined : refused(limit.code, limit.errno, because(limit.evidence), limit.certainty);
};

/** A function with a site is ftrace's; where the kernel's text is never changed otherwise, the others fare no better. */
const noDirectCalls: TrampolineRule = (rules, { symbolRow, because }) => {
  const { directCalls, sites, withoutSite } = rules;
  if (directCalls || (withoutSite.errno !== 'ENOTSUPP' && !sites.hasLive(symbolRow))) return undefined;
  return refused('no-trampoline', 'ENOTSUPP', because(NO_DIRECT_CALLS));
};

/**
 * The name leads to its lowest address, whether or not that has a site; without one the call would have to be patched into the text itself.
 */
const untraceable: TrampolineRule = (rules, { symbolRow, because }) => {
  const { sites, withoutSite } = rules;
  if (sites.hasLive(symbolRow)) return undefined;
  if (sites.undecided(symbolRow)) return untold('sites-unknown', because());
  if (sites.isFreed(symbolRow)) return refused('init-text', withoutSite.freed, because());
  const nop = rules.entryNop(symbolRow);
  if (nop === true) return undefined;
  if (nop === undefined) return untold('entry-patched', because(...ENTRY_PATCHED));
  const code = sites.none ? 'no-ftrace' : rules.hasLaterSite(symbolRow) ? 'first-match-untraceable' : 'no-ftrace-site';
  return refused(code, withoutSite.errno, because());
};

const ENTRY_PATCHED: readonly Evidence[] = [
  {
    source: 'kernel',
    says: 'the kernel replaces the first instruction at boot or later; if that leaves a NOP of five bytes, BPF attaches (__alt_instructions, __jump_table, .static_call_sites)',
  },
  {
    source: '/proc/kcore',
    says: 'the image does not show it: read the bytes there in /proc/kcore on the machine; 0f 1f 44 00 00 is that NOP',
  },
];

const ATTACH: readonly TrampolineRule[] = [beyondLimits, noDirectCalls, untraceable];

/** btf_id_deny in kernel/bpf/verifier.c */
const DENIED = [
  'migrate_disable',
  'migrate_enable',
  'rcu_read_unlock_strict',
  'preempt_count_add',
  'preempt_count_sub',
  '__rcu_read_lock',
  '__rcu_read_unlock',
  '___migrate_enable',
];

/** fentry, fexit and fmod_ret. A FUNC is given by its id in `kernel.btf`. */
export class TrampolineRules {
  readonly sites: Sites;
  /** Whether ftrace calls BPF trampolines directly. */
  readonly directCalls: boolean;
  readonly limits: TrampolineLimits;
  /** Whether programs that see a result are refused for more than eight bytes of it. */
  readonly shortResults: HasChange;
  readonly kernel: KernelFacts;
  readonly #kprobes: KprobeRules;
  readonly #acceptance: Certainty;
  readonly #prototypes = once(() => new PrototypeRules(this.kernel.btf!, change => this.kernel.change(change).has));
  readonly #modifyReturn = once(() => new ModifyReturn(this.kernel));

  constructor(kernel: KernelFacts, sites: Sites, kprobes: KprobeRules) {
    this.kernel = kernel;
    this.sites = sites;
    this.#kprobes = kprobes;
    this.#acceptance = certaintyOfAcceptance(kernel);
    this.directCalls = ['register_ftrace_direct', 'register_ftrace_direct_multi'].some(name => kernel.hasFunction(name) === true);
    this.limits = new TrampolineLimits(kernel);
    this.shortResults = kernel.change('shortResults');
  }

  /** Loading a program for a FUNC. */
  load(program: TrampolineProgram, id: TypeId): Decision {
    const target = this.#target(id);
    return target === undefined ? this.#noFunc(`[${id}]`) : this.#load(program, target);
  }

  /** Attaching it. */
  attach(program: TrampolineProgram, id: TypeId): Decision {
    const target = this.#target(id);
    if (target === undefined) return this.#noFunc(`[${id}]`);
    const load = this.#load(program, target);
    if (load.outcome !== 'accepted') return load;
    return firstOf(ATTACH, this, target) ?? { ...load, certainty: leastOf(load.certainty, this.limits.certaintyOf(target.prototype)) };
  }

  /** Loading, or attaching, a program for the first FUNC of a name. */
  byName(stage: 'load' | 'attach', program: TrampolineProgram, name: string): Decision {
    const { btf, name: kernel } = this.kernel;
    if (btf === undefined) return refused('no-btf', 'EINVAL', () => [{ source: '.BTF', says: `${kernel} has no BTF` }]);
    const [id] = btf.find(name, 'FUNC');
    return id === undefined ? this.#noFunc(name) : this[stage](program, id);
  }

  /**
   * The FUNCs that the verifier denies: btf_id_deny of the image. Without it, the names that it has in all releases since it exists: a
   * kernel without one of these functions has no FUNC of it.
   */
  readonly denied: () => ReadonlySet<number> = once(() => {
    const set = idSet(this.kernel, 'btf_id_deny');
    if (set !== undefined || this.kernel.change('deniesFunctions').has === false) return set ?? new Set();
    return new Set(DENIED.flatMap(name => this.kernel.btf?.find(name, 'FUNC') ?? []));
  });

  /** The FUNCs that do not return; none in kernels without the set. */
  readonly noreturn: () => ReadonlySet<number> = once(() => idSet(this.kernel, 'noreturn_deny') ?? new Set());

  modifiable(id: TypeId, symbolRow: SymbolRow): Modifiable {
    return this.#modifyReturn().check(id, symbolRow);
  }

  get withoutSite(): KernelFacts['arch']['trampolines']['withoutSite'] {
    return this.kernel.arch.trampolines.withoutSite;
  }

  /** Whether a function without a site begins with a NOP that BPF takes; undefined if the running kernel decides. */
  entryNop(row: SymbolRow): boolean | undefined {
    return this.kernel.arch.trampolines.takesAnyNop ? this.#kprobes.entryNop(row) : false;
  }

  /** Whether another function of the name, at a higher address, has a site. */
  hasLaterSite(row: SymbolRow): boolean {
    return this.kernel.symbols.index.rowsFrom(row).some(other => this.sites.hasLive(other));
  }

  /** How sure the check of a prototype is: as sure as the change of the kernel that it depends on. */
  certaintyOfCheck({ leansOn }: PrototypeCheck): 'proven' | 'likely' {
    return leansOn === undefined || this.kernel.change(leansOn).certainty === 'proven' ? 'proven' : 'likely';
  }

  nameOf(id: TypeId): string {
    return this.kernel.btf!.nameOf(id);
  }

  #load(program: TrampolineProgram, target: Target): Decision {
    return (
      firstOf(LOAD[program], this, target) ??
      accepted(
        leastOf(leastOf(this.#acceptance, target.byRelease ? 'likely' : 'proven'), this.certaintyOfCheck(target.prototype)),
        target.because(),
      )
    );
  }

  #noFunc(name: string): Decision {
    const source = this.kernel.btfSource ?? '.BTF';
    const near = (): Evidence[] => (this.kernel.hasFunction(name) === false ? nearFunctions(this.kernel, name) : []);
    // libbpf looks for the FUNC, in all BTF that is loaded, before the kernel sees the program: find_kernel_btf_id() ends with -ESRCH.
    return refused('no-btf-func', 'ESRCH', () => [{ source, says: `no FUNC is named ${name}; 'kelf why' tells why` }, ...near()]);
  }

  #target(id: TypeId): Target | undefined {
    const { btf } = this.kernel;
    if (btf === undefined || id >= btf.count || btf.kindOf(id) !== 'FUNC') return undefined;
    const prototypeId = btf.ownerOf(id).words[btf.recordOf(id) + 2]!;
    btf.requireProto(id, prototypeId);
    const prototype = this.#prototypes().check(prototypeId);
    const unknown = this.kernel.symbolsMissing !== undefined;
    const exact = unknown ? -1 : this.kernel.symbols.index.firstOf(btf.strings.bytes, btf.nameOffset(id));
    const named = unknown || exact >= 0 ? undefined : symbolsNamed(this.kernel, this.nameOf(id));
    const symbolRow = named === undefined ? exact : (named.rows[0] ?? -1);
    const cut = named?.because ?? [];
    return {
      id,
      prototype,
      symbolRow,
      byRelease: cut.length > 0,
      because:
        (...own) =>
        () =>
          this.#because(id, prototype, [...cut, ...own], named?.rows),
    };
  }

  #because(id: TypeId, prototype: PrototypeCheck, own: readonly Evidence[], named?: readonly SymbolRow[]): Evidence[] {
    const { btf, btfSource } = this.kernel;
    const name = this.nameOf(id);
    const func = { source: btfSource!, says: `FUNC [${id}] ${btf!.prototype(id)}: ${describePrototype(prototype)}` };
    if (this.kernel.symbolsMissing !== undefined) return [func, ...own];
    const { symbols } = this.kernel;
    const rows = named ?? symbols.find(name);
    const [first] = rows;
    const address = first === undefined ? undefined : symbols.address.big[first];
    return [
      func,
      ...own,
      ...(rows.length > 1
        ? [{ source: 'kallsyms', address: address!, says: `the name resolves to the lowest of ${rows.length} symbols` }]
        : []),
      ...(first === undefined ? [{ source: 'kallsyms', says: `no symbol is named ${name}` }] : this.sites.because(first)),
    ];
  }
}
