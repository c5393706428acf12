import { Words } from '../../elf/words.js';
import type { Evidence } from '../evidence.js';
import { type Area, AreaSet, initAreas, textAreas } from '../facts/areas.js';
import { EntryNop } from '../facts/entry-nop.js';
import { siteIn } from '../facts/ftrace-sites.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { KprobeBlacklist } from '../facts/kprobe-blacklist.js';
import { type PatchCode, PatchedCode } from '../facts/patched-code.js';

/** Why a kprobe is refused at an address; `area` and `base` say by what. */
export interface KprobeRefusal {
  readonly code:
    | 'outside-kallsyms'
    | 'no-ftrace-site'
    | 'init-text'
    | 'not-text'
    | 'kprobe-blacklisted'
    | PatchCode
    /** Not a refusal: whether the function has a site is not known. */
    | 'sites-unknown';
  /** The range of the blacklist, or the freed area. */
  readonly area?: Area;
  /** The function without the suffix, where the refusal is about that: `do_trap` for `do_trap.cold`. */
  readonly base?: string;
}

const DOT = '.'.charCodeAt(0);

/**
 * What the kernel checks when a kprobe is to be set at the beginning of a symbol through tracefs, perf or BPF: within_notrace_func() of
 * kernel/trace/trace_kprobe.c, then check_kprobe_address_safe() of kernel/kprobes.c, in their order. Symbols are rows of `kernel.symbols`; where
 * several stand at an address, the first one is what the kernel goes by (`symbols.containing`).
 */
export class KprobeRules {
  /** Whether the kernel refuses functions without an ftrace site, and what tells. */
  readonly notrace: NotraceRule;
  /** What is freed after boot. */
  readonly init: AreaSet;
  readonly text: AreaSet;
  readonly blacklist: KprobeBlacklist | undefined;
  readonly #kernel: KernelFacts;
  /** What is_ksym_addr() covers; empty where the labels are missing. */
  readonly #covered: AreaSet;
  #patched: PatchedCode | undefined;
  #entryNop: EntryNop | undefined;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    const { labels } = kernel.pieces;
    this.init = initAreas(labels);
    this.text = textAreas(labels);
    this.blacklist = kernel.pieces.blacklist();
    this.notrace = notraceRule(kernel);
    this.#covered = coveredByKallsyms(kernel, this.text, this.init);
  }

  /** The refusal at the first instruction of a symbol; undefined where the kernel accepts a kprobe. */
  refusal(symbolRow: number): KprobeRefusal | undefined {
    const row = this.#kernel.symbols.firstAlias(symbolRow);
    return this.#refusal(row, this.#kernel.symbols.address, row);
  }

  /** The same at another address in the symbol. The instruction itself is not looked at, but for what the kernel patches. */
  refusalInside(symbolRow: number, address: bigint): KprobeRefusal | undefined {
    return this.#refusal(this.#kernel.symbols.firstAlias(symbolRow), Words.of(address), 0);
  }

  /** @param row of the symbol @param place of the address in the column `address` */
  #refusal(row: number, address: Words, place: number): KprobeRefusal | undefined {
    if (!this.#covered.isEmpty && this.#covered.at(address, place) === undefined) return { code: 'outside-kallsyms' };
    const init = this.init.at(address, place);
    if (this.notrace.refuses && !this.hasLiveSite(row)) {
      if (this.undecided(row)) return { code: 'sites-unknown' };
      const base = this.#base(row);
      if (base === undefined || !this.hasLiveSite(base))
        return init === undefined ? this.#about('no-ftrace-site', base) : { code: 'init-text', area: init };
    }
    if (init !== undefined) return { code: 'init-text', area: init };
    if (!this.text.isEmpty && this.text.at(address, place) === undefined) return { code: 'not-text' };
    return this.#blacklisted(row, address, place) ?? this.#patchedAt(address, place);
  }

  /** For a symbol without a site of its own that the kernel accepts all the same: the one it goes by, its name without the suffix. */
  acceptedBy(row: number): number | undefined {
    const base = this.notrace.refuses && !this.hasLiveSite(row) ? this.#base(row) : undefined;
    return base !== undefined && this.hasLiveSite(base) ? base : undefined;
  }

  /** Whether an ftrace site lies in a symbol, be it freed after boot or not. */
  hasSite(row: number): boolean {
    return this.#site(row) >= 0;
  }

  /** Whether an ftrace site lies in a symbol after boot (ftrace_location_range() over it): sites of init code are gone. */
  hasLiveSite(row: number): boolean {
    const at = this.#site(row);
    return at >= 0 && this.init.at(this.#kernel.functions.sites!.ip, at) === undefined;
  }

  /** The first site in a symbol; undefined where there is none, or none after boot. */
  liveSite(row: number): bigint | undefined {
    return this.hasLiveSite(row) ? this.#kernel.functions.sites!.ip.big[this.#site(row)] : undefined;
  }

  /** Whether it can't be told if a symbol has a site: nothing tells of sites, or names do, and not which of several functions. */
  undecided(row: number): boolean {
    const { functions, symbols } = this.#kernel;
    return functions.ftrace === 'unknown' || (functions.sites?.undecided?.has(symbols.name(row)) ?? false);
  }

  /**
   * Whether an x86-64 symbol begins with the NOP that BPF takes for one of ftrace's; undefined where that depends on what the running kernel patched,
   * and false without an image.
   */
  entryNop(row: number): boolean | undefined {
    const { image, pieces, symbols } = this.#kernel;
    const patched = this.#patchedCode();
    if (image === undefined || patched === undefined) return false;
    const areas = [...this.text.areas, ...this.init.areas];
    this.#entryNop ??= new EntryNop(image.memory, pieces.labels, patched, address =>
      areas.some(({ from, to }) => address >= from && address < to),
    );
    return this.#entryNop.at(symbols.address.big[row]!);
  }

  #site(row: number): number {
    const { functions, symbols } = this.#kernel;
    if (functions.sites === undefined) return -1;
    const own = functions.ofSymbol(row);
    if (own !== undefined) return functions.site(own);
    const from = symbols.address.big[row]!;
    return siteIn(functions.sites, from, symbols.endOf(from) ?? from);
  }

  /**
   * For a symbol whose name has a suffix (`X.cold`), the first symbol of the name in front of the first dot. The kernel goes by that one where the
   * symbol itself has no site (within_notrace_func()), and for the blacklist (within_kprobe_blacklist()).
   */
  #base(row: number): number | undefined {
    const { symbols } = this.#kernel;
    const { bytes } = symbols.strings;
    let at = symbols.nameOffset[row]!;
    while (bytes[at] !== 0 && bytes[at] !== DOT && at < bytes.length) at++;
    return bytes[at] === DOT ? symbols.lookup(symbols.name(row).split('.', 1)[0]!) : undefined;
  }

  #blacklisted(row: number, address: Words, place: number): KprobeRefusal | undefined {
    if (this.blacklist === undefined) return undefined;
    const { ranges } = this.blacklist;
    const own = ranges.at(address, place);
    if (own !== undefined) return { code: 'kprobe-blacklisted', area: own };
    const base = this.#base(row);
    const area = base === undefined ? undefined : ranges.at(this.#kernel.symbols.address, base);
    return area === undefined ? undefined : { ...this.#about('kprobe-blacklisted', base), area };
  }

  #patchedAt(address: Words, place: number): KprobeRefusal | undefined {
    const code = this.#patchedCode()?.at(address, place);
    return code === undefined ? undefined : { code };
  }

  #patchedCode(): PatchedCode | undefined {
    const { image, pieces } = this.#kernel;
    if (image === undefined) return undefined;
    this.#patched ??= new PatchedCode(image.memory, pieces.labels, new AreaSet([...this.text.areas, ...this.init.areas]));
    return this.#patched;
  }

  #about(code: KprobeRefusal['code'], base: number | undefined): KprobeRefusal {
    return base === undefined ? { code } : { code, base: this.#kernel.symbols.name(base) };
  }
}

