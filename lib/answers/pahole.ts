import type { Evidence } from '../evidence.js';
import { functionRow } from '../function-row.js';
import type { Kernel } from '../kernel.js';

/**
 * The releases of pahole between which its choice of functions changed (btf_encoder.c; the tables of docs/guide/pahole.md). Numbers are as in
 * CONFIG_PAHOLE_VERSION: 124 is 1.24.
 */
export const ERAS = [
  { id: 'external', from: 116, to: 118, keeps: 'external functions' },
  { id: 'ftrace', from: 119, to: 121, keeps: 'functions that ftrace knows, or external ones where it sees none' },
  { id: 'symbols', from: 122, to: 124, keeps: 'functions with a symbol of just their name' },
  { id: 'prototypes', from: 125, to: 130, keeps: 'functions whose definitions agree and whose arguments are where the ABI has them' },
  { id: 'addresses', from: 131, to: 131, keeps: 'the same, of names with one address' },
  { id: 'signatures', from: 132, to: 999, keeps: 'the same, with their parameters as in the source' },
] as const;

export type Era = (typeof ERAS)[number];

/** What the finished BTF shows of the rules that it was made by. */
export interface BtfStatistics {
  /** Names that only global functions bear: how many there are, and how many have a FUNC. */
  readonly globals: { readonly all: number; readonly withFunc: number };
  /** Names that only local (static) functions bear. */
  readonly locals: { readonly all: number; readonly withFunc: number };
  /** Names of functions without an ftrace site. */
  readonly siteless: { readonly all: number; readonly withFunc: number };
  /** Names that functions at several addresses bear. */
  readonly ambiguous: { readonly all: number; readonly withFunc: number };
}

/** Which releases of pahole may have made a BTF, and why. */
export interface PaholeGuess {
  readonly eras: readonly Era[];
  /** The exact release, where it was given or the configuration says it. */
  readonly version?: number;
  readonly because: readonly Evidence[];
}

/** 124 as `1.24`. */
export function paholeRelease(version: number): string {
  return `${Math.floor(version / 100)}.${String(version % 100).padStart(2, '0')}`;
}

/** `1.19 to 1.21`, `1.31`, `1.32 and later`. */
export function eraReleases({ from, to }: Era): string {
  if (to === 999) return `${paholeRelease(from)} and later`;
  return from === to ? paholeRelease(from) : `${paholeRelease(from)} to ${paholeRelease(to)}`;
}

