import { collectFacts, type MissingBtfOfAllOptions } from '../../answers/missing-btf/all.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type DwarfFacts, LazyFacts } from '../../rules/pahole/facts.js';

/** How functions without a symbol are looked for among those that were inlined. */
export interface InlinedOptions extends Pick<MissingBtfOfAllOptions, 'collect' | 'onProgress'> {
  /** Reads all of the debug information where there are many: some seconds. */
  readonly all: boolean;
}

/** So many names are searched for one by one; for more, all of the debug information is read, or nothing. */
const MOST_SEARCHED = 32;
/** So many callers are named. */
const MOST_CALLERS = 4;

/**
 * Of functions that have no symbol: those that the debug information describes all the same, whose code is nowhere but in their callers.
 * @returns a sentence for each; undefined where they are too many to be searched for one by one, and there is debug information
 */
export async function whereInlined(
  kernel: KernelFacts,
  names: readonly string[],
  options: InlinedOptions,
): Promise<ReadonlyMap<string, string> | undefined> {
  const dwarf = names.length === 0 ? undefined : kernel.dwarf();
  if (dwarf === undefined) return new Map();
  if (names.length > MOST_SEARCHED && !options.all) return undefined;
  const facts = names.length > MOST_SEARCHED ? (await collectFacts(kernel, names, options))!.facts : new LazyFacts(dwarf);
  return new Map(names.flatMap(name => inlinedText(facts, name)));
}

function inlinedText(facts: DwarfFacts, name: string): [string, string][] {
  const { entries, inlined } = facts.under(name);
  const described = entries.find(({ kind }) => kind !== 'declaration');
  if (described === undefined) return [];
  const callers = [...new Set(inlined.map(({ caller }) => `${caller}()`))];
  const into =
    callers.length === 0 ? 'its callers' : `${callers.slice(0, MOST_CALLERS).join(', ')}${callers.length > MOST_CALLERS ? ', …' : ''}`;
  return [[name, `${described.declared ?? described.unit} has it, inlined into ${into}`]];
}
