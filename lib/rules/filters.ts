import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Certainty, Errno, Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { sinceOf } from '../releases.js';
import { accepted, certaintyOfAcceptance, type Decision, refused, untold, withoutSymbols } from './decision.js';
import type { Sites } from './sites.js';

/**
 * What attaches through ftrace's filters, to every function of a name that has a site, or to the first: kprobe.multi, fprobe, ftrace
 * itself.
 */
export class FilterRules {
  /** Whether the kernel has multi kprobes. */
  readonly hasMulti: boolean;
  /** Whether tracefs takes events of fprobe (CONFIG_FPROBE_EVENTS, 6.5). */
  readonly hasFprobeEvents: boolean;
  readonly #kernel: KernelFacts;
  readonly #sites: Sites;
  readonly #acceptance: Certainty;

  constructor(kernel: KernelFacts, sites: Sites) {
    this.#kernel = kernel;
    this.#sites = sites;
    this.#acceptance = certaintyOfAcceptance(kernel);
    this.hasMulti = ['register_fprobe_ips', 'register_fprobe'].some(name => kernel.hasFunction(name) === true);
    this.hasFprobeEvents = ['trace_fprobe_create', 'trace_fprobe_create_internal', '__trace_fprobe_create'].some(
      name => kernel.hasFunction(name) === true,
    );
  }

  /** A multi kprobe by name: the first symbol of the name that has a site (ftrace_lookup_symbols()). */
  kprobeMulti(name: string): Decision {
    return this.kprobeMultiOf(() => this.#rowsOf(name));
  }

  /** The same for a name that has been looked up. @param rowsOf gives the functions of the name */
  kprobeMultiOf(rowsOf: () => readonly SymbolRow[]): Decision {
    if (this.hasMulti) return this.#byRows(rowsOf(), 'ESRCH');
    const { has, certainty, shownBy } = this.#kernel.change('kprobeMulti');
    if (has === false) {
      // bpf(2) knows no such attach type.
      const source = shownBy === undefined ? 'release' : this.#kernel.btfSource!;
      const says = `kernels have kprobe.multi ${sinceOf('kprobeMulti')}${shownBy === undefined ? '' : `: no enumerator BPF_TRACE_KPROBE_MULTI`}`;
      return refused('no-kprobe-multi', 'EINVAL', () => [{ source, says }], certainty === 'proven' ? 'proven' : 'likely');
    }
    const unknown = withoutSymbols(this.#kernel);
    if (unknown !== undefined) return unknown;
    return refused('no-kprobe-multi', 'EOPNOTSUPP', () => [
      { source: 'kallsyms', says: 'no register_fprobe: built without CONFIG_FPROBE' },
    ]);
  }

  /** An event of fprobe in tracefs (`f:EVENT NAME`): every function of the name that has a site (register_fprobe()). */
  fprobe(name: string): Decision {
    if (this.hasFprobeEvents) return this.#byRows(this.#rowsOf(name), 'EINVAL');
    const unknown = withoutSymbols(this.#kernel);
    if (unknown !== undefined) return unknown;
    return refused('no-fprobe-events', 'EINVAL', () => [
      { source: 'kallsyms', says: 'no trace_fprobe_create: built without CONFIG_FPROBE_EVENTS' },
    ]);
  }

  /** The name in set_ftrace_filter: every function of the name that has a site. */
  ftrace(name: string): Decision {
    return this.#byRows(this.#rowsOf(name), 'EINVAL');
  }

  /** ftrace at the function of a row of `kernel.symbols`. */
  ftraceOfRow(row: SymbolRow): Decision {
    const because = (): Evidence[] => this.#sites.because(row);
    return this.#sites.hasLive(row) ? accepted(this.#acceptance, because) : this.#noSite(row, 'EINVAL', because);
  }

  #rowsOf(name: string): SymbolRow[] {
    if (this.#kernel.symbolsMissing !== undefined) return [];
    const { functions } = this.#kernel;
    return functions.find(name).map(row => functions.symbolRow[row]!);
  }

  #byRows(rows: readonly SymbolRow[], errno: Errno): Decision {
    const unknown = withoutSymbols(this.#kernel);
    if (unknown !== undefined) return unknown;
    const { functions } = this.#kernel;
    const because = (): Evidence[] => rows.flatMap(row => this.#sites.because(row));
    if (functions.ftrace === 'none') return refused('no-ftrace', errno, because);
    if (rows.some(row => this.#sites.hasLive(row))) return accepted(this.#acceptance, because);
    const [first] = rows;
    if (first === undefined) return refused('no-symbol', errno, because);
    return rows.some(row => this.#sites.undecided(row)) ? untold('sites-unknown', because) : this.#noSite(first, errno, because);
  }

  #noSite(row: SymbolRow, errno: Errno, because: () => Evidence[]): Decision {
    if (this.#kernel.functions.ftrace === 'none') return refused('no-ftrace', errno, because);
    if (this.#sites.undecided(row)) return untold('sites-unknown', because);
    return refused(this.#sites.isFreed(row) ? 'init-text' : 'no-ftrace-site', errno, because);
  }
}