/** within_notrace_func() of kernel/trace/trace_kprobe.c: since 4.19, unless CONFIG_KPROBE_EVENTS_ON_NOTRACE is set. */
export interface NotraceRule {
  readonly refuses: boolean;
  /** False where it is the default that is taken. */
  readonly proven: boolean;
  readonly evidence: Evidence;
}

/** The image shows the rule by its function; else the .config does; else it is taken for what kernels have by default. */
function notraceRule(kernel: KernelFacts): NotraceRule {
  const { functions, pieces } = kernel;
  const rule = (refuses: boolean, proven: boolean, source: string, says: string): NotraceRule => ({
    refuses,
    proven,
    evidence: { source, says },
  });
  if (functions.ftrace === 'none') return rule(false, true, 'symbols', 'the kernel has no dynamic ftrace, and no rule about its sites');
  const { has, shownBy: checker } = kernel.change('refusesNotrace');
  if (checker !== undefined) return rule(true, true, 'kallsyms', `the kernel has ${checker}(), which refuses what ftrace cannot trace`);
  const config = pieces.config();
  const set = config?.get('CONFIG_KPROBE_EVENTS_ON_NOTRACE') === 'y';
  if (config !== undefined) {
    const says = set
      ? 'CONFIG_KPROBE_EVENTS_ON_NOTRACE=y: functions without a site are accepted'
      : 'CONFIG_KPROBE_EVENTS_ON_NOTRACE is not set: within_notrace_func() refuses what ftrace cannot trace';
    return rule(!set, true, config.source, says);
  }
  if (has === false) return rule(false, true, 'release', 'kernels before 4.19 accept functions without a site');
  return rule(
    true,
    false,
    'kernel',
    'within_notrace_func() refuses what ftrace cannot trace, by default (CONFIG_KPROBE_EVENTS_ON_NOTRACE: --config settles it)',
  );
}

/** is_ksym_addr() in kernel/kallsyms.c: with CONFIG_KALLSYMS_ALL the whole image, without it the two ranges of text, their ends excluded. */
function coveredByKallsyms(kernel: KernelFacts, text: AreaSet, init: AreaSet): AreaSet {
  const { labels } = kernel.pieces;
  const all = kernel.symbols.listsData;
  const from = labels(all ? '_stext' : '_sinittext');
  const to = labels(all ? '_end' : '_einittext');
  if (from === undefined || to === undefined) return new AreaSet([]);
  return new AreaSet([{ name: 'kallsyms', from, to }, ...text.areas, ...(all ? init.areas : [])]);
}
