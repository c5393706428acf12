import { Words } from '../../elf/words.js';
import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Certainty, Errno, Evidence } from '../evidence.js';
import { type Area, AreaSet, initTextStart, textAreas } from '../facts/areas.js';
import { EntryNop } from '../facts/entry-nop.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { KprobeBlacklist } from '../facts/kprobe-blacklist.js';
import { once } from '../facts/once.js';
import { PatchedCode } from '../facts/patched-code.js';
import type { ReasonCode } from '../reasons.js';
import { listed } from '../similar-names.js';
import { cloneOf, returnHarm } from './clones.js';
import { accepted, certaintyOfAcceptance, type Decision, leastOf, refused, untold, withoutSymbols } from './decision.js';
import { InstructionRules } from './instructions.js';
import { symbolsNamed } from './lto-names.js';
import { type CountsNames, countsNames } from './name-counting.js';
import { clonesLeft, nearFunctions } from './near-names.js';
import { type NotraceRule, notraceRule } from './notrace.js';
import type { Sites } from './sites.js';

/** A probe to set. */
interface Probe {
  /**
   * The symbol that the address lies in; where several are at one address, the first (`symbols.containing`), which the kernel uses.
   */
  readonly row: SymbolRow;
  /** The address, at a place of a column. */
  readonly words: Words;
  readonly place: number;
  readonly address: bigint;
}

/** An objection to a probe: a refusal, or a possible one. */
interface Objection {
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  readonly because: () => Evidence;
}

type KprobeRule = (rules: KprobeRules, probe: Probe) => Objection | undefined;

function objection(code: ReasonCode, certainty: Certainty, because: () => Evidence): Objection {
  return { code, certainty, because };
}

// What the kernel checks before it sets a kprobe through tracefs, perf or BPF, in its order.

/**
 * within_notrace_func() of kernel/trace/trace_kprobe.c: functions that ftrace can't trace. For a symbol without a site whose name has a
 * suffix, the first symbol with the name before the dot counts.
 */
const untraceable: KprobeRule = (rules, { row, words, place, address }) => {
  const { sites, notrace } = rules;
  if (!notrace.refuses || sites.hasLive(row)) return undefined;
  if (sites.undecided(row))
    return objection('sites-unknown', 'open', () => ({ source: 'tracefs', says: 'it is unknown what ftrace can trace' }));
  const base = rules.baseOf(row);
  if (base !== undefined && sites.hasLive(base)) return undefined;
  if (sites.init.at(words, place) !== undefined) return freed(address);
  const says = (): string => `${notrace.evidence.says}${base === undefined ? '' : byBase(rules.nameOf(base))}`;
  return objection('no-ftrace-site', notrace.proven ? 'proven' : 'likely', () => ({ ...notrace.evidence, says: says() }));
};

/** check_ftrace_location() of kernel/kprobes.c: an instruction that ftrace patches is a probe's where ftrace itself calls it. */
const onFtraceSite: KprobeRule = ({ sites, onFtrace }, { row, address }) => {
  if (onFtrace || sites.live(row) !== address) return undefined;
  const says = 'ftrace patches this instruction, and the kernel has no kprobe_ftrace_handler: no CONFIG_KPROBES_ON_FTRACE';
  return objection('on-ftrace-site', 'proven', () => ({ source: 'kallsyms', address, says }));
};

/** kernel_text_address() once init memory is freed. */
const inFreedText: KprobeRule = ({ sites }, { words, place, address }) =>
  sites.init.at(words, place) === undefined ? undefined : freed(address);

/** core_kernel_text() in check_kprobe_address_safe() of kernel/kprobes.c. */
const outsideText: KprobeRule = ({ text }, { words, place, address }) =>
  text.isEmpty || text.at(words, place) !== undefined ? undefined : notText(address);

/** within_kprobe_blacklist(): the address itself, or the function before a suffix. */
const blacklisted: KprobeRule = (rules, { row, words, place, address }) => {
  const { blacklist } = rules;
  if (blacklist === undefined) return undefined;
  const own = blacklist.ranges.at(words, place);
  const base = own === undefined ? rules.baseOf(row) : undefined;
  const area = own ?? (base === undefined ? undefined : blacklist.ranges.at(rules.addresses, base));
  if (area === undefined) return undefined;
  const says = (): string => `the kprobe blacklist covers it${base === undefined ? '' : byBase(rules.nameOf(base))}`;
  return objection('kprobe-blacklisted', 'proven', () => ({ source: area.name, address: area.from ?? address, says: says() }));
};

