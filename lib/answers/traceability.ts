import { EM } from '../../elf/constants.js';
import type { AttachForm, ProbeKind } from '../attach/recipe.js';
import type { Certainty, Errno, Evidence, Verdict } from '../evidence.js';
import { type FunctionRow, functionRow } from '../function-row.js';
import type { Kernel } from '../kernel.js';
import { type KprobeRefusal, KprobeRules } from '../kprobes/rules.js';
import { REASONS, type ReasonCode } from '../reasons.js';
import { rooms } from '../rooms.js';
import type { NameInModules } from './in-modules.js';
import { describePrototype, type PrototypeCheck, PrototypeRules } from './prototype.js';
import { atLeast } from './release.js';

/** What each mechanism says of a name, and of each function that bears it. */
export interface TraceabilityAnswer {
  readonly name: string;
  readonly kprobe: { readonly byName: Verdict };
  readonly kretprobe: { readonly byName: Verdict };
  /** Loading a BPF program of the type, and attaching it: they are refused for different reasons. */
  readonly fentry: { readonly load: Verdict; readonly attach: Verdict };
  readonly fexit: { readonly load: Verdict; readonly attach: Verdict };
  readonly kprobeMulti: { readonly byName: Verdict };
  /** A line in set_ftrace_filter. */
  readonly ftrace: { readonly byName: Verdict };
  readonly functions: readonly FunctionTraceability[];
  /** The functions of the name in modules, and what loading these changes; absent where no modules were read. */
  readonly modules?: NameInModules;
}

/** What each mechanism says of one function by its address. */
export interface FunctionTraceability {
  readonly function: FunctionRow;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
  readonly ftrace: Verdict;
  /** How to attach a probe to this function and no other; undefined where the kernel refuses. {@link Kernel.attach} says more. */
  attach(form: AttachForm, kind?: ProbeKind): string | undefined;
}

/** The outcome of a rule before it is put into words: audits ask for tens of thousands. */
export interface Decision {
  readonly code: ReasonCode;
  /** What the kernel answers with; absent where it accepts, and where it can't be told. */
  readonly errno?: Errno;
}

const UNKNOWN: Decision = { code: 'sites-unknown' };
const ACCEPTED: Decision = { code: 'accepted' };
/** perf_event_open() without the kprobe PMU, and no kprobe_events. */
const NO_KPROBES: Decision = { code: 'no-kprobes', errno: 'ENOENT' };
const NOT_AN_ENTRY: Decision = { code: 'not-a-function-entry' };
/** What can't be told from what was given. */
const OPEN: readonly ReasonCode[] = ['sites-unknown', 'entry-patched', 'not-a-function-entry'];

/** btf_id_deny in kernel/bpf/verifier.c */
const DENIED = [
  'migrate_disable',
  'migrate_enable',
  'rcu_read_unlock_strict',
  'preempt_count_add',
  'preempt_count_sub',
  '__rcu_read_lock',
  '__rcu_read_unlock',
];

/** kretprobe_blacklist of arch/x86/kernel/kprobes/core.c */
const KRETPROBE_BLACKLIST: Readonly<Record<number, readonly string[]>> = { [EM.X86_64]: ['__switch_to'], [EM.I386]: ['__switch_to'] };

