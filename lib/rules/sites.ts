import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Evidence } from '../evidence.js';
import { type AreaSet, initAreas } from '../facts/areas.js';
import { siteIn } from '../facts/ftrace-sites.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';

/** What functions without a site are. */
export const WHY_NO_SITE = 'notrace, noinstr, inline copy, assembly, or a part split off';

/** The ftrace sites of a kernel as they are after boot. */
export const sitesOf: (kernel: KernelFacts) => Sites = oncePerKernel(kernel => new Sites(kernel));

/** Which symbols ftrace can trace, once init memory is freed. Symbols are rows of `kernel.symbols`. */
export class Sites {
  /** What is freed after boot. */
  readonly init: AreaSet;
  readonly #kernel: KernelFacts;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    this.init = initAreas(kernel.pieces.labels);
  }

  /** Whether the kernel has no dynamic ftrace, and so no site at all. */
  get none(): boolean {
    return this.#kernel.functions.ftrace === 'none';
  }

  /** Whether an ftrace site lies in a symbol, even if it is freed after boot. */
  has(row: SymbolRow): boolean {
    return this.#site(row) >= 0;
  }

  /** Whether an ftrace site lies in a symbol after boot (ftrace_location_range() over it): sites of init code are gone. */
  hasLive(row: SymbolRow): boolean {
    const at = this.#site(row);
    return at >= 0 && this.init.at(this.#kernel.functions.sites!.ip, at) === undefined;
  }

  /** The first site in a symbol; undefined if there is none, or none after boot. */
  live(row: SymbolRow): bigint | undefined {
    return this.hasLive(row) ? this.#kernel.functions.sites!.ip.big[this.#site(row)] : undefined;
  }

  /**
   * A second site that a kprobe by the name may find in the place of the symbol's own: of those within reach, ftrace_location_range() gives the one
   * that its search meets first, which depends on how the table lies in pages.
   */
  rival(row: SymbolRow): bigint | undefined {
    const { arch, functions, symbols } = this.#kernel;
    const { nameReach } = arch.kprobes;
    const at = this.#site(row);
    if (nameReach === undefined || at < 0) return undefined;
    const { ip } = functions.sites!;
    const next = at + 1 < ip.length ? ip.big[at + 1]! : undefined;
    return next !== undefined && next <= symbols.address.big[row]! + nameReach ? next : undefined;
  }

  /** Whether it can't be told if a symbol has a site: nothing tells about sites, or names do, and not which of several functions. */
  undecided(row: SymbolRow): boolean {
    const { functions, symbols } = this.#kernel;
    return functions.ftrace === 'unknown' || (functions.sites?.undecided?.has(symbols.name(row)) ?? false);
  }

  /** Whether a symbol is freed after boot. */
  isFreed(row: SymbolRow): boolean {
    return this.init.at(this.#kernel.symbols.address, row) !== undefined;
  }

  /** The site of a symbol, or why it has none. */
  because(row: SymbolRow): Evidence[] {
    const { functions, symbols } = this.#kernel;
    if (functions.ftrace === 'none') return [{ source: 'symbols', says: 'the kernel has no __start_mcount_loc: no dynamic ftrace' }];
    if (this.undecided(row)) {
      return [{ source: 'tracefs', says: 'available_filter_functions_addrs, read as root, or the debug vmlinux would settle it' }];
    }
    const { source } = functions.sites!;
    const address = symbols.address.big[row]!;
    const name = symbols.name(row);
    const site = this.live(row);
    if (site !== undefined) return [{ source, address: site, says: `ftrace site at ${name}+0x${(site - address).toString(16)}` }];
    if (this.isFreed(row)) {
      const gone = this.has(row) ? ', and its ftrace site with it' : '';
      return [{ source: 'symbols', address, says: `lies between __init_begin and __init_end: freed after boot${gone}` }];
    }
    const says = `no word of the table points into ${name}: ${WHY_NO_SITE}`;
    return [{ source, address, says }];
  }

  #site(row: SymbolRow): number {
    const { functions, symbols } = this.#kernel;
    if (functions.sites === undefined) return -1;
    const own = functions.ofSymbol(row);
    if (own !== undefined) return functions.site(own);
    const from = symbols.address.big[row]!;
    return siteIn(functions.sites, from, symbols.endOf(from) ?? from);
  }
}