/** jump_label_text_reserved(), static_call_text_reserved() and find_bug() there. */
const patched: KprobeRule = (rules, { row, words, place, address }) => {
  const code = rules.patchedCode()?.at(words, place);
  if (code === undefined || code === 'cfi-trap') return undefined;
  const { source, is } = PATCHED[code];
  const instruction = address === rules.addresses.big[row] ? 'the first instruction' : 'the instruction there';
  return objection(code, 'proven', () => ({ source, address, says: `${instruction} is ${is}` }));
};

const PATCHED = {
  'bug-entry': { source: '__bug_table', is: 'a BUG() or WARN() trap' },
  'jump-label': { source: '__jump_table', is: 'a jump label' },
  'static-call': { source: '.static_call_sites', is: 'a static call' },
} as const;

/** What shows that a kernel was built without kprobes: its .config, or what its image lacks. */
function withoutKprobes(kernel: KernelFacts): Evidence | undefined {
  const config = kernel.pieces.config();
  if (config !== undefined && config.get('CONFIG_KPROBES') !== 'y') return { source: config.source, says: 'CONFIG_KPROBES is not set' };
  if (kernel.hasKprobes !== false) return undefined;
  return { source: 'symbols', says: 'the kernel has no register_kprobe: CONFIG_KPROBES is not set' };
}

export function noKprobes(missing: Evidence): Decision {
  return refused('no-kprobes', 'ENOENT', () => [missing]);
}

const RULES: readonly KprobeRule[] = [untraceable, onFtraceSite, inFreedText, outsideText, blacklisted, patched];

function freed(address: bigint): Objection {
  return objection('init-text', 'proven', () => ({ source: 'symbols', address, says: 'the code is freed after boot' }));
}

function notText(address: bigint): Objection {
  return objection('not-text', 'proven', () => ({ source: 'symbols', address, says: 'lies outside _stext to _etext' }));
}

/**
 * is_ksym_addr(): the kernel treats other addresses as those of a module. By name it refuses them; by address the probe waits for the
 * module.
 */
function outsideKallsyms(address: bigint): Objection {
  const says = 'the table does not cover the address: the kernel takes it for an address in a module';
  return objection('outside-kallsyms', 'proven', () => ({ source: 'kallsyms', address, says }));
}

function byBase(base: string): string {
  return ` (the rule goes by ${base}, its name without the suffix)`;
}

const DOT = '.'.charCodeAt(0);

/** How the kernel decides about kprobes and return probes. Symbols are rows of `kernel.symbols`. */
export class KprobeRules {
  readonly sites: Sites;
  readonly text: AreaSet;
  readonly blacklist: KprobeBlacklist | undefined;
  /** Whether the kernel refuses functions without an ftrace site, and the evidence. */
  readonly notrace: NotraceRule;
  /** Whether a kprobe by a name that several symbols share is refused. */
  readonly countsNames: CountsNames;
  /** Whether kprobe_events returns EINVAL where perf and BPF return a more specific errno. */
  readonly strictEvents: boolean;
  /** What shows that the kernel was built without kprobes; undefined where it has them. */
  readonly missing: Evidence | undefined;
  /** Whether ftrace calls the probes at its sites: CONFIG_KPROBES_ON_FTRACE. */
  readonly onFtrace: boolean;
  readonly #kernel: KernelFacts;
  /** The ranges of is_ksym_addr(); empty if the labels are missing. */
  readonly #covered: AreaSet;
  readonly #acceptance: Certainty;
  readonly #instructions = once(() => new InstructionRules(this.#kernel, this.text, address => this.patchedCode()?.atAddress(address)));
  #patched: PatchedCode | undefined;
  #entryNop: EntryNop | undefined;

  constructor(kernel: KernelFacts, sites: Sites) {
    this.#kernel = kernel;
    this.sites = sites;
    this.text = textAreas(kernel.pieces.labels);
    this.blacklist = kernel.pieces.blacklist();
    this.notrace = notraceRule(kernel);
    this.countsNames = countsNames(kernel);
    this.onFtrace = kernel.arch.kprobes.onFtrace || kernel.hasFunction('kprobe_ftrace_handler') === true;
    this.strictEvents = kernel.change('strictEvents').has === true;
    this.missing = withoutKprobes(kernel);
    this.#covered = coveredByKallsyms(kernel, this.text, sites.init);
    this.#acceptance = certaintyOfAcceptance(kernel);
  }

