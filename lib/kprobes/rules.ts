import { siteIn } from '../ftrace/sites.js';
import type { Kernel } from '../kernel.js';
import { type Area, inAreas, initAreas, textAreas } from './areas.js';
import { blacklisted, type KprobeBlacklist } from './blacklist.js';
import { type PatchedCode, readPatchedCode } from './patched.js';

/** Why a kprobe is refused at an address; `area` and `base` say by what. */
export interface KprobeRefusal {
  readonly code:
    | 'outside-kallsyms'
    | 'no-ftrace-site'
    | 'init-text'
    | 'not-text'
    | 'kprobe-blacklisted'
    | 'bug-entry'
    | 'jump-label'
    | 'static-call'
    /** Not a refusal: whether the function has a site is not known. */
    | 'sites-unknown';
  /** The range of the blacklist, or the freed area. */
  readonly area?: Area;
  /** The function without the suffix, where the refusal is about that: `do_trap` for `do_trap.cold`. */
  readonly base?: string;
}

/**
 * What the kernel checks when a kprobe is to be set at an address through tracefs, perf or BPF: within_notrace_func() of
 * kernel/trace/trace_kprobe.c, then check_kprobe_address_safe() of kernel/kprobes.c, in their order.
 */
export class KprobeRules {
  /** False where the kernel accepts functions without an ftrace site (CONFIG_KPROBE_EVENTS_ON_NOTRACE, or no dynamic ftrace). */
  readonly refusesNotrace: boolean;
  readonly init: readonly Area[];
  readonly text: readonly Area[];
  readonly blacklist: KprobeBlacklist | undefined;
  readonly #kernel: Kernel;
  readonly #all: boolean;
  readonly #image: readonly Area[];
  #patched: PatchedCode | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const { labels } = kernel.pieces;
    this.init = initAreas(labels);
    this.text = textAreas(labels);
    this.blacklist = kernel.pieces.blacklist();
    this.refusesNotrace = kernel.functions.ftrace !== 'none' && kernel.pieces.config()?.get('CONFIG_KPROBE_EVENTS_ON_NOTRACE') !== 'y';
    this.#all = listsData(kernel);
    const [start, end] = this.#all ? [labels('_stext'), labels('_end')] : [labels('_sinittext'), labels('_einittext')];
    this.#image = start === undefined || end === undefined ? [] : [{ name: 'image', from: start, to: end }];
  }

  /** The refusal at the first instruction of what stands at an address; undefined where the kernel accepts a kprobe. */
  refusalAt(address: bigint): KprobeRefusal | undefined {
    if (!this.coveredByKallsyms(address)) return { code: 'outside-kallsyms' };
    const init = inAreas(this.init, address);
    if (this.refusesNotrace && !this.hasLiveSite(address)) {
      if (this.undecided(address)) return { code: 'sites-unknown' };
      const base = this.#baseOf(address);
      if (base === undefined || !this.hasLiveSite(base.address)) {
        return init === undefined ? { code: 'no-ftrace-site', ...named(base) } : { code: 'init-text', area: init };
      }
    }
    if (init !== undefined) return { code: 'init-text', area: init };
    if (this.text.length > 0 && inAreas(this.text, address) === undefined) return { code: 'not-text' };
    return this.#blacklistedAt(address) ?? this.#patchedAt(address);
  }

  /** is_ksym_addr(): with CONFIG_KALLSYMS_ALL the whole image, without it the two text ranges, their ends excluded. */
  coveredByKallsyms(address: bigint): boolean {
    if (this.#image.length === 0) return true;
    return (
      inAreas(this.#image, address) !== undefined ||
      inAreas(this.text, address) !== undefined ||
      (this.#all && inAreas(this.init, address) !== undefined)
    );
  }

  /** ftrace_location_range() over the symbol that the address belongs to, after boot: sites of init code are gone. */
  hasLiveSite(address: bigint): boolean {
    return this.liveSite(address) !== undefined;
  }

  /** Whether it can't be told if the symbol at an address has a site: nothing tells of sites, or only names do. */
  undecided(address: bigint): boolean {
    const { functions, symbols } = this.#kernel;
    if (functions.ftrace === 'unknown') return true;
    const row = functions.sites?.undecided === undefined ? undefined : symbols.containing(address);
    return row !== undefined && functions.sites!.undecided!.has(symbols.name(row));
  }

  /** Whether the code at an address is gone after boot. */
  isFreed(address: bigint): boolean {
    return inAreas(this.init, address) !== undefined;
  }

  /** The first site in the symbol that an address belongs to; undefined where there is none, or none after boot. */
  liveSite(address: bigint): bigint | undefined {
    const { symbols, functions } = this.#kernel;
    if (functions.sites === undefined) return undefined;
    const symbolRow = symbols.containing(address);
    if (symbolRow === undefined) return undefined;
    const row = functions.ofSymbol(symbolRow);
    const from = symbols.address.big[symbolRow]!;
    const at = row === undefined ? siteIn(functions.sites, from, symbols.endOf(from) ?? from) : functions.site[row]!;
    const site = at < 0 ? undefined : functions.sites.ip.big[at]!;
    return site === undefined || inAreas(this.init, site) !== undefined ? undefined : site;
  }

  /**
   * For the symbol at an address whose name has a suffix (`X.cold`), the first symbol of the name in front of the first dot. The kernel goes by
   * that one where the symbol itself has no site (within_notrace_func()) and for the blacklist (within_kprobe_blacklist()).
   */
  #baseOf(address: bigint): { name: string; address: bigint } | undefined {
    const { symbols } = this.#kernel;
    const row = symbols.containing(address);
    const symbol = row === undefined ? '' : symbols.name(row);
    const dot = symbol.indexOf('.');
    if (dot < 0) return undefined;
    const name = symbol.slice(0, dot);
    const base = symbols.addressOf(name);
    return base === undefined ? undefined : { name, address: base };
  }

  #blacklistedAt(address: bigint): KprobeRefusal | undefined {
    if (this.blacklist === undefined) return undefined;
    const own = blacklisted(this.blacklist, address);
    if (own !== undefined) return { code: 'kprobe-blacklisted', area: own };
    const base = this.#baseOf(address);
    const area = base === undefined ? undefined : blacklisted(this.blacklist, base.address);
    return area === undefined ? undefined : { code: 'kprobe-blacklisted', area, ...named(base) };
  }

  #patchedAt(address: bigint): KprobeRefusal | undefined {
    const { image, pieces } = this.#kernel;
    if (image === undefined) return undefined;
    this.#patched ??= readPatchedCode(
      image.memory,
      pieces.labels,
      at => inAreas(this.text, at) !== undefined || inAreas(this.init, at) !== undefined,
    );
    if (this.#patched.jumpLabels.has(address)) return { code: 'jump-label' };
    if (this.#patched.staticCalls.has(address)) return { code: 'static-call' };
    return this.#patched.bugs.has(address) ? { code: 'bug-entry' } : undefined;
  }
}

function named(base: { name: string } | undefined): { base?: string } {
  return base === undefined ? {} : { base: base.name };
}

/** CONFIG_KALLSYMS_ALL: the table lists data too. */
function listsData(kernel: Kernel): boolean {
  const { symbols } = kernel;
  let data = 0;
  for (let row = 0; row < symbols.count; row++) if (!symbols.isText(row)) data++;
  // Without it, a few labels of the linker script between text sections are of other letters.
  return data * 20 > symbols.count;
}
