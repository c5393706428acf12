import type { Evidence } from '../../evidence.js';
import { IKCONFIG } from '../../facts/config.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { distributionOf } from './distributions.js';

/**
 * The releases of pahole between which its choice of functions changed (btf_encoder.c; the tables of docs/guide/pahole.md). Numbers are as
 * in CONFIG_PAHOLE_VERSION: 124 is 1.24.
 */
export const ERAS = [
  { id: 'external', from: 116, to: 118, keeps: 'external functions' },
  { id: 'ftrace', from: 119, to: 121, keeps: 'functions with an ftrace site, or external ones if it finds no site' },
  { id: 'symbols', from: 122, to: 124, keeps: 'functions with a symbol of exactly their name' },
  { id: 'prototypes', from: 125, to: 130, keeps: 'functions whose definitions agree and whose arguments are where the ABI puts them' },
  { id: 'addresses', from: 131, to: 131, keeps: 'the same, for names with one address' },
  { id: 'signatures', from: 132, to: 999, keeps: 'the same, with their parameters as in the source' },
] as const;

/** Releases of pahole that choose functions by the same rules: `from` and `to` as in CONFIG_PAHOLE_VERSION, 116 for 1.16. */
export type Era = (typeof ERAS)[number];

/** What the finished BTF shows of the rules that it was made by. */
export interface BtfStatistics {
  /** Names that only global functions have: how many there are, and how many have a FUNC. */
  readonly globals: { readonly all: number; readonly withFunc: number };
  /** Names that only local (static) functions have. */
  readonly locals: { readonly all: number; readonly withFunc: number };
  /** Names of functions without an ftrace site. */
  readonly siteless: { readonly all: number; readonly withFunc: number };
  /** Names that functions at several addresses share. */
  readonly ambiguous: { readonly all: number; readonly withFunc: number };
}

/** Which releases of pahole may have made a BTF, and why. */
export interface PaholeGuess {
  readonly eras: readonly Era[];
  /** The exact release, where it was given or the configuration says it. */
  readonly version?: number;
  readonly because: readonly Evidence[];
  /** The era that the distribution's own pahole is of, where several are left. */
  readonly likely?: Era;
  /** Something in the BTF or the .config does not fit the functions that it holds. */
  readonly contradicted: boolean;
}

/** 124 as `1.24`. */
export function paholeRelease(version: number): string {
  return `${Math.floor(version / 100)}.${String(version % 100).padStart(2, '0')}`;
}

/** `pahole 1.19 to 1.21`, `pahole 1.31`, `pahole 1.32 and later`. */
export function eraReleases({ from, to }: Era): string {
  if (to === 999) return `pahole ${paholeRelease(from)} and later`;
  return from === to ? `pahole ${paholeRelease(from)}` : `pahole ${paholeRelease(from)} to ${paholeRelease(to)}`;
}

/** `pahole 1.24`, or the releases that may have made the BTF: `pahole 1.22 to 1.24, pahole 1.25 to 1.30`. */
export function guessedEras({ version, eras }: PaholeGuess): string {
  return version === undefined ? eras.map(eraReleases).join(', ') : `pahole ${paholeRelease(version)}`;
}

/** One pass over the function table. */
export function btfStatistics(kernel: KernelFacts): BtfStatistics {
  const { functions, symbols } = kernel;
  const count = () => ({ all: 0, withFunc: 0 });
  const statistics = { globals: count(), locals: count(), siteless: count(), ambiguous: count() };
  const tally = (of: { all: number; withFunc: number }, has: boolean): void => {
    of.all++;
    if (has) of.withFunc++;
  };
  for (const first of symbols.index.firstRows()) {
    const row = functions.ofSymbol(first);
    // Compiler-made names and init text say nothing: their rules are others.
    if (row === undefined) continue;
    const has = functions.btfFunc[row]! >= 0;
    const letter = String.fromCharCode(symbols.type[first]!);
    if (!symbols.index.isOnly(first)) tally(statistics.ambiguous, has);
    else if (letter === 't') tally(statistics.locals, has);
    else if (letter === 'T') tally(statistics.globals, has);
    if (!functions.hasSite(row)) tally(statistics.siteless, has);
  }
  return statistics;
}

