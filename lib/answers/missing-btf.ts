import { type ElfSymbol, STB, STT } from '../../elf/index.js';
import type { Certainty, Evidence } from '../evidence.js';
import type { Kernel } from '../kernel.js';
import type { ReasonCode } from '../reasons.js';
import { btfStatistics, type Era, eraReleases, guessPahole, type PaholeGuess, substitutes } from './pahole.js';
import { atLeast } from './traceability.js';

export interface MissingBtfOptions {
  /** The pahole that made the BTF, as in CONFIG_PAHOLE_VERSION: 120 for 1.20. */
  readonly paholeVersion?: number;
}

/** Why BTF has no FUNC for a name. */
export interface MissingBtf {
  readonly name: string;
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  readonly because: readonly Evidence[];
  /** Where the release of pahole is not known and matters: the reason under each. */
  readonly alternatives: readonly { readonly pahole: string; readonly code: ReasonCode }[];
  /** Functions with BTF that can be traced in its place, the likeliest first. */
  readonly instead: readonly { readonly name: string; readonly prototype: string; readonly says: string }[];
}

interface Reason {
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  readonly because: readonly Evidence[];
}

/** What the image says of a name, gathered once for all rules. */
interface Subject {
  readonly kernel: Kernel;
  readonly name: string;
  /** Symbols of exactly that name. */
  readonly symbols: readonly ElfSymbol[];
  /** Function symbols that are the name and a suffix: `name.isra.0`. */
  readonly clones: readonly ElfSymbol[];
}

/** The release whose rules the reasons under each era are named by. */
type Rule = (subject: Subject, era: Era) => Reason | undefined;

const MOST_SUBSTITUTES = 5;

/**
 * Why BTF has no FUNC for a name, from the finished image and without DWARF: first what holds for every pahole, then the rules of the releases
 * that may have made the BTF (btf_encoder.c of pahole 1.16 to 1.32).
 */
export class BtfAbsence {
  readonly #kernel: Kernel;
  readonly #given: number | undefined;
  #guess: PaholeGuess | undefined;

  constructor(kernel: Kernel, options: MissingBtfOptions = {}) {
    this.#kernel = kernel;
    this.#given = options.paholeVersion;
  }

  /** Which releases of pahole may have made the BTF. */
  get pahole(): PaholeGuess {
    this.#guess ??= guessPahole(this.#kernel, btfStatistics(this.#kernel), this.#given);
    return this.#guess;
  }

  /** The reason alone: what an audit counts. */
  reason(name: string): ReasonCode {
    return this.#decide(name).code;
  }

