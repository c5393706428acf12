import type { Dwarf } from '../../../elf/dwarf/dwarf.js';
import { isPreambleName } from '../../../kallsyms/symbols.js';
import { MissingError } from '../../errors.js';
import type { Certainty } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ReasonCode } from '../../reasons.js';
import { CollectedFacts, collectEntries } from '../../rules/pahole/collect.js';
import type { Entry } from '../../rules/pahole/entry.js';
import type { PaholeGuess } from '../../rules/pahole/eras.js';
import { BtfAbsence, type MissingBtfOptions } from './missing-btf.js';

/** Options of {@link missingBtfOfAll}. */
export interface MissingBtfOfAllOptions extends MissingBtfOptions {
  /** What gathers the entries of units, a batch at a time; in the caller's thread where not given. */
  readonly collect?: CollectEntries;
  /** Called whenever some more units of the debug information were read. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A function that BTF has no FUNC for. */
export interface MissingFunction {
  /** The symbol's name. */
  readonly name: string;
  readonly code: ReasonCode;
  readonly certainty: Certainty;
}

/** Every function that BTF lacks, and why. */
export interface MissingBtfOfAll {
  /** Names of function symbols, and how many of them have a FUNC. */
  readonly names: number;
  readonly withFunc: number;
  /** Which pahole made the BTF, and why that is thought. */
  readonly pahole: PaholeGuess;
  /** Units of debug information that were read; 0 without. */
  readonly units: number;
  /** Each function without a FUNC, in the order of the symbols. */
  readonly functions: readonly MissingFunction[];
  /** How often each reason occurs, the most frequent first. */
  readonly reasons: readonly {
    readonly code: ReasonCode;
    readonly count: number;
    readonly certainty: Readonly<Record<Certainty, number>>;
    readonly examples: readonly string[];
  }[];
}

/**
 * Gathers what pahole sees of names in batches of units, given by their offsets in `.debug_info`.
 * @param onDone called with the index of each batch that was gathered
 * @returns the entries, in the order of the batches
 */
export type CollectEntries = (
  names: readonly string[],
  batches: readonly Float64Array[],
  onDone: (batch: number) => void,
) => Promise<Entry[][]>;

/** Units that a thread is handed at a time: so many, and of so many bytes. */
const BATCH = 24;
const BATCH_BYTES = 1 << 18;
/** Less debug information than this is read sooner than threads start. */
const WORTH_THREADS = 1 << 24;
const EXAMPLES = 3;

/**
 * Why BTF lacks each function that it lacks: of every name of a function symbol. A clone, `name.isra.0`, is `pahole-clone` where the
 * function has a FUNC, since those are named as in the source; else it has the reason of its function.
 * @throws MissingError for a kernel without BTF, or with one that has no FUNC at all
 */
export async function missingBtfOfAll(kernel: KernelFacts, options: MissingBtfOfAllOptions = {}): Promise<MissingBtfOfAll> {
  if ((kernel.btf?.functions().length ?? 0) === 0) {
    throw new MissingError(`${kernel.name} has no BTF with functions: every function is missing for that reason`);
  }
  const names = functionNames(kernel);
  const hasFunc = (name: string): boolean => (kernel.btf?.find(name, 'FUNC') ?? []).length > 0;
  const missing = names.filter(name => !hasFunc(name));
  const wanted = new Set(missing.map(sourceName).filter(name => !hasFunc(name)));
  const facts = options.dwarf === false ? undefined : await collectFacts(kernel, [...wanted], options);
  const absence = new BtfAbsence(kernel, facts === undefined ? { ...options, dwarf: false } : options, facts?.facts);
  const functions = missing.map((name): MissingFunction => {
    const source = sourceName(name);
    return { name, ...absence.verdict(wanted.has(source) ? source : name) };
  });
  return {
    names: names.length,
    withFunc: names.length - missing.length,
    pahole: absence.pahole,
    units: facts?.units ?? 0,
    functions,
    reasons: summarise(functions),
  };
}

/**
 * The names of function symbols, each once: those of `.symtab`, else the text symbols of kallsyms. Padding before functions is left
 * out.
 */
function functionNames({ pieces, functions }: KernelFacts): string[] {
  const table = pieces.imageSymbols()?.table;
  const names = new Set<string>();
  if (table === undefined) for (let row = 0; row < functions.count; row++) names.add(functions.name(row));
  else {
    for (let row = 0; row < table.count; row++) {
      if (!table.isFunction(row) || table.sectionIndex[row] === 0 || isPreambleName(table.strings.bytes, table.nameOffset[row]!)) continue;
      names.add(table.name(row));
    }
  }
  return [...names];
}

/** `name` of `name.isra.0` */
function sourceName(name: string): string {
  const dot = name.indexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/** What pahole sees of names in all of the debug information; undefined without any. */
export async function collectFacts(
  kernel: KernelFacts,
  names: readonly string[],
  { collect, onProgress }: Pick<MissingBtfOfAllOptions, 'collect' | 'onProgress'>,
): Promise<{ readonly facts: CollectedFacts; readonly units: number } | undefined> {
  const dwarf = kernel.dwarf();
  if (dwarf === undefined) return undefined;
  const { unitOffsets } = dwarf;
  const batches: Float64Array[] = [];
  for (let from = 0, to = 0; from < unitOffsets.length; from = to) {
    while (to < unitOffsets.length && (to - from < BATCH || unitOffsets[to]! - unitOffsets[from]! < BATCH_BYTES)) to++;
    batches.push(unitOffsets.slice(from, to));
  }
  let done = 0;
  const onDone = (batch: number): void => {
    done += batches[batch]!.length;
    onProgress?.(done, unitOffsets.length);
  };
  const parts = await (collect === undefined || dwarf.file.info.size < WORTH_THREADS ? collectHere(dwarf) : collect)(
    names,
    batches,
    onDone,
  );
  return { facts: new CollectedFacts(dwarf, parts), units: unitOffsets.length };
}

function collectHere(dwarf: Dwarf): CollectEntries {
  return async (names, batches, onDone) => {
    const entriesIn = collectEntries(dwarf, new Set(names));
    return batches.map((batch, index) => {
      const entries = entriesIn(batch);
      onDone(index);
      return entries;
    });
  };
}

function summarise(functions: readonly MissingFunction[]): MissingBtfOfAll['reasons'] {
  const tally = new Map<ReasonCode, { count: number; certainty: Record<Certainty, number>; examples: string[] }>();
  for (const { name, code, certainty } of functions) {
    let entry = tally.get(code);
    if (entry === undefined) {
      entry = { count: 0, certainty: { proven: 0, likely: 0, open: 0 }, examples: [] };
      tally.set(code, entry);
    }
    entry.count++;
    entry.certainty[certainty]++;
    if (entry.examples.length < EXAMPLES) entry.examples.push(name);
  }
  return [...tally].map(([code, entry]) => ({ code, ...entry })).sort((a, b) => b.count - a.count);
}