/**
 * Narrows down which pahole made the kernel's BTF. A release that was given is believed. Otherwise the BTF itself tells: which functions it
 * holds leaves few eras; the .config and the kinds of types narrow them further where they fit. Contradicting evidence is reported but not
 * used: a BTF that was put instead of the kernel's may have been edited, or made by another pahole than the .config names.
 */
export function guessPahole(kernel: KernelFacts, statistics: BtfStatistics, given: number | undefined): PaholeGuess {
  const source = kernel.btfSource ?? '.BTF';
  const membership = erasByMembership(statistics, wordsAtFunctions(kernel));
  if (given !== undefined) {
    const eras = erasOf(given);
    const contradicted = !membership.eras.some(era => eras.includes(era));
    const says = contradicted ? `${membership.says}: pahole ${paholeRelease(given)} does not write that` : membership.says;
    return {
      version: given,
      eras,
      contradicted,
      because: [
        { source: 'option', says: `pahole ${paholeRelease(given)} was given` },
        { source, says },
      ],
    };
  }
  const because: Evidence[] = [{ source, says: membership.says }];
  let { eras } = membership;
  let contradicted = false;
  const narrow = (keep: (era: Era) => boolean, evidence: Evidence): boolean => {
    const left = eras.filter(keep);
    if (left.length === 0) contradicted = true;
    else eras = left;
    because.push(
      left.length > 0
        ? evidence
        : { ...evidence, says: `${evidence.says}: kelf ignores it, because it does not fit the functions in the BTF` },
    );
    return left.length > 0;
  };
  const own = kernel.pieces.config();
  // The .config inside the image is of the BTF inside it, not of one that was put in its place.
  const config = own?.source === IKCONFIG && kernel.btfSource !== '.BTF' ? undefined : own;
  const configured = Number(config?.get('CONFIG_PAHOLE_VERSION') ?? 0);
  if (configured > 0) {
    const fits = narrow(era => configured >= era.from && configured <= era.to, {
      source: config!.source,
      says: `CONFIG_PAHOLE_VERSION=${configured}`,
    });
    if (fits) return { version: configured, eras, because, contradicted };
  }
  const kinds = kindsIn(kernel);
  for (const [kind, since] of KINDS_SINCE) {
    if (kinds.has(kind))
      narrow(era => era.to >= since, { source, says: `holds ${kind}, which pahole writes since ${paholeRelease(since)}` });
  }
  if (kernel.btf!.find('bpf_kfunc', 'DECL_TAG').length > 0) {
    narrow(era => era.to >= 127, { source, says: 'marks kfuncs (DECL_TAG bpf_kfunc), as pahole does since 1.27' });
  }
  if (kernel.btf!.find('bpf_fastcall', 'DECL_TAG').length > 0) {
    narrow(era => era.to >= 128, { source, says: 'marks functions as bpf_fastcall, as pahole does since 1.28' });
  }
  const { dotted, repeated } = funcNames(kernel);
  if (dotted > 0) {
    narrow(era => era.id === 'signatures', {
      source,
      says: `has ${dotted} FUNCs with a dot in their names, as pahole 1.32 writes with true_signature`,
    });
  }
  if (repeated > 0) {
    // 1.16 to 1.21 write a FUNC for each definition.
    narrow(era => era.to <= 130, {
      source,
      says: `has several FUNCs for each of ${repeated} names, as pahole up to 1.21 writes, and threads of 1.24 to 1.28 if prototypes are not compared`,
    });
  }
  const { withFunc } = statistics.ambiguous;
  if (withFunc > 0)
    narrow(era => era.id !== 'signatures', {
      source,
      says: `has FUNCs for ${withFunc} name${withFunc === 1 ? '' : 's'} of several functions, which pahole 1.32 drops`,
    });
  const likely = eras.length < 2 ? undefined : likeliestOf(kernel, eras);
  if (likely !== undefined) because.push(likely.evidence);
  return { eras, because, contradicted, ...(likely === undefined ? {} : { likely: likely.era }) };
}