  /** The reason with its evidence, and what can be traced instead. */
  answer(name: string): MissingBtf {
    const { subject, alternatives, ...reason } = this.#decide(name);
    const because =
      subject === undefined
        ? reason.because
        : [...aboutSymbol(subject), ...this.pahole.because, ...reason.because, ...traceableAllTheSame(subject)];
    const present = reason.code === 'btf-present' || reason.code === 'no-btf';
    return { name, ...reason, because, alternatives, instead: present ? [] : substitutes(this.#kernel, name, MOST_SUBSTITUTES) };
  }

  #decide(name: string): Reason & { readonly subject?: Subject; readonly alternatives: MissingBtf['alternatives'] } {
    const kernel = this.#kernel;
    const always = withoutPahole(kernel, name);
    if (always !== undefined) return { ...always, alternatives: [] };
    const images = kernel.pieces.imageSymbols()!;
    const subject: Subject = { kernel, name, symbols: images.find(name).map(row => images.table.at(row)), clones: images.clones(name) };
    const { eras, version, contradicted } = this.pahole;
    const reasons = eras.map(era => ({ era, reason: reasonUnder(subject, era) }));
    const [first] = reasons;
    if (first === undefined || reasons.some(({ reason }) => reason.code !== first.reason.code)) {
      const alternatives = reasons.map(({ era, reason: { code } }) => ({ pahole: eraReleases(era), code }));
      return { code: 'pahole-unknown', certainty: 'open', because: [], subject, alternatives };
    }
    // Where the BTF only suggests the release, and several are left or something speaks against them, it is not proven which rule it was.
    const doubt = version === undefined && (eras.length > 1 || contradicted);
    const certainty = first.reason.certainty === 'proven' && doubt ? 'likely' : first.reason.certainty;
    return { ...first.reason, certainty, subject, alternatives: [] };
  }
}

/** The reasons that need no release: there is a FUNC, no BTF, no symbol, no function. */
function withoutPahole(kernel: Kernel, name: string): Reason | undefined {
  const { btf, pieces } = kernel;
  const proven = (code: ReasonCode, ...because: Evidence[]): Reason => ({ code, certainty: 'proven', because });
  if (btf === undefined) {
    return proven('no-btf', {
      source: '.BTF',
      says: `${kernel.name} has no BTF: CONFIG_DEBUG_INFO_BTF is not set, or the section was stripped`,
    });
  }
  const source = kernel.btfSource!;
  const ids = btf.find(name, 'FUNC');
  if (ids.length > 0) return proven('btf-present', ...ids.map(id => ({ source, says: `[${id}] ${btf.prototype(id)}` })));
  if (btf.functions().length === 0) return proven('btf-without-functions', { source, says: 'it has types, and no FUNC at all' });
  const images = pieces.imageSymbols();
  if (images === undefined) {
    const says = 'without .symtab the reason cannot be told: the debug vmlinux would settle it';
    return { code: 'unknown-image', certainty: 'open', because: [{ source: kernel.name, says }] };
  }
  if (name.includes('.')) {
    const base = name.slice(0, name.indexOf('.'));
    const has = btf.find(base, 'FUNC').length > 0 ? `and ${base} has one` : `and ${base} has none: ask for that name`;
    return proven('pahole-suffix', {
      source: '.symtab',
      says: `${name} is a clone or a part that the compiler split off: a FUNC is named as in the source, ${has}`,
    });
  }
  if (/^_R[A-Za-z0-9]/.test(name)) {
    return proven('pahole-rust', {
      source: '.symtab',
      says: 'a mangled Rust name; kernels call pahole with --lang_exclude=rust since 6.3',
    });
  }
  const defined = images
    .find(name)
    .map(row => images.table.at(row))
    .filter(symbol => symbol.sectionIndex !== 0 && symbol.type !== STT.FILE);
  const [symbol] = defined;
  if (symbol === undefined) {
    if (images.clones(name).length > 0) return undefined;
    const says = `no symbol is named ${name}, nor ${name} with a suffix: it was inlined everywhere, or not built, or it belongs to a module, or it is a macro`;
    return proven('pahole-no-symbol', { source: '.symtab', says });
  }
  if (defined.some(({ type }) => type === STT.FUNC)) return undefined;
  const at = { source: '.symtab', address: symbol.value };
  if (symbol.type === STT.OBJECT) return proven('pahole-not-a-function', { ...at, says: `${name} is data, not a function` });
  return proven('pahole-assembly', {
    ...at,
    says: `${name} is a label without a type (STT_NOTYPE), as assembly makes them; pahole looks at STT_FUNC only`,
  });
}

function reasonUnder(subject: Subject, era: Era): Reason {
  for (const rule of RULES[era.id]) {
    const reason = rule(subject, era);
    if (reason !== undefined) return reason;
  }
  return unknown(subject);
}

// Each rule looks at one thing that pahole looked at. Sources: btf_encoder.c of the release named, by commit where a rule came or went.

/** `if (fn->declaration || !fn->external) continue;` up to 1.18 */
const staticFunction: Rule = ({ name, symbols }, era) => {
  const symbol = symbols.find(({ type, binding }) => type === STT.FUNC && binding === STB.LOCAL);
  if (symbol === undefined || symbols.some(({ binding }) => binding !== STB.LOCAL)) return undefined;
  return {
    code: 'pahole-static',
    certainty: 'proven',
    because: [{ source: 'pahole', says: `${eraReleases(era)} keeps external functions only, and ${name} is static` }],
  };
};

/** 1.19 to 1.21 keep the functions whose address is a word of the table as it stands in the file (5a22c2d, 8156bec, 8e1f8c9). */
const ftraceFilter: Rule = (subject, era) => {
  const { kernel, name, symbols } = subject;
  const table = kernel.mcount;
  const usable = table !== undefined && table.zeroStored < table.count;
  const [row] = kernel.functions.find(name);
  if (usable) {
    if (row === undefined || kernel.functions.hasSite(row)) return undefined;
    const says = `${eraReleases(era)} keeps what the words of __mcount_loc point at, and none points into ${name}`;
    return { code: 'pahole-no-ftrace-site', certainty: 'proven', because: [{ source: 'pahole', says }] };
  }
  if (symbols.length === 0 || !symbols.every(({ binding }) => binding === STB.LOCAL)) return undefined;
  const because: Evidence[] = [
    { source: 'pahole', says: `${eraReleases(era)} keeps the functions that the words of __mcount_loc in the file point at` },
  ];
  if (table === undefined) because.push({ source: '__mcount_loc', says: 'the image has no such table' });
  else because.push({ source: '__mcount_loc', address: table.start, says: `all ${table.count} words of the table are zero in the file` });
  because.push({
    source: 'pahole',
    says: `so it saw no function that ftrace knows, and fell back to external functions only: ${name} is static`,
  });
  return { code: 'pahole-external-only-fallback', certainty: 'proven', because };
};

/** Another function symbol at the same address has the FUNC: pahole goes by the name in DWARF, and an alias is no definition of its own. */
const alias: Rule = ({ kernel, symbols }) => {
  const { functions } = kernel;
  for (const symbol of symbols) {
    const first = kernel.symbols.containing(symbol.value);
    if (first === undefined) continue;
    for (let at = first; at < kernel.symbols.count && kernel.symbols.address.equal(at, first); at++) {
      const row = functions.ofSymbol(at);
      if (row === undefined || functions.btfFunc[row]! < 0) continue;
      const says = `${functions.name(row)} stands at the same address and has a FUNC: this name is an alias, which DWARF does not define`;
      return { code: 'pahole-alias', certainty: 'proven', because: [{ source: '.symtab', address: symbol.value, says }] };
    }
  }
  return undefined;
};

/** Only clones are left: up to 1.24 a symbol has to be of just the name (strcmp); until 1.30 a prefix is enough with --btf_gen_optimized. */
const suffix: Rule = ({ kernel, symbols, clones }, era) => {
  if (symbols.length > 0 || clones.length === 0) return undefined;
  const names = clones.map(clone => clone.name).join(', ');
  const exact = era.to <= 124;
  const says = exact
    ? `only ${names}: ${eraReleases(era)} takes symbols of just the function's name`
    : `only ${names}: ${eraReleases(era)} takes them only where the kernel asks for optimized functions, as it does since 6.5 and 6.1.74`;
  return {
    code: 'pahole-suffix',
    certainty: exact || atLeast(kernel.release, 6, 1) === false ? 'proven' : 'likely',
    because: [{ source: '.symtab', address: clones[0]!.value, says }],
  };
};

/** Symbols grouped by their name up to the first dot, `.cold` and `.part` left out, at two addresses: dropped (09c1e9c, 1.31). */
const ambiguousAddress: Rule = ({ name, symbols, clones }, era) => {
  const group = [...symbols, ...clones].filter(({ type, name: full }) => type === STT.FUNC && !/\.(cold|part)/.test(full));
  if (new Set(group.map(({ value }) => value)).size < 2) return undefined;
  const says = `${eraReleases(era)} drops names of several addresses: ${group.map(symbol => `${symbol.name} 0x${symbol.value.toString(16)}`).join(', ')}`;
  return {
    code: 'pahole-ambiguous-address',
    certainty: 'proven',
    because: [{ source: '.symtab', address: group[0]!.value, says: `${name}: ${says}` }],
  };
};

/** Several symbols of the name: their prototypes were compared (f104790, 1.25, with --skip_encoding_btf_inconsistent_proto). */
const inconsistentPrototypes: Rule = ({ name, symbols }, era) => {
  const definitions = symbols.filter(({ type }) => type === STT.FUNC);
  if (definitions.length < 2) return undefined;
  const files = definitions.map(({ file }) => file ?? 'a global one').join(', ');
  const says = `${definitions.length} functions are named ${name} (${files}): ${eraReleases(era)} drops names whose prototypes differ`;
  return {
    code: 'pahole-inconsistent-prototypes',
    certainty: 'likely',
    because: [{ source: '.symtab', address: definitions[0]!.value, says }],
  };
};

/** From 1.31, symbols with `.cold` or `.part` do not stand for their function. */
const outlinedOnly: Rule = ({ symbols, clones }, era) => {
  if (symbols.length > 0 || clones.length === 0 || !clones.every(({ name }) => /\.(cold|part)/.test(name))) return undefined;
  const says = `only ${clones.map(clone => clone.name).join(', ')}, which ${eraReleases(era)} does not take for the function`;
  return { code: 'pahole-suffix', certainty: 'proven', because: [{ source: '.symtab', address: clones[0]!.value, says }] };
};

/** 1.32 drops clones whose parameters were changed (109e5e4, fb8328e). */
const optimizedParameters: Rule = ({ symbols, clones }, era) => {
  if (symbols.length > 0 || !clones.some(({ name }) => /\.(isra|constprop)/.test(name))) return undefined;
  const says = `only ${clones.map(clone => clone.name).join(', ')}: ${eraReleases(era)} drops clones whose parameters the compiler changed`;
  return { code: 'pahole-optimized-parameters', certainty: 'likely', because: [{ source: '.symtab', address: clones[0]!.value, says }] };
};

const RULES: Readonly<Record<Era['id'], readonly Rule[]>> = {
  external: [staticFunction, alias],
  ftrace: [suffix, ftraceFilter, alias],
  symbols: [suffix, alias],
  prototypes: [alias, inconsistentPrototypes, suffix],
  addresses: [outlinedOnly, alias, ambiguousAddress],
  signatures: [outlinedOnly, alias, ambiguousAddress, optimizedParameters],
};

/** What is left where no rule of the image applies: it needs the debug information that pahole read. */
function unknown({ name }: Subject): Reason {
  const says = `the image does not tell: ${name} may be assembly, have parameters without names or in registers the ABI does not use, or come from a unit without debug information; its DWARF would settle it`;
  return { code: 'pahole-unknown', certainty: 'open', because: [{ source: '.symtab', says }] };
}

function aboutSymbol({ name, symbols }: Subject): Evidence[] {
  return symbols
    .filter(({ type }) => type === STT.FUNC)
    .map(({ value, binding, file }) => ({
      source: '.symtab',
      address: value,
      says: `${name} is a ${binding === STB.LOCAL ? 'static' : binding === STB.WEAK ? 'weak' : 'global'} function${file === undefined ? '' : ` of ${file}`}`,
    }));
}

/** BTF and ftrace are two things: what the table says once its relocations are applied. */
function traceableAllTheSame({ kernel, name }: Subject): Evidence[] {
  const [row] = kernel.functions.find(name);
  const site = row === undefined ? undefined : kernel.tracing.rules.liveSite(kernel.functions.symbolRow[row]!);
  if (row === undefined || site === undefined) return [];
  const address = kernel.functions.address(row);
  const table = kernel.mcount;
  const evidence: Evidence[] = [];
  if (table !== undefined && table.zeroStored > table.zeroRelocated) {
    const fills = [...table.fills].map(([type, count]) => `${count} ${type}`).join(', ');
    evidence.push({
      source: table.relocationSections.join(', '),
      address: table.start,
      says: `${fills} fill the words of __mcount_loc at boot`,
    });
  }
  const says = `an ftrace site stands at ${name}+0x${(site - address).toString(16)}: kprobes and ftrace can trace it all the same`;
  return [...evidence, { source: '__mcount_loc', address: site, says }];
}