  /** A kprobe by the name alone, as in `p:NAME` or SEC("kprobe/NAME"). */
  byName(name: string): Decision {
    const unknown = this.#withoutSymbols();
    if (unknown !== undefined) return unknown;
    const { rows, because } = symbolsNamed(this.#kernel, name);
    if (rows.length === 0) {
      const says = `no symbol is named ${name}`;
      const evidence = (): Evidence[] => [
        { source: 'kallsyms', says },
        ...because,
        ...nearFunctions(this.#kernel, name),
        ...this.onClones(name),
      ];
      // A module that is loaded may have it, unless all were read.
      const isSure = because.length === 0 && this.#kernel.modules !== undefined;
      return refused('no-symbol', 'ENOENT', evidence, isSure ? 'proven' : 'likely');
    }
    const decision = this.byRows(rows);
    if (because.length === 0) return decision;
    return { ...decision, certainty: leastOf(decision.certainty, 'likely'), because: () => [...because, ...decision.because()] };
  }

  /** That a kprobe on what the compiler left of a function works, by the full name. */
  onClones(name: string): Evidence[] {
    const taken = clonesLeft(this.#kernel, name).filter(clone => this.byName(clone).outcome === 'accepted');
    return taken.length === 0 ? [] : [{ source: 'kernel', says: `a kprobe on ${listed(taken)} is accepted` }];
  }

  /** The same for a name that has been looked up. @param rows the symbols of the name, one at least */
  byRows(rows: readonly SymbolRow[]): Decision {
    const [first] = rows;
    if (this.missing !== undefined) return noKprobes(this.missing);
    const because = (): Evidence[] => this.#becauseOfName(rows);
    if (rows.length > 1 && this.countsNames.refuses) return refused('ambiguous-name', 'EADDRNOTAVAIL', because, this.countsNames.certainty);
    const against = this.#against(first!);
    return this.#decision(against, against?.code === 'outside-kallsyms' ? 'ENOENT' : 'EINVAL', because);
  }

  /** A kprobe at the start of a symbol, by its address. */
  ofRow(row: SymbolRow): Decision {
    if (this.missing !== undefined) return noKprobes(this.missing);
    return this.#decision(this.#byAddress(row), 'EINVAL', () => this.#becauseOfRow(row));
  }

  /** The same for an address; `not-a-function-entry` where no symbol begins there. */
  at(address: bigint): Decision {
    const row = this.#rowAt(address);
    return row === undefined ? notAnEntry(address) : this.ofRow(row);
  }

  /** A return probe by name: the rules of a kprobe, and its own blacklist. */
  returnByName(name: string): Decision {
    const decision = this.byName(name);
    if (decision.outcome === 'refused' || decision.code === 'symbols-unknown') return decision;
    const row = symbolsNamed(this.#kernel, name).rows[0]!;
    return this.#atRival(row, decision) ?? this.#unlessListed(row, decision);
  }

  /** Where the name may lead to the site of a weak function that the linker dropped: that is no entry of a function. */
  #atRival(row: SymbolRow, decision: Decision): Decision | undefined {
    const rival = this.sites.rival(row);
    if (rival === undefined || this.#rowAt(rival) !== undefined) return undefined;
    const says =
      'a second ftrace site is as near to the name: a kprobe by name goes to the one that the kernel finds first, and a return probe is refused there (EINVAL)';
    return untold('sites-unknown', () => [...decision.because(), { source: '__mcount_loc', address: rival, says }]);
  }

  /** A return probe on a symbol, by its address. If the kernel accepts one that does harm, the answer says so. */
  returnOfRow(row: SymbolRow): Decision {
    const decision = this.ofRow(row);
    if (decision.outcome === 'refused') return decision;
    const listed = this.#unlessListed(row, decision);
    const harm = listed.outcome === 'refused' ? undefined : returnHarm(cloneOf(this.#kernel.symbols.name(row)));
    return harm === undefined ? listed : { ...listed, because: () => [...listed.because(), harm] };
  }

  /** A return probe by address; `not-a-function-entry` where no symbol begins there. */
  returnAt(address: bigint): Decision {
    const row = this.#rowAt(address);
    return row === undefined ? notAnEntry(address) : this.returnOfRow(row);
  }

  /**
   * A kprobe anywhere in a function: the checks of the address, then those of the instruction.
   * @param address in the function of `row`
   */
  inside(row: SymbolRow, address: bigint): Decision {
    if (address === this.#kernel.symbols.address.big[row]) return this.ofRow(row);
    if (this.missing !== undefined) return noKprobes(this.missing);
    const probe: Probe = { row: this.#kernel.symbols.firstAlias(row), words: Words.of(address), place: 0, address };
    const outside = this.#outside(probe);
    const against = outside ?? this.#objection(probe);
    const because = (says: string) => (): Evidence[] => [
      this.#placeOf(row, address),
      ...(against === undefined ? [{ source: 'kernel', address, says }, ...this.sites.because(row)] : [against.because()]),
    ];
    if (against !== undefined && outside === undefined) return this.#decision(against, 'EINVAL', because(''));
    if (outsideText(this, probe) !== undefined) return refused('not-text', 'EINVAL', because(UNCHECKED));
    if (this.sites.live(row) === address) return accepted('likely', because(UNCHECKED));
    return this.#instructions().at(row, address, evidence => () => [this.#placeOf(row, address), evidence, ...this.sites.because(row)]);
  }

  /** A return probe anywhere in a function: at what is still its entry. */
  returnInside(row: SymbolRow, address: bigint): Decision {
    const start = this.#kernel.symbols.address.big[row]!;
    const decision = this.inside(row, address);
    if (decision.outcome === 'refused') return decision;
    const { arch, littleEndian } = this.#kernel;
    const reach = arch.entry?.reach(littleEndian, this.#kernel.hasFunction('kprobe_ftrace_handler') === true) ?? 0;
    if (address - start > BigInt(reach)) return refused('not-the-entry', 'EINVAL', decision.because);
    return { ...this.returnOfRow(row), because: decision.because };
  }

  /**
   * The errno of kprobe_events for a decision about a name: perf and BPF return EADDRNOTAVAIL and ENOENT, kprobe_events no longer does
   * (`strictEvents`).
   */
  inEvents(decision: Decision): Decision {
    const told = decision.code === 'ambiguous-name' || decision.code === 'no-symbol';
    return told && this.strictEvents ? { ...decision, errno: 'EINVAL' } : decision;
  }

  /**
   * Whether an x86-64 symbol begins with a NOP that BPF treats as ftrace's; undefined if that depends on what the running kernel patched,
   * and false without an image.
   */
  entryNop(row: SymbolRow): boolean | undefined {
    const { image, pieces, symbols } = this.#kernel;
    const patched = this.patchedCode();
    if (image === undefined || patched === undefined) return false;
    const areas = [...this.text.areas, ...this.sites.init.areas];
    this.#entryNop ??= new EntryNop(image.memory, pieces.labels, patched, address =>
      areas.some(({ from, to }) => address >= from && address < to),
    );
    return this.#entryNop.at(symbols.address.big[row]!);
  }

  /** What the kernel patches; undefined without an image. */
  patchedCode(): PatchedCode | undefined {
    const { image, pieces } = this.#kernel;
    if (image === undefined) return undefined;
    this.#patched ??= new PatchedCode(image.memory, pieces.labels, new AreaSet([...this.text.areas, ...this.sites.init.areas]));
    return this.#patched;
  }

  /** For a symbol whose name has a suffix (`X.cold`), the first symbol of the name before the first dot. */
  baseOf(row: SymbolRow): SymbolRow | undefined {
    const { symbols } = this.#kernel;
    const { bytes } = symbols.strings;
    let at = symbols.nameOffset[row]!;
    while (bytes[at] !== 0 && bytes[at] !== DOT && at < bytes.length) at++;
    return bytes[at] === DOT ? symbols.lookup(symbols.name(row).split('.', 1)[0]!) : undefined;
  }

  nameOf(row: SymbolRow): string {
    return this.#kernel.symbols.name(row);
  }

  get addresses(): Words {
    return this.#kernel.symbols.address;
  }

  /** Of a kernel without symbols: what its .config says all the same, or that nothing tells. */
  #withoutSymbols(): Decision | undefined {
    const unknown = withoutSymbols(this.#kernel);
    return unknown !== undefined && this.missing !== undefined ? noKprobes(this.missing) : unknown;
  }

  #rowAt(address: bigint): SymbolRow | undefined {
    const { symbols } = this.#kernel;
    const row = symbols.containing(address);
    return row !== undefined && symbols.address.big[row] === address ? row : undefined;
  }

  /** The objections to a probe at the first instruction of a symbol. */
  #against(symbolRow: SymbolRow): Objection | undefined {
    const { symbols } = this.#kernel;
    const row = symbols.firstAlias(symbolRow);
    const probe: Probe = { row, words: symbols.address, place: row, address: symbols.address.big[row]! };
    return this.#outside(probe) ?? this.#objection(probe);
  }

  /** The same where the kernel is given the address: what kallsyms does not cover waits for a module. */
  #byAddress(row: SymbolRow): Objection | undefined {
    const against = this.#against(row);
    return against?.code === 'outside-kallsyms' ? undefined : against;
  }

  #outside({ words, place, address }: Probe): Objection | undefined {
    return this.#covered.isEmpty || this.#covered.at(words, place) !== undefined ? undefined : outsideKallsyms(address);
  }

  #objection(probe: Probe): Objection | undefined {
    for (const rule of RULES) {
      const against = rule(this, probe);
      if (against !== undefined) return against;
    }
    return undefined;
  }

  #decision(against: Objection | undefined, errno: Errno, because: () => Evidence[]): Decision {
    if (against === undefined) return accepted(this.#acceptance, because);
    return against.certainty === 'open' ? untold(against.code, because) : refused(against.code, errno, because, against.certainty);
  }

  /** kretprobe_blacklist. */
  #unlessListed(row: SymbolRow, decision: Decision): Decision {
    const { symbols, arch } = this.#kernel;
    const listed = arch.kprobes.noReturnProbe.includes(symbols.name(row));
    return listed ? refused('kretprobe-blacklisted', 'EINVAL', decision.because) : decision;
  }

  #becauseOfName(rows: readonly SymbolRow[]): Evidence[] {
    const { symbols, functions } = this.#kernel;
    const first = rows[0]!;
    const name = symbols.name(first);
    const at = (row: SymbolRow, says: string): Evidence => ({ source: 'kallsyms', address: symbols.address.big[row]!, says });
    const data = rows.filter(row => !functions.isCode(row)).length;
    if (data === rows.length) return rows.map(row => at(row, `${name} is data, not a function`));
    if (rows.length === 1) {
      const label = functions.ofSymbol(first) === undefined;
      return [...(label ? [at(first, `${name} is a label in front of a function`)] : []), ...this.#becauseOfRow(first)];
    }
    const { refuses, evidence } = this.countsNames;
    return [
      at(first, `${rows.length} symbols are named ${name}${data > 0 ? `, ${data} of them data` : ''}`),
      evidence,
      ...(refuses && this.strictEvents
        ? [{ source: 'kernel', says: 'kprobe_events returns EINVAL, perf and BPF return EADDRNOTAVAIL (validate_probe_symbol(), 6.12)' }]
        : []),
      ...(refuses ? [] : this.#becauseOfRow(first)),
    ];
  }

  #becauseOfRow(row: SymbolRow): Evidence[] {
    const against = this.#against(row);
    const site = this.sites.because(row);
    if (against !== undefined) return [against.because(), ...site];
    const base = this.notrace.refuses && !this.sites.hasLive(row) ? this.baseOf(row) : undefined;
    if (base !== undefined && this.sites.hasLive(base)) {
      const says = `within_notrace_func() checks ${this.nameOf(base)}, the name without the suffix, which has a site`;
      return [...site, { source: 'kernel', address: this.addresses.big[base]!, says }];
    }
    return this.sites.hasLive(row) || this.sites.undecided(row) ? site : [this.notrace.evidence, ...site];
  }

  #placeOf(row: SymbolRow, address: bigint): Evidence {
    const offset = (address - this.addresses.big[row]!).toString(16);
    return { source: 'kallsyms', address, says: `the address is ${this.nameOf(row)}+0x${offset}` };
  }
}

const UNCHECKED = 'arch_prepare_kprobe() still looks at the instruction';

function notAnEntry(address: bigint): Decision {
  return untold('not-a-function-entry', () => [{ source: 'kallsyms', address, says: 'no symbol begins at the address' }]);
}

/**
 * is_ksym_addr() in include/linux/kallsyms.h: with CONFIG_KALLSYMS_ALL the whole image, without it the two ranges of text; before 5.16
 * their ends too.
 */
function coveredByKallsyms(kernel: KernelFacts, text: AreaSet, init: AreaSet): AreaSet {
  if (kernel.symbolsMissing !== undefined) return new AreaSet([]);
  const { labels } = kernel.pieces;
  const all = kernel.symbols.listsData;
  const from = all ? labels('_stext') : initTextStart(labels);
  const to = labels(all ? '_end' : '_einittext');
  if (from === undefined || to === undefined) return new AreaSet([]);
  const end = kernel.change('kallsymsExcludesEnds').has === false ? 1n : 0n;
  const ranges: Area[] = [{ name: 'kallsyms', from, to }, ...text.areas, ...(all ? init.areas : [])];
  return new AreaSet(ranges.map(range => ({ ...range, to: range.to + end })));
}
