import { expectKernel, type KernelFacts } from '../facts/kernel-facts.js';
import type { ReasonCode } from '../reasons.js';
import { sitesOf } from '../rules/sites.js';
import { tracingOf } from '../rules/tracing.js';
import { BtfAbsence, type MissingBtfOptions } from './missing-btf/missing-btf.js';

/** How often each outcome occurs, the most frequent first, each with a few names. */
export type Tally = readonly { readonly code: ReasonCode; readonly count: number; readonly examples: readonly string[] }[];

/** The summary of a whole kernel: counts, and what is out. */
export interface Audit {
  readonly symbols: { readonly all: number; readonly text: number; readonly names: number; readonly source: string };
  readonly mcount?: {
    readonly words: number;
    readonly zeroStored: number;
    readonly fills: ReadonlyMap<string, number>;
    readonly elsewhere: number;
  };
  readonly sites?: { readonly all: number; readonly source: string; readonly freedAfterBoot: number };
  readonly btf?: { readonly types: number; readonly functions: number; readonly source: string; readonly withoutSymbol: number };
  /** Names of more than one address: how many, of how many functions, and how they fare. */
  readonly duplicates: {
    readonly names: number;
    readonly functions: number;
    /** Names whose first function has no ftrace site while a later one has: fentry attaches to the wrong one, or fails. */
    readonly firstUntraceable: readonly string[];
  };
  /** Names of one function that a data symbol shares: a kprobe by name is refused. */
  readonly sharedWithData: readonly string[];
  /** Every text name, by what a kprobe by name meets. */
  readonly kprobeByName: Tally;
  /** Every text address. */
  readonly kprobeByAddress: Tally;
  /** Every FUNC of BTF, by what attaching an fentry program meets. */
  readonly fentry: Tally;
  /** Every text name without a FUNC, by the reason. */
  readonly missingBtf: Tally;
}

const EXAMPLES = 3;

/** Answers every question about every function. */
export function auditKernel(kernel: KernelFacts, options: MissingBtfOptions = {}): Audit {
  expectKernel(kernel, 'kernel');
  const { functions, symbols, btf, mcount } = kernel;
  const tracing = tracingOf(kernel);
  const byName = new TallyBuilder();
  const byAddress = new TallyBuilder();
  const missing = new TallyBuilder();
  const absence = new BtfAbsence(kernel, { ...options, dwarf: false });
  const sharedWithData: string[] = [];
  const firstUntraceable: string[] = [];
  let names = 0;
  let duplicateNames = 0;
  let duplicateFunctions = 0;
  for (const first of symbols.index.firstRows()) {
    const all = symbols.index.isOnly(first) ? undefined : symbols.index.rowsFrom(first);
    const row = all === undefined ? functions.ofSymbol(first) : all.map(at => functions.ofSymbol(at)).find(at => at !== undefined);
    if (row === undefined) continue;
    names++;
    byName.add(tracing.kprobes.byRows(all ?? [first]).code, first);
    if (btf !== undefined && functions.btfFunc[row]! < 0) missing.add(absence.reason(symbols.name(first)), first);
    if (all === undefined) continue;
    const rows = all.flatMap(at => functions.ofSymbol(at) ?? []);
    const distinct = new Set(rows.map(at => functions.address(at)));
    if (rows.length < all.length && distinct.size === 1) sharedWithData.push(symbols.name(first));
    if (distinct.size < 2) continue;
    duplicateNames++;
    duplicateFunctions += rows.length;
    const live = rows.map(at => tracing.sites.hasLive(functions.symbolRow[at]!));
    if (!live[0] && live.includes(true)) firstUntraceable.push(symbols.name(first));
  }
  for (let row = 0; row < functions.count; row++) {
    // Aliases share an address: it is counted once.
    const symbolRow = functions.symbolRow[row]!;
    if (row > 0 && symbols.address.equal(symbolRow, functions.symbolRow[row - 1]!)) continue;
    byAddress.add(tracing.kprobes.ofRow(symbolRow).code, symbolRow);
  }
  const { sites } = functions;
  const nameOf = (symbolRow: number): string => symbols.name(symbolRow);
  return {
    symbols: { all: symbols.count, text: functions.count, names, source: symbols.source },
    ...(mcount === undefined
      ? {}
      : { mcount: { words: mcount.count, zeroStored: mcount.zeroStored, fills: mcount.fills, elsewhere: sites?.mode?.elsewhere ?? 0 } }),
    ...(sites === undefined ? {} : { sites: { all: sites.ip.length, source: sites.source, freedAfterBoot: freedSites(kernel) } }),
    ...auditBtf(kernel),
    duplicates: { names: duplicateNames, functions: duplicateFunctions, firstUntraceable },
    sharedWithData,
    kprobeByName: byName.sorted(nameOf),
    kprobeByAddress: byAddress.sorted(nameOf),
    fentry: auditFentry(kernel),
    missingBtf: missing.sorted(nameOf),
  };
}

function auditFentry(kernel: KernelFacts): Tally {
  const { btf } = kernel;
  const { trampolines } = tracingOf(kernel);
  const tally = new TallyBuilder();
  if (btf !== undefined) for (const id of btf.functions().ids) tally.add(trampolines.attach('fentry', id).code, id);
  return tally.sorted(id => btf!.nameOf(id));
}

function auditBtf({ btf, btfSource, symbols }: KernelFacts): Pick<Audit, 'btf'> {
  if (btf === undefined) return {};
  const { names, length } = btf.functions();
  let withoutSymbol = 0;
  for (const offset of names) if (symbols.index.firstOf(btf.strings.bytes, offset) < 0) withoutSymbol++;
  return { btf: { types: btf.count - 1, functions: length, source: btfSource!, withoutSymbol } };
}

function freedSites(kernel: KernelFacts): number {
  const { init } = sitesOf(kernel);
  let count = 0;
  const ip = kernel.functions.sites?.ip;
  if (ip !== undefined) for (let at = 0; at < ip.length; at++) if (init.at(ip, at) !== undefined) count++;
  return count;
}

/** Counts codes, and keeps the first few rows of each; their names are looked up at the end. */
class TallyBuilder {
  readonly #entries = new Map<ReasonCode, { count: number; examples: number[] }>();

  add(code: ReasonCode, row: number): void {
    let entry = this.#entries.get(code);
    if (entry === undefined) {
      entry = { count: 0, examples: [] };
      this.#entries.set(code, entry);
    }
    entry.count++;
    if (entry.examples.length < EXAMPLES * 8) entry.examples.push(row);
  }

  sorted(nameOf: (row: number) => string): Tally {
    return [...this.#entries]
      .map(([code, { count, examples }]) => ({ code, count, examples: speaking(examples.map(nameOf)) }))
      .sort((a, b) => b.count - a.count);
  }
}

/** Labels of linker scripts and assembly are met first, and say little: names without a leading underscore are preferred. */
function speaking(names: readonly string[]): string[] {
  const plain = names.filter(name => !name.startsWith('_'));
  return (plain.length > 0 ? plain : names).slice(0, EXAMPLES);
}
