import type { Certainty, Evidence } from '../../evidence.js';
import type { Definition } from '../../facts/definitions.js';
import { functionRow } from '../../facts/function-row.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleInstance } from '../../facts/module-table/module-table.js';
import { once } from '../../facts/once.js';
import { oncePerKernel } from '../../facts/once-per-kernel.js';
import { withoutBtf } from '../../image/read-btf.js';
import type { ReasonCode } from '../../reasons.js';
import { nearFunctions } from '../../rules/near-names.js';
import { entriesAtSymbols } from '../../rules/pahole/described.js';
import { btfStatistics, eraReleases, guessPahole, type PaholeGuess } from '../../rules/pahole/eras.js';
import { type DwarfFacts, LazyFacts } from '../../rules/pahole/facts.js';
import { withoutSymbol } from '../../rules/pahole/no-symbol.js';
import type { Reason, Subject } from '../../rules/pahole/rule.js';
import { reasonUnder } from '../../rules/pahole/rules.js';
import { sitesOf } from '../../rules/sites.js';
import { instancesNamed, OF_MODULE } from '../trace/in-modules.js';
import { substitutes } from './substitutes.js';

/** Options of `missingBtf()` and `auditKernel()`. */
export interface MissingBtfOptions {
  /** The pahole that made the BTF, as in CONFIG_PAHOLE_VERSION: 120 for 1.20. */
  readonly paholeVersion?: number;
  /** False: the debug information is not read. It is where the image has it, of an answer; an audit does without. */
  readonly dwarf?: boolean;
}

/** Why BTF has no FUNC for a name. */
export interface MissingBtf {
  readonly name: string;
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  readonly because: readonly Evidence[];
  /** Where the release of pahole is unknown and matters: the reason under each. */
  readonly alternatives: readonly { readonly pahole: string; readonly code: ReasonCode }[];
  /** Functions with BTF that can be traced in its place, the likeliest first. */
  readonly instead: readonly { readonly name: string; readonly prototype: string; readonly says: string }[];
}

const MOST_SUBSTITUTES = 5;
const NOTHING_INSTEAD: ReadonlySet<ReasonCode> = new Set(['btf-present', 'no-btf', 'in-module', 'symbols-unknown']);

/** Why BTF has no FUNC for a name. */
export function missingBtf(kernel: KernelFacts, name: string, options: MissingBtfOptions = {}): MissingBtf {
  return new BtfAbsence(kernel, options).answer(name);
}

/** What is guessed of the pahole that made a BTF, by the release that was given: one pass over all functions, made once for a kernel. */
const guessesOf = oncePerKernel(kernel => ({
  statistics: once(() => btfStatistics(kernel)),
  byGiven: new Map<number | undefined, PaholeGuess>(),
}));

/** The debug information of a kernel, read of one name after the other. */
const debugInformationOf = oncePerKernel(kernel => {
  const dwarf = kernel.dwarf();
  return { facts: dwarf === undefined ? undefined : new LazyFacts(dwarf) };
});

/**
 * Why BTF has no FUNC for a name, from the finished image and without DWARF: first what holds for every pahole, then the rules of the
 * releases that may have made the BTF (btf_encoder.c of pahole 1.16 to 1.32).
 */
export class BtfAbsence {
  readonly #kernel: KernelFacts;
  readonly #given: number | undefined;
  readonly #dwarf: () => DwarfFacts | undefined;

  /** @param facts of the debug information, where they were gathered before; else they are read of one name after the other */
  constructor(kernel: KernelFacts, options: MissingBtfOptions = {}, facts?: DwarfFacts) {
    this.#kernel = kernel;
    this.#given = options.paholeVersion;
    this.#dwarf = () => (options.dwarf === false ? undefined : (facts ?? debugInformationOf(kernel).facts));
  }