/** The rules of tracing for one kernel: what is needed for all questions is read once. */
export class Traceability {
  readonly rules: KprobeRules;
  readonly #kernel: Kernel;
  /** Whether a kprobe by a name that several symbols bear is refused. */
  readonly countsNames: { readonly refuses: boolean; readonly evidence: Evidence };
  /** Whether kprobe_events answers EINVAL where perf and BPF tell more (9d8616034f16, 6.12). */
  readonly strictEvents: boolean;
  /** Whether ftrace calls BPF trampolines directly. */
  readonly directCalls: boolean;
  /** Whether the kernel has multi kprobes. */
  readonly hasMulti: boolean;
  /** False where the .config is known and has no CONFIG_KPROBES. */
  readonly kprobes: boolean;
  /** How many registers a trampoline passes. */
  readonly mostSlots: { readonly count: number; readonly evidence: Evidence };
  #prototypes: PrototypeRules | undefined;
  #denied: ReadonlySet<number> | undefined;
  #noreturn: ReadonlySet<number> | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.rules = new KprobeRules(kernel);
    this.countsNames = countsNames(kernel);
    this.directCalls = this.#has('register_ftrace_direct') || this.#has('register_ftrace_direct_multi');
    const config = kernel.pieces.config();
    this.strictEvents = this.#has('validate_probe_symbol') || atLeast(kernel.release, 6, 12) === true;
    this.kprobes = config === undefined || config.get('CONFIG_KPROBES') === 'y';
    this.hasMulti = this.#has('register_fprobe_ips') || this.#has('register_fprobe');
    this.mostSlots = mostSlots(kernel);
  }

  /** A kprobe by the name alone, as in `p:NAME` or SEC("kprobe/NAME"). */
  kprobeByName(name: string): Decision {
    return this.kprobeOfRows(this.#kernel.symbols.find(name));
  }

  /** What kprobe_events makes of a decision about a name: perf and BPF say EADDRNOTAVAIL and ENOENT, and it no longer does (`strictEvents`). */
  inEvents(decision: Decision): Decision {
    const told = decision.code === 'ambiguous-name' || decision.code === 'no-symbol';
    return told && this.strictEvents ? { ...decision, errno: 'EINVAL' } : decision;
  }

  /** The same for a name that has been looked up: `rows` of `kernel.symbols`. */
  kprobeOfRows(rows: readonly number[]): Decision {
    if (rows.length === 0) return { code: 'no-symbol', errno: 'ENOENT' };
    if (!this.kprobes) return NO_KPROBES;
    if (rows.length > 1 && this.countsNames.refuses) return { code: 'ambiguous-name', errno: 'EADDRNOTAVAIL' };
    const refusal = this.rules.refusal(rows[0]!);
    if (refusal === undefined) return ACCEPTED;
    if (refusal.code === 'sites-unknown') return UNKNOWN;
    return { code: refusal.code, errno: refusal.code === 'outside-kallsyms' ? 'ENOENT' : 'EINVAL' };
  }

  /** A kprobe by address, at the start of a symbol. */
  kprobeAt(address: bigint): Decision {
    const row = this.#rowAt(address);
    return row === undefined ? NOT_AN_ENTRY : this.kprobeOfRow(row);
  }

  /** The same for a row of `kernel.symbols`. An address that kallsyms does not cover is accepted, and waits for a module that may bring it. */
  kprobeOfRow(row: number): Decision {
    if (!this.kprobes) return NO_KPROBES;
    const refusal = this.rules.refusal(row);
    if (refusal === undefined || refusal.code === 'outside-kallsyms') return ACCEPTED;
    return refusal.code === 'sites-unknown' ? UNKNOWN : { code: refusal.code, errno: 'EINVAL' };
  }

  /** A return probe by name: the rules of a kprobe, and a list of its own. */
  kretprobeByName(name: string): Decision {
    const decision = this.kprobeByName(name);
    if (decision.errno !== undefined) return decision;
    return this.#kretprobeRefused(this.#kernel.symbols.lookup(name)!) ?? decision;
  }

  /** A return probe by address; `not-a-function-entry` where no symbol begins there. */
  kretprobeAt(address: bigint): Decision {
    const row = this.#rowAt(address);
    return row === undefined ? NOT_AN_ENTRY : this.kretprobeOfRow(row);
  }

  /** A return probe on the symbol of a row of `kernel.symbols`. */
  kretprobeOfRow(row: number): Decision {
    const decision = this.kprobeOfRow(row);
    return decision.errno === undefined ? (this.#kretprobeRefused(row) ?? decision) : decision;
  }

  /** Loading an fentry or fexit program for a FUNC: bpf_check_attach_target() in kernel/bpf/verifier.c. */
  fentryLoad(functionId: number): Decision {
    const func = this.#func(functionId);
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

  /** Attaching an fexit program for a FUNC, by its id in the BTF. */
  fexitAttach(functionId: number): Decision {
    const load = this.fexitLoad(functionId);
    return load.errno === undefined ? this.fentryAttach(functionId) : load;
  }

  /**
   * Attaching an fentry or fexit program: the name leads to the lowest address that bears it (kallsyms_lookup_name()), whether or not that one
   * has an ftrace site. bpf_trampoline_link_prog(), register_fentry() in kernel/bpf/trampoline.c.
   */
  fentryAttach(functionId: number): Decision {
    const load = this.fentryLoad(functionId);
    if (load.errno !== undefined) return load;
    if (!this.directCalls) return { code: 'no-trampoline', errno: 'ENOTSUPP' };
    const { symbols, machine } = this.#kernel;
    const { prototype, symbolRow } = this.#func(functionId)!;
    if (prototype.slots > this.mostSlots.count) return { code: 'too-many-arguments', errno: 'ENOTSUPP' };
    if (this.rules.hasLiveSite(symbolRow)) return ACCEPTED;
    if (this.rules.undecided(symbolRow)) return UNKNOWN;
    // Without a site the call is patched into the text itself, where x86 finds no NOP (EBUSY) or no text (EINVAL); others do not try.
    if (this.#isFreed(symbolRow)) return { code: 'init-text', errno: machine === EM.X86_64 ? 'EINVAL' : 'ENOTSUPP' };
    if (machine === EM.X86_64) {
      const nop = this.rules.entryNop(symbolRow);
      if (nop !== false) return nop ? ACCEPTED : { code: 'entry-patched' };
    }
    const later = symbols.index.rowsFrom(symbolRow).some(row => this.rules.hasLiveSite(row));
    return { code: later ? 'first-match-untraceable' : 'no-ftrace-site', errno: machine === EM.X86_64 ? 'EBUSY' : 'ENOTSUPP' };
  }

  /** A FUNC with what the verifier makes of its prototype, and the symbol that its name leads to: the first of the name; -1 where there is none. */
  #func(id: number): { readonly prototype: PrototypeCheck; readonly symbolRow: number } | undefined {
    const { btf, symbols } = this.#kernel;
    if (btf === undefined || id >= btf.count || btf.kindOf(id) !== 'FUNC') return undefined;
    this.#prototypes ??= new PrototypeRules(btf);
    const prototypeId = btf.ownerOf(id).words[btf.recordOf(id) + 2]!;
    btf.requireProto(id, prototypeId);
    return { prototype: this.#prototypes.check(prototypeId), symbolRow: symbols.index.firstOf(btf.strings.bytes, btf.nameOffset(id)) };
  }

  /** A multi kprobe by name: the first symbol of the name that has a site (ftrace_lookup_symbols()). */
  kprobeMultiByName(name: string): Decision {
    if (!this.hasMulti) return { code: 'no-kprobe-multi', errno: 'EOPNOTSUPP' };
    return this.#byFilter(name, 'ESRCH');
  }

  /** The name in set_ftrace_filter: every function of the name that has a site. */
  ftraceByName(name: string): Decision {
    return this.#byFilter(name, 'EINVAL');
  }

  /** The answer in words, with its evidence. */
  answer(name: string): TraceabilityAnswer {
    const kernel = this.#kernel;
    const { functions } = kernel;
    const rows = functions.find(name);
    const ids = kernel.btf?.find(name, 'FUNC') ?? [];
    const nameEvidence = (): Evidence[] => this.#nameEvidence(name);
    const program = (decide: (id: number) => Decision): Verdict => {
      if (kernel.btf === undefined)
        return this.#verdict({ code: 'no-btf', errno: 'EINVAL' }, () => [{ source: '.BTF', says: `${kernel.name} has no BTF` }]);
      const [id] = ids;
      if (id === undefined) {
        return this.#verdict({ code: 'no-btf-func', errno: 'ENOENT' }, () => [
          { source: kernel.btfSource!, says: `no FUNC is named ${name}; 'kelf why' says why` },
        ]);
      }
      const decision = decide(id);
      return this.#verdict(decision, () => this.#fentryEvidence(id, name, decision));
    };
    const modules = kernel.modules === undefined ? undefined : rooms.inModules().traceInModules(kernel, this, name);
    return {
      name,
      kprobe: { byName: this.#verdict(this.kprobeByName(name), nameEvidence, true) },
      kretprobe: { byName: this.#verdict(this.kretprobeByName(name), nameEvidence, true) },
      fentry: { load: program(id => this.fentryLoad(id)), attach: program(id => this.fentryAttach(id)) },
      fexit: { load: program(id => this.fexitLoad(id)), attach: program(id => this.fexitAttach(id)) },
      kprobeMulti: { byName: this.#verdict(this.kprobeMultiByName(name), () => this.#multiEvidence(name)) },
      ftrace: { byName: this.#verdict(this.ftraceByName(name), () => rows.flatMap(row => this.#siteEvidence(functions.symbolRow[row]!))) },
      functions: rows.map(row => {
        const symbolRow = functions.symbolRow[row]!;
        const evidence = (): Evidence[] => this.#rowEvidence(symbolRow);
        const live = this.rules.hasLiveSite(symbolRow);
        return {
          function: functionRow(kernel, row),
          kprobe: this.#verdict(this.kprobeOfRow(symbolRow), evidence, true),
          kretprobe: this.#verdict(this.kretprobeOfRow(symbolRow), evidence, true),
          ftrace: this.#verdict(live ? ACCEPTED : this.#noSite(symbolRow), () => this.#siteEvidence(symbolRow)),
          attach: (form: AttachForm, kind?: ProbeKind) => kernel.attaching.recipe(functionRow(kernel, row)).attach(form, kind),
        };
      }),
      ...(modules === undefined ? {} : { modules }),
    };
  }

  /**
   * The FUNCs that the verifier denies (btf_id_deny in kernel/bpf/verifier.c). Without the set in the image, the names that it has in all
   * releases: a kernel without one of these functions has no FUNC of it.
   */
  get denied(): ReadonlySet<number> {
    this.#denied ??= this.#idSet('btf_id_deny') ?? new Set(DENIED.flatMap(name => this.#kernel.btf?.find(name, 'FUNC') ?? []));
    return this.#denied;
  }

  /** The FUNCs that do not return, which fexit is refused for (noreturn_deny in kernel/bpf/verifier.c); none in kernels without the set. */
  get noreturn(): ReadonlySet<number> {
    this.#noreturn ??= this.#idSet('noreturn_deny') ?? new Set();
    return this.#noreturn;
  }

  /** A set of BTF ids in the image, as resolve_btfids filled it: a count, then the ids (include/linux/btf_ids.h). */
  #idSet(label: string): Set<number> | undefined {
    const { image, pieces, btfSource } = this.#kernel;
    const at = pieces.labels(label);
    // The ids are those of the image's own BTF.
    if (image === undefined || at === undefined || btfSource !== '.BTF' || !image.memory.has(at, 4)) return undefined;
    const { memory } = image;
    const u32 = (address: bigint): number => {
      const bytes = memory.read(address, 4);
      return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, memory.littleEndian);
    };
    const count = u32(at);
    if (count > 4096 || !memory.has(at, 4 + count * 4)) return undefined;
    return new Set(Array.from({ length: count }, (_, i) => u32(at + BigInt(4 + i * 4))));
  }

  #has(name: string): boolean {
    return this.#kernel.symbols.lookup(name) !== undefined;
  }

  #rowAt(address: bigint): number | undefined {
    const { symbols } = this.#kernel;
    const row = symbols.containing(address);
    return row !== undefined && symbols.address.big[row] === address ? row : undefined;
  }

  #kretprobeRefused(row: number): Decision | undefined {
    const { symbols, machine } = this.#kernel;
    const refused = KRETPROBE_BLACKLIST[machine]?.includes(symbols.name(row)) ?? false;
    return refused ? { code: 'kretprobe-blacklisted', errno: 'EINVAL' } : undefined;
  }

  #byFilter(name: string, errno: Errno): Decision {
    const { functions } = this.#kernel;
    if (functions.ftrace === 'none') return { code: 'no-ftrace', errno };
    const rows = functions.find(name).map(row => functions.symbolRow[row]!);
    if (rows.some(row => this.rules.hasLiveSite(row))) return ACCEPTED;
    const [first] = rows;
    if (first === undefined) return { code: 'no-symbol', errno };
    return rows.some(row => this.rules.undecided(row)) ? UNKNOWN : { ...this.#noSite(first), errno };
  }

  #isFreed(row: number): boolean {
    return this.rules.init.at(this.#kernel.symbols.address, row) !== undefined;
  }

  #noSite(row: number): Decision {
    if (this.#kernel.functions.ftrace === 'none') return { code: 'no-ftrace', errno: 'EINVAL' };
    if (this.rules.undecided(row)) return UNKNOWN;
    return { code: this.#isFreed(row) ? 'init-text' : 'no-ftrace-site', errno: 'EINVAL' };
  }

  #verdict(decision: Decision, because: () => Evidence[], kprobe = false): Verdict {
    const { code, errno } = decision;
    const evidence =
      code === 'no-kprobes' ? [{ source: this.#kernel.pieces.config()!.source, says: 'CONFIG_KPROBES is not set' }] : because();
    if (evidence.length === 0) evidence.push({ source: 'kallsyms', says: REASONS[code] });
    if (OPEN.includes(code)) return { ok: undefined, code, certainty: 'open', because: evidence };
    return {
      ok: errno === undefined,
      code,
      certainty: this.#certainty(code, kprobe),
      ...(errno === undefined ? {} : { errno }),
      because: evidence,
    };
  }

  #certainty(code: ReasonCode, kprobe: boolean): Certainty {
    if (kprobe && code === 'no-ftrace-site' && !this.rules.notrace.proven) return 'likely';
    if (code === 'ambiguous-name' && this.countsNames.evidence.source !== 'kallsyms') return 'likely';
    // Without the blacklist, or the tables of what the kernel patches, a refusal may have been missed.
    if (code === 'accepted' && (this.rules.blacklist === undefined || this.#kernel.image === undefined)) return 'likely';
    return 'proven';
  }

  #nameEvidence(name: string): Evidence[] {
    const { symbols } = this.#kernel;
    const rows = symbols.find(name);
    if (rows.length === 0) return [{ source: 'kallsyms', says: `no symbol is named ${name}` }];
    if (rows.every(row => !symbols.isText(row))) {
      return rows.map(row => ({ source: 'kallsyms', address: symbols.address.big[row]!, says: `${name} is data, not a function` }));
    }
    if (rows.length === 1) return this.#rowEvidence(rows[0]!);
    const data = rows.filter(row => !symbols.isText(row)).length;
    const kinds = data > 0 ? `, ${data} of them data` : '';
    return [
      { source: 'kallsyms', address: symbols.address.big[rows[0]!]!, says: `${rows.length} symbols are named ${name}${kinds}` },
      this.countsNames.evidence,
      ...(this.countsNames.refuses && this.strictEvents
        ? [{ source: 'kernel', says: 'kprobe_events answers EINVAL, perf and BPF EADDRNOTAVAIL (validate_probe_symbol(), 6.12)' }]
        : []),
      ...(this.countsNames.refuses ? [] : this.#rowEvidence(rows[0]!)),
    ];
  }

  /** What a kprobe at a symbol rests on: the refusal, and the site. */
  #rowEvidence(row: number): Evidence[] {
    const refusal = this.rules.refusal(row);
    const site = this.#siteEvidence(row);
    const { symbols } = this.#kernel;
    const base = this.rules.acceptedBy(row);
    if (refusal !== undefined) return [...refusalEvidence(refusal, symbols.address.big[row]!, this.rules.notrace.evidence), ...site];
    if (base !== undefined) {
      const says = `within_notrace_func() goes by ${symbols.name(base)}, the name without the suffix, which has a site`;
      return [...site, { source: 'kernel', address: symbols.address.big[base]!, says }];
    }
    return this.rules.hasLiveSite(row) || this.rules.undecided(row) ? site : [this.rules.notrace.evidence, ...site];
  }

  #siteEvidence(row: number): Evidence[] {
    const { functions, symbols } = this.#kernel;
    if (functions.ftrace === 'none') return [{ source: 'symbols', says: 'the kernel has no __start_mcount_loc: no dynamic ftrace' }];
    if (this.rules.undecided(row)) {
      return [{ source: 'tracefs', says: 'available_filter_functions_addrs, read as root, or the debug vmlinux would settle it' }];
    }
    const { source } = functions.sites!;
    const address = symbols.address.big[row]!;
    const name = symbols.name(row);
    const site = this.rules.liveSite(row);
    if (site !== undefined) return [{ source, address: site, says: `ftrace site at ${name}+0x${(site - address).toString(16)}` }];
    if (this.#isFreed(row))
      return [
        {
          source: 'symbols',
          address,
          says: `lies between __init_begin and __init_end: freed after boot${this.rules.hasSite(row) ? ', and its ftrace site with it' : ''}`,
        },
      ];
    return [
      { source, address, says: `no word of the table lies in ${name}: notrace, noinstr, inline copy, assembly, or a part split off` },
    ];
  }

  #fentryEvidence(id: number, name: string, decision: Decision): Evidence[] {
    const { btf, btfSource, symbols } = this.#kernel;
    const evidence: Evidence[] = [
      { source: btfSource!, says: `FUNC [${id}] ${btf!.prototype(id)}: ${describePrototype(this.#func(id)!.prototype)}` },
    ];
    if (decision.code === 'too-many-arguments' && decision.errno === 'ENOTSUPP') evidence.push(this.mostSlots.evidence);
    if (decision.code === 'btf-denied') evidence.push({ source: 'kernel', says: `the set btf_id_deny of the verifier holds ${name}` });
    if (decision.code === 'noreturn') evidence.push({ source: 'kernel', says: `the set noreturn_deny of the verifier holds ${name}` });
    if (decision.code === 'no-trampoline')
      evidence.push({ source: 'kallsyms', says: 'no register_ftrace_direct: built without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS' });
    if (decision.code === 'entry-patched') {
      const says =
        'the first instruction is one that the kernel replaces at boot or later; where that leaves a NOP of five bytes, BPF attaches';
      evidence.push({ source: 'kernel', says: `${says} (__alt_instructions, __jump_table, .static_call_sites)` });
    }
    const rows = symbols.find(name);
    if (rows.length > 0) {
      const address = symbols.address.big[rows[0]!]!;
      if (rows.length > 1) evidence.push({ source: 'kallsyms', address, says: `the name leads to the lowest of ${rows.length} symbols` });
      evidence.push(...this.#siteEvidence(rows[0]!));
    } else evidence.push({ source: 'kallsyms', says: `no symbol is named ${name}` });
    return evidence;
  }

  #multiEvidence(name: string): Evidence[] {
    if (!this.hasMulti) return [{ source: 'kallsyms', says: 'no register_fprobe: built without CONFIG_FPROBE' }];
    const { functions } = this.#kernel;
    return functions.find(name).flatMap(row => this.#siteEvidence(functions.symbolRow[row]!));
  }
}

function refusalEvidence({ code, area, base }: KprobeRefusal, address: bigint, notrace: Evidence): Evidence[] {
  const about = base === undefined ? '' : ` (the rule goes by ${base}, its name without the suffix)`;
  const rules: Record<KprobeRefusal['code'], Evidence> = {
    'outside-kallsyms': {
      source: 'kallsyms',
      address,
      says: 'the table does not cover the address: the kernel takes it for one of a module',
    },
    'no-ftrace-site': { ...notrace, says: `${notrace.says}${about}` },
    'init-text': { source: 'symbols', address, says: 'the code is freed after boot' },
    'not-text': { source: 'symbols', address, says: 'lies outside of _stext to _etext' },
    'kprobe-blacklisted': {
      source: area?.name ?? 'kprobe blacklist',
      address: area?.from ?? address,
      says: `the kprobe blacklist covers it${about}`,
    },
    'bug-entry': { source: '__bug_table', address, says: 'the first instruction is a BUG() or WARN() trap' },
    'jump-label': { source: '__jump_table', address, says: 'the first instruction is a jump label' },
    'static-call': { source: '.static_call_sites', address, says: 'the first instruction is a static call' },
    'sites-unknown': { source: 'tracefs', says: 'what ftrace can trace is not known' },
  };
  return [rules[code]];
}

/**
 * Whether a kprobe by a name that several symbols bear is refused (b022f0c7e404: 6.6, and stable releases since 6.1.60). The image shows it by the
 * functions that count; where neither is in the table, they may have been inlined, and the release decides.
 */
function countsNames(kernel: Kernel): { refuses: boolean; evidence: Evidence } {
  const counter = ['count_symbols', 'count_mod_symbols', 'number_of_same_symbols'].find(name => kernel.symbols.lookup(name) !== undefined);
  if (counter !== undefined) {
    return {
      refuses: true,
      evidence: { source: 'kallsyms', says: `the kernel counts symbols of a name before it sets a kprobe: it has ${counter}()` },
    };
  }
  const refuses = atLeast(kernel.release, 6, 6) !== false;
  const release = kernel.release ?? 'of unknown release';
  return {
    refuses,
    evidence: {
      source: 'release',
      says: `kernel ${release}, and no function that counts is listed: ${refuses ? 'kernels since 6.6 refuse a name of several symbols' : 'kernels before 6.6 take the first, but for stable releases that refuse (6.1.60, 5.15.137)'}`,
    },
  };
}

/** How many argument registers a trampoline passes: 6 on x86-64 before 6.6 (473e3150e30a), 8 on arm64, else 12. */
function mostSlots({ machine, release, symbols }: Kernel): { count: number; evidence: Evidence } {
  if (machine === EM.AARCH64) return { count: 8, evidence: { source: 'release', says: 'arm64 trampolines pass 8 registers' } };
  if (machine !== EM.X86_64)
    return { count: MOST_SLOTS, evidence: { source: 'release', says: `trampolines pass ${MOST_SLOTS} registers` } };
  if (symbols.lookup('get_nr_used_regs') !== undefined || atLeast(release, 6, 6) === true) {
    return { count: MOST_SLOTS, evidence: { source: 'release', says: 'x86-64 trampolines pass 12 arguments since 6.6' } };
  }
  return {
    count: 6,
    evidence: { source: 'release', says: `kernel ${release ?? 'of unknown release'}: x86-64 trampolines pass 6 registers before 6.6` },
  };
}

const MOST_SLOTS = 12;
