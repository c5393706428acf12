import type { Errno, Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';
import { ACCEPTED, type Decision, UNKNOWN } from './decision.js';
import { KprobeRules } from './kprobes.js';
import { countsNames } from './name-counting.js';
import { TrampolineRules } from './trampolines.js';

/** perf_event_open() without the kprobe PMU, and no kprobe_events. */
const NO_KPROBES: Decision = { code: 'no-kprobes', errno: 'ENOENT' };
const NOT_AN_ENTRY: Decision = { code: 'not-a-function-entry' };

/** The rules of tracing for a kernel. */
export const tracingOf: (kernel: KernelFacts) => TracingRules = oncePerKernel(kernel => new TracingRules(kernel));

/** The rules of tracing for one kernel, as decisions without words: what is needed for all questions is read once. */
export class TracingRules {
  readonly rules: KprobeRules;
  protected readonly kernel: KernelFacts;
  /** Whether a kprobe by a name that several symbols bear is refused. */
  readonly countsNames: { readonly refuses: boolean; readonly evidence: Evidence };
  /** Whether kprobe_events answers EINVAL where perf and BPF tell more (9d8616034f16, 6.12). */
  readonly strictEvents: boolean;
  /** Whether the kernel has multi kprobes. */
  readonly hasMulti: boolean;
  /** Whether tracefs takes events of fprobe (CONFIG_FPROBE_EVENTS, 6.5). */
  readonly hasFprobeEvents: boolean;
  /** False where the .config is known and has no CONFIG_KPROBES. */
  readonly kprobes: boolean;
  /** fentry, fexit and fmod_ret. */
  readonly trampolines: TrampolineRules;

  constructor(kernel: KernelFacts) {
    this.kernel = kernel;
    this.rules = new KprobeRules(kernel);
    this.countsNames = countsNames(kernel);
    const config = kernel.pieces.config();
    this.kprobes = config === undefined || config.get('CONFIG_KPROBES') === 'y';
    const has = (name: string): boolean => kernel.symbols.lookup(name) !== undefined;
    this.strictEvents = kernel.change('strictEvents').has === true;
    this.hasMulti = has('register_fprobe_ips') || has('register_fprobe');
    this.hasFprobeEvents = ['trace_fprobe_create', 'trace_fprobe_create_internal', '__trace_fprobe_create'].some(has);
    this.trampolines = new TrampolineRules(kernel, this.rules);
  }

  /** Whether ftrace calls BPF trampolines directly. */
  get directCalls(): boolean {
    return this.trampolines.directCalls;
  }

  /** How far behind its first instruction a function is still entered, for a return probe. */
  get entryReach(): number {
    const { arch, image } = this.kernel;
    return arch.entry?.reach(image?.header.littleEndian === true, this.kernel.hasFunction('kprobe_ftrace_handler')) ?? 0;
  }

  /** How many registers a trampoline passes. */
  get mostSlots(): { readonly count: number; readonly evidence: Evidence } {
    return this.trampolines.mostSlots;
  }

  /** A kprobe by the name alone, as in `p:NAME` or SEC("kprobe/NAME"). */
  kprobeByName(name: string): Decision {
    return this.kprobeOfRows(this.kernel.symbols.find(name));
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
    return this.#kretprobeRefused(this.kernel.symbols.lookup(name)!) ?? decision;
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

  /**
   * A kprobe anywhere in a function. What the kernel checks of the instruction itself is known as far as its address goes: where instructions vary in
   * length, it decodes the function from its beginning, which is not done here (`instruction-unchecked`).
   * @param address in the function of `row`, a row of `kernel.symbols`
   */
  kprobeInside(row: number, address: bigint): Decision {
    if (address === this.kernel.symbols.address.big[row]) return this.kprobeOfRow(row);
    if (!this.kprobes) return NO_KPROBES;
    const refusal = this.rules.refusalInside(row, address);
    if (refusal !== undefined && refusal.code !== 'outside-kallsyms') {
      return refusal.code === 'sites-unknown' ? UNKNOWN : { code: refusal.code, errno: 'EINVAL' };
    }
    const { text } = this.rules;
    if (!text.isEmpty && text.of(address) === undefined) return { code: 'not-text', errno: 'EINVAL' };
    const { unit, fixed } = this.kernel.arch.instructions;
    if (address % BigInt(unit) !== 0n) return { code: 'not-an-instruction', errno: 'EINVAL' };
    return fixed || this.rules.liveSite(row) === address ? ACCEPTED : { code: 'instruction-unchecked' };
  }

  /** Loading an fentry program for a FUNC, by its id in the BTF. */
  fentryLoad(functionId: number): Decision {
    return this.trampolines.fentryLoad(functionId);
  }

  /** Attaching it. */
  fentryAttach(functionId: number): Decision {
    return this.trampolines.fentryAttach(functionId);
  }

  /** Loading an fexit program for a FUNC. */
  fexitLoad(functionId: number): Decision {
    return this.trampolines.fexitLoad(functionId);
  }

  /** Attaching it. */
  fexitAttach(functionId: number): Decision {
    return this.trampolines.fexitAttach(functionId);
  }

  /** Loading an fmod_ret program for a FUNC. */
  fmodRetLoad(functionId: number): Decision {
    return this.trampolines.fmodRetLoad(functionId);
  }

  /** Attaching it. */
  fmodRetAttach(functionId: number): Decision {
    return this.trampolines.fmodRetAttach(functionId);
  }

  /** A multi kprobe by name: the first symbol of the name that has a site (ftrace_lookup_symbols()). */
  kprobeMultiByName(name: string): Decision {
    if (!this.hasMulti) return { code: 'no-kprobe-multi', errno: 'EOPNOTSUPP' };
    return this.#byFilter(name, 'ESRCH');
  }

  /** An event of fprobe in tracefs (`f:EVENT NAME`): every function of the name that has a site (register_fprobe()). */
  fprobeByName(name: string): Decision {
    if (!this.hasFprobeEvents) return { code: 'no-fprobe-events', errno: 'EINVAL' };
    return this.#byFilter(name, 'EINVAL');
  }

  /** The name in set_ftrace_filter: every function of the name that has a site. */
  ftraceByName(name: string): Decision {
    return this.#byFilter(name, 'EINVAL');
  }

  /** ftrace at the function of a row of `kernel.symbols`. */
  ftraceOfRow(row: number): Decision {
    return this.rules.hasLiveSite(row) ? ACCEPTED : this.#noSite(row);
  }

  #rowAt(address: bigint): number | undefined {
    const { symbols } = this.kernel;
    const row = symbols.containing(address);
    return row !== undefined && symbols.address.big[row] === address ? row : undefined;
  }

  #kretprobeRefused(row: number): Decision | undefined {
    const { symbols, arch } = this.kernel;
    const refused = arch.kprobes.noReturnProbe.includes(symbols.name(row));
    return refused ? { code: 'kretprobe-blacklisted', errno: 'EINVAL' } : undefined;
  }

  #byFilter(name: string, errno: Errno): Decision {
    const { functions } = this.kernel;
    if (functions.ftrace === 'none') return { code: 'no-ftrace', errno };
    const rows = functions.find(name).map(row => functions.symbolRow[row]!);
    if (rows.some(row => this.rules.hasLiveSite(row))) return ACCEPTED;
    const [first] = rows;
    if (first === undefined) return { code: 'no-symbol', errno };
    return rows.some(row => this.rules.undecided(row)) ? UNKNOWN : { ...this.#noSite(first), errno };
  }

  protected isFreed(row: number): boolean {
    return this.rules.init.at(this.kernel.symbols.address, row) !== undefined;
  }

  #noSite(row: number): Decision {
    if (this.kernel.functions.ftrace === 'none') return { code: 'no-ftrace', errno: 'EINVAL' };
    if (this.rules.undecided(row)) return UNKNOWN;
    return { code: this.isFreed(row) ? 'init-text' : 'no-ftrace-site', errno: 'EINVAL' };
  }
}