/** Of the eras that are left, the one of the distribution's own pahole; or the one that can do what the kernel asks for. */
function likeliestOf(kernel: KernelFacts, eras: readonly Era[]): { era: Era; evidence: Evidence } | undefined {
  const built = distributionOf(kernel.banner);
  const own = built && eras.find(({ from, to }) => built.pahole >= from && built.pahole <= to);
  if (built !== undefined && own !== undefined) {
    const says = `the compiler is that of ${built.name}, whose pahole is ${paholeRelease(built.pahole)}`;
    return { era: own, evidence: { source: 'banner', says } };
  }
  const externalOnly = eras.every(({ id }) => id === 'external' || id === 'ftrace');
  const era = externalOnly && kernel.change('moduleBtf').has === true ? eras.find(({ id }) => id === 'ftrace') : undefined;
  if (era === undefined) return undefined;
  return { era, evidence: { source: 'release', says: 'kernels since 5.11 split the BTF of modules off, which pahole can since 1.19' } };
}

/** Kinds of types, and the first release that writes them. */
const KINDS_SINCE: readonly (readonly [kind: string, since: number])[] = [
  ['FLOAT', 121],
  ['DECL_TAG', 123],
  ['TYPE_TAG', 123],
  ['ENUM64', 124],
];

/** Fewer names than this say nothing of a rule. */
const ENOUGH = 8;

/** The eras that keep the functions that the BTF holds. */
function erasByMembership({ globals, locals, siteless }: BtfStatistics, seen: boolean): { eras: readonly Era[]; says: string } {
  const share = ({ all, withFunc }: { all: number; withFunc: number }): number => (all === 0 ? 0 : withFunc / all);
  const only = (...ids: Era['id'][]): readonly Era[] => ERAS.filter(({ id }) => ids.includes(id));
  const numbers = `it has FUNCs for ${globals.withFunc} of ${globals.all} names of global functions and for ${locals.withFunc} of ${locals.all} of static ones`;
  if (globals.withFunc > 0 && locals.all >= ENOUGH && share(locals) < 0.01) {
    // 1.19 to 1.21 fall back to external functions only where they see no site.
    return { eras: seen ? only('external') : only('external', 'ftrace'), says: `external functions only: ${numbers}` };
  }
  if (siteless.all >= ENOUGH && share(siteless) < 0.01) {
    return {
      eras: only('ftrace'),
      says: `only functions with an ftrace site: it has FUNCs for ${siteless.withFunc} of ${siteless.all} names without one`,
    };
  }
  if (locals.all < ENOUGH) return { eras: ERAS, says: `too few functions to tell its pahole: ${numbers}` };
  return { eras: only('symbols', 'prototypes', 'addresses', 'signatures'), says: `static functions too: ${numbers}` };
}

/** Whether words of ftrace's table point at functions as they are in the file: pahole 1.19 compares them with the functions' addresses. */
function wordsAtFunctions({ mcount, functions }: KernelFacts): boolean {
  return mcount !== undefined && mcount.zeroStored < mcount.count && (functions.sites?.mode?.offsets.has(0) ?? false);
}

function erasOf(version: number): readonly Era[] {
  return ERAS.filter(({ from, to }) => version >= from && version <= to);
}

function kindsIn(kernel: KernelFacts): Set<string> {
  const kinds = new Set<string>();
  const { btf } = kernel;
  if (btf !== undefined) for (let id = btf.firstId; id < btf.count; id++) kinds.add(btf.kindOf(id));
  return kinds;
}

const DOT = '.'.charCodeAt(0);

/** FUNCs with a dot in their names, and names that several FUNCs have. Strings of BTF are merged: equal names are equal offsets. */
function funcNames({ btf }: KernelFacts): { readonly dotted: number; readonly repeated: number } {
  const { names } = btf!.functions();
  const { bytes } = btf!.strings;
  const once = new Set<number>();
  const repeated = new Set<number>();
  let dotted = 0;
  for (const name of names) {
    if (once.has(name)) repeated.add(name);
    else once.add(name);
    for (let at = name; at < bytes.length && bytes[at] !== 0; at++) {
      if (bytes[at] !== DOT) continue;
      dotted++;
      break;
    }
  }
  return { dotted, repeated: repeated.size };
}