  /** Which releases of pahole may have made the BTF. */
  get pahole(): PaholeGuess {
    const { statistics, byGiven } = guessesOf(this.#kernel);
    let guess = byGiven.get(this.#given);
    if (guess === undefined) byGiven.set(this.#given, (guess = guessPahole(this.#kernel, statistics(), this.#given)));
    return guess;
  }

  /** The reason alone, for a name that has no FUNC: what an audit counts. */
  reason(name: string): ReasonCode {
    return this.verdict(name).code;
  }

  /** The reason and how sure it is. */
  verdict(name: string): { readonly code: ReasonCode; readonly certainty: Certainty } {
    const { code, certainty } = this.#decide(name);
    return { code, certainty };
  }

  /** The reason with its evidence, and what can be traced instead. */
  answer(name: string): MissingBtf {
    const { subject, alternatives, ...reason } = this.#decide(name);
    const because =
      subject === undefined
        ? reason.because
        : [
            ...aboutSymbol(subject),
            ...aboutSource(subject),
            ...this.pahole.because,
            ...reason.because,
            ...traceableAllTheSame(subject),
            ...inModules(this.#kernel, name),
          ];
    const present = NOTHING_INSTEAD.has(reason.code);
    const callers = reason.code === 'pahole-inlined' ? (this.#dwarf()?.under(name).inlined ?? []).map(({ caller }) => caller) : [];
    const instead = present ? [] : substitutes(this.#kernel, name, callers, MOST_SUBSTITUTES);
    return { name, ...reason, because, alternatives, instead };
  }

  #decide(name: string): Reason & { readonly subject?: Subject; readonly alternatives: MissingBtf['alternatives'] } {
    const kernel = this.#kernel;
    const always = withoutPahole(kernel, name, this.#dwarf);
    if (always !== undefined) return { ...always, alternatives: [] };
    const { definitions } = kernel;
    const subject: Subject = {
      kernel,
      name,
      source: definitions.source,
      symbols: definitions.find(name).filter(isFunction),
      clones: definitions.clones(name),
      dwarf: this.#dwarf(),
      version: this.pahole.version,
    };
    const { eras, likely, version, contradicted } = this.pahole;
    const reasons = eras.map(era => ({ era, reason: reasonUnder(subject, era) }));
    const [first] = reasons;
    if (first === undefined || reasons.some(({ reason }) => reason.code !== first.reason.code)) {
      const alternatives = reasons.map(({ era, reason: { code } }) => ({ pahole: eraReleases(era), code }));
      const because = reasons.flatMap(({ reason }) => (reason.code === 'pahole-unknown' ? [] : reason.because));
      // Releases that differ in why they keep external functions only differ in nothing that matters to whoever asks.
      if (first !== undefined && reasons.every(({ reason }) => EXTERNAL_ONLY.has(reason.code))) {
        const certainty = contradicted || definitions.source !== '.symtab' ? 'likely' : 'proven';
        return { code: 'pahole-external-only', certainty, because, subject, alternatives };
      }
      const likeliest = reasons.find(({ era }) => era === likely);
      if (likeliest !== undefined && likeliest.reason.code !== 'pahole-unknown')
        return { ...likeliest.reason, certainty: 'likely', subject, alternatives };
      return { code: 'pahole-unknown', certainty: 'open', because, subject, alternatives };
    }
    // Not proven: a release that the BTF only suggests, where several are left or something speaks against them; and what kallsyms
    // suggests, which does not tell functions from labels.
    const doubt =
      definitions.source !== '.symtab' ||
      ((contradicted || (version === undefined && eras.length > 1)) && !IN_ANY_RELEASE.has(first.reason.code));
    const certainty = first.reason.certainty === 'proven' && doubt ? 'likely' : first.reason.certainty;
    // The reason under each era that is left: their words name their releases.
    const because = reasons
      .flatMap(({ reason }) => reason.because)
      .filter(({ says }, i, all) => all.findIndex(other => other.says === says) === i);
    return { ...first.reason, because, certainty, subject, alternatives: [] };
  }
}

/** A static function, in a BTF of external ones. */
const EXTERNAL_ONLY: ReadonlySet<ReasonCode> = new Set(['pahole-static', 'pahole-external-only-fallback']);

/** What pahole never meets, whichever made the BTF: no entry of DWARF leads to the symbol. */
const IN_ANY_RELEASE: ReadonlySet<ReasonCode> = new Set(['pahole-alias', 'pahole-assembly', 'pahole-no-debug-info', 'pahole-renamed']);

/** The prefix of what arm64 runs at EL2 without VHE (arch/arm64/kvm/hyp/nvhe/Makefile). */
const NVHE = '__kvm_nvhe_';

/** The reasons that need no release of pahole: there is a FUNC, no BTF, no symbol, no function. */
function withoutPahole(kernel: KernelFacts, name: string, dwarf: () => DwarfFacts | undefined): Reason | undefined {
  kernel.needNames();
  const { btf } = kernel;
  const proven = (code: ReasonCode, ...because: Evidence[]): Reason => ({ code, certainty: 'proven', because });
  if (btf === undefined) {
    const says = `${kernel.name} has no BTF: ${withoutBtf(kernel.image?.sections ?? [])}`;
    return proven('no-btf', { source: '.BTF', says });
  }
  const btfSource = kernel.btfSource!;
  if (OF_MODULE.test(name)) {
    const modules = kernel.modules === undefined ? [] : evidenceOf(instancesNamed(kernel, name));
    if (modules.length > 0) return proven('in-module', ...modules);
    const [, module, own] = OF_MODULE.exec(name)!;
    const says =
      kernel.modules === undefined
        ? `the modules were not read: --modules DIR shows whether ${module} has ${own}`
        : `no module ${module} among those that were read has a function ${own}`;
    return {
      code: 'pahole-no-symbol',
      certainty: kernel.modules === undefined ? 'open' : 'likely',
      because: [{ source: 'modules', says }],
    };
  }
  const ids = btf.find(name, 'FUNC');
  if (ids.length > 0) return proven('btf-present', ...ids.map(id => ({ source: btfSource, says: `[${id}] ${btf.prototype(id)}` })));
  if (btf.functions().length === 0) return proven('btf-without-functions', { source: btfSource, says: 'it has types, but no FUNC at all' });
  // Symbols are read where BTF does not answer.
  const { symbolsMissing } = kernel;
  if (symbolsMissing !== undefined)
    return {
      code: 'symbols-unknown',
      certainty: 'open',
      because: [
        { source: btfSource, says: `no FUNC is named ${name}` },
        { source: 'kallsyms', says: symbolsMissing },
      ],
    };
  const { definitions } = kernel;
  const { source } = definitions;
  const renamed = name.startsWith(NVHE) ? definitions.find(name) : [];
  if (renamed.length > 0) {
    const says = `${name} was renamed after compilation (objcopy --prefix-symbols): DWARF, and so pahole, has it as ${name.slice(NVHE.length)}`;
    return proven('pahole-renamed', { source, address: renamed[0]!.address, says });
  }
  const dot = name.indexOf('.');
  if (dot > 0 && definitions.find(name).some(isFunction)) {
    const base = name.slice(0, dot);
    const has = btf.find(base, 'FUNC').length > 0 ? `${base} has one` : `${base} has none: ask for that name`;
    const says = `${name} is a clone or a part that the compiler split off: FUNCs have the names of the source, and ${has}`;
    return proven('pahole-clone', { source, says });
  }
  if (/^_R[A-Za-z0-9]/.test(name) && definitions.find(name).length > 0) {
    return proven('pahole-rust', { source, says: 'a mangled Rust name; kernels since 6.3 call pahole with --lang_exclude=rust' });
  }
  const defined = definitions.find(name);
  if (defined.some(isFunction)) return undefined;
  const [symbol] = defined;
  if (symbol === undefined) {
    if (definitions.clones(name).length > 0) return undefined;
    const modules = inModules(kernel, name);
    if (modules.length > 0) return proven('in-module', { source, says: `the kernel itself has no symbol ${name}` }, ...modules);
    const read = dwarf();
    const described = read && withoutSymbol(kernel, name, read);
    if (described !== undefined) {
      return { ...described, because: [{ source, says: `no symbol is named ${name}, nor ${name} with a suffix` }, ...described.because] };
    }
    const nowhere = read === undefined ? ': it was inlined everywhere, or' : ', and DWARF has no function of that name: it was';
    const says = `no symbol is named ${name}, nor ${name} with a suffix${nowhere} not built, or it belongs to a module, or it is a macro`;
    // DWARF was asked already.
    const near = nearFunctions(kernel, name).filter(evidence => evidence.source !== 'DWARF');
    // Nothing of the name is there: that it was left out of BTF is not what happened.
    const certainty = read === undefined ? 'open' : 'likely';
    return { code: 'pahole-no-symbol', certainty, because: [{ source, says }, ...near] };
  }
  const at = { source, address: symbol.address };
  if (symbol.kind === 'data') return proven('pahole-not-a-function', { ...at, says: `${name} is data, not a function` });
  const says = `${name} is a label without a type (STT_NOTYPE), as in assembly; pahole looks only at STT_FUNC`;
  return proven('pahole-assembly', { ...at, says });
}

/** More modules than these are not listed: every one has an init_module. */
const MOST_MODULES = 8;

/** The modules that have a function of the name, and whether their own BTF has it. */
function inModules(kernel: KernelFacts, name: string): Evidence[] {
  return evidenceOf(kernel.modules?.find(name) ?? []);
}

function evidenceOf(found: readonly ModuleInstance[]): Evidence[] {
  const evidence = found.slice(0, MOST_MODULES).map(({ path, name, module, section, offset, btf }) => {
    const says = `${name} is a function of module ${module}, at ${section}+0x${offset.toString(16)}; ${btf ? 'its BTF has a FUNC for it' : 'its BTF has no FUNC for it'}`;
    return { source: path, says };
  });
  const more = found.length - evidence.length;
  return more <= 0 ? evidence : [...evidence, { source: 'modules', says: `${more} more modules have a function of that name` }];
}

function isFunction({ kind }: Definition): boolean {
  return kind === 'function' || kind === 'text';
}

function aboutSymbol({ name, source, symbols }: Subject): Evidence[] {
  return symbols.map(({ address, binding, kind, file }) => {
    const what = `${binding === 'local' ? 'static' : binding} ${kind === 'text' ? 'text symbol' : 'function'}`;
    return { source, address, says: `${name} is a ${what}${file === undefined ? '' : ` of ${file}`}` };
  });
}

/** More definitions than these are not shown. */
const MOST_DEFINITIONS = 4;

/** The prototypes that DWARF has for the symbols and clones of a name: BTF would have one of them. */
function aboutSource(subject: Subject): Evidence[] {
  return entriesAtSymbols(subject)
    .slice(0, MOST_DEFINITIONS)
    .map(({ address, prototype, unit, declared }) => {
      const from = declared === undefined || declared.startsWith(`${unit}:`) ? (declared ?? unit) : `${unit} (${declared})`;
      return { source: 'DWARF', ...(address === undefined ? {} : { address }), says: `${prototype}, of ${from}` };
    });
}

/** BTF and ftrace are two things: what ftrace's table says once its relocations are applied. */
function traceableAllTheSame({ kernel, name }: Subject): Evidence[] {
  const [row] = kernel.functions.find(name);
  const site = row === undefined ? undefined : sitesOf(kernel).live(kernel.functions.symbolRow[row]!);
  if (row === undefined || site === undefined) return [];
  // Behind its code is what a weak function left that the linker dropped.
  const { size } = functionRow(kernel, row);
  if (size !== undefined && site >= kernel.functions.address(row) + BigInt(size)) return [];
  const evidence: Evidence[] = [];
  const table = kernel.mcount;
  if (table !== undefined && table.zeroStored > table.zeroRelocated) {
    const fills = [...table.fills].map(([type, count]) => `${count} ${type}`).join(', ');
    const source = table.relocationSections.join(', ');
    evidence.push({ source, address: table.start, says: `${fills} fill the words of __mcount_loc at boot` });
  }
  const offset = (site - kernel.functions.address(row)).toString(16);
  const says = `it has an ftrace site, at ${name}+0x${offset}, so it can be traced all the same`;
  return [...evidence, { source: kernel.functions.sites!.source, address: site, says }];
}