/** One pass over the function table. */
export function btfStatistics(kernel: Kernel): BtfStatistics {
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
 * Narrows down which pahole made the kernel's BTF: a release that was given is believed; then the .config, if the BTF is the kernel's own; then
 * what the BTF itself shows.
 */
export function guessPahole(kernel: Kernel, statistics: BtfStatistics, given: number | undefined): PaholeGuess {
  const config = kernel.pieces.config();
  const configured = Number(config?.get('CONFIG_PAHOLE_VERSION') ?? 0);
  const ownBtf = kernel.btfSource === '.BTF';
  if (given !== undefined) return exact(given, { source: 'option', says: `pahole ${paholeRelease(given)} was given` });
  if (configured > 0 && ownBtf) return exact(configured, { source: config!.source, says: `CONFIG_PAHOLE_VERSION=${configured}` });

  const because: Evidence[] = [];
  const source = kernel.btfSource ?? '.BTF';
  const { globals, locals, siteless } = statistics;
  const share = ({ all, withFunc }: { all: number; withFunc: number }): number => (all === 0 ? 0 : withFunc / all);
  const numbers = `it has FUNCs for ${globals.withFunc} of ${globals.all} names of global functions and for ${locals.withFunc} of ${locals.all} of static ones`;
  let eras: readonly Era[] = ERAS;
  const keep = (ids: readonly Era['id'][], says: string): void => {
    eras = eras.filter(era => ids.includes(era.id));
    because.push({ source, says });
  };
  if (globals.withFunc > 0 && share(locals) < 0.01 && locals.all > 0) {
    keep(['external', 'ftrace'], `external functions only: ${numbers}`);
  } else if (siteless.all > 0 && share(siteless) < 0.01) {
    keep(['ftrace'], `only functions with an ftrace site: it has FUNCs for ${siteless.withFunc} of ${siteless.all} names without one`);
  } else {
    keep(['symbols', 'prototypes', 'addresses', 'signatures'], `static functions too: ${numbers}`);
  }
  const kinds = kindsIn(kernel);
  const hint = (kind: string, from: number): void => {
    if (!kinds.has(kind)) return;
    eras = eras.filter(era => era.to >= from);
    because.push({ source, says: `holds ${kind}, which pahole writes since ${paholeRelease(from)}` });
  };
  hint('FLOAT', 121);
  hint('DECL_TAG', 123);
  hint('TYPE_TAG', 123);
  hint('ENUM64', 124);
  if (statistics.ambiguous.withFunc > 0) {
    eras = eras.filter(era => era.id !== 'signatures');
    because.push({ source, says: `has FUNCs for ${statistics.ambiguous.withFunc} names of several functions, which pahole 1.32 drops` });
  }
  return { eras, because };
}

function exact(version: number, evidence: Evidence): PaholeGuess {
  return { version, eras: ERAS.filter(({ from, to }) => version >= from && version <= to), because: [evidence] };
}

function kindsIn(kernel: Kernel): Set<string> {
  const kinds = new Set<string>();
  const { btf } = kernel;
  if (btf !== undefined) for (let id = btf.firstId; id < btf.count; id++) kinds.add(btf.kindOf(id));
  return kinds;
}

/** Functions with BTF that may serve in place of one that has none: those whose names contain it, then its neighbours in its source file. */
export function substitutes(kernel: Kernel, name: string, most: number): { name: string; prototype: string; says: string }[] {
  const { functions, btf, tracing } = kernel;
  if (btf === undefined) return [];
  const own = functions.find(name)[0];
  const file = own === undefined ? undefined : functionRow(kernel, own).file;
  const nearby = own === undefined ? [] : neighbours(kernel, own, file);
  const words = new Set(name.split('_').filter(word => word.length > 2));
  const candidates = new Map<string, { row: number; score: number; says: string }>();
  for (let row = 0; row < functions.count; row++) {
    if (functions.btfFunc[row]! < 0) continue;
    const other = functions.name(row);
    const near = nearby.includes(row);
    const contains = other !== name && other.includes(name);
    if (!near && !contains) continue;
    if (!tracing.rules.hasLiveSite(functions.symbolRow[row]!) || !kernel.symbols.index.isOnly(kernel.symbols.find(other)[0]!)) continue;
    const shared = other.split('_').filter(word => words.has(word)).length;
    if (!contains && shared === 0) continue;
    const says = [...(contains ? [`its name contains ${name}`] : []), ...(near ? [`it is of ${file ?? 'the same file'}`] : [])].join(', ');
    candidates.set(other, { row, score: (contains ? 100 : 0) + (near ? 20 : 0) + shared * 10 - other.length / 100, says });
  }
  return [...candidates]
    .sort((a, b) => b[1].score - a[1].score)
    .slice(0, most)
    .map(([other, { row, says }]) => ({ name: other, prototype: btf.prototype(functions.btfIds(row)[0]!), says }));
}

/**
 * The functions of the same source file: those between the file's first and last local function. Global functions bear no file in `.symtab`, but
 * the linker keeps an object's text together.
 */
function neighbours(kernel: Kernel, own: number, file: string | undefined): number[] {
  const { functions, symbols } = kernel;
  const images = kernel.pieces.imageSymbols();
  if (images === undefined || file === undefined) return [];
  const fileOf = (row: number): string | undefined => images.symbolOf(symbols, functions.symbolRow[row]!)?.file;
  const rows: number[] = [own];
  // A run of functions of other files ends it; global ones have no file and are passed over.
  for (const step of [-1, 1]) {
    const pending: number[] = [];
    for (let row = own + step; row >= 0 && row < functions.count && pending.length < 64; row += step) {
      const other = fileOf(row);
      if (other !== undefined && other !== file) break;
      pending.push(row);
      if (other === file) rows.push(...pending.splice(0));
    }
    rows.push(...pending);
  }
  return rows;
}
