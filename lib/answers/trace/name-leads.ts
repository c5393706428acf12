import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { TracingRules } from '../../rules/tracing.js';

/** Which functions a mechanism takes for a name that several functions share. */
export interface Lead {
  /** The call fails; the lowest address with the name; the first function that ftrace can trace; all that it can; none. */
  readonly to: 'error' | 'lowest' | 'first-traceable' | 'all-traceable' | 'none';
  /** The functions that are traced then, whether or not attaching succeeds. */
  readonly addresses: readonly bigint[];
}

export interface NameLeads {
  readonly kprobe: Lead;
  readonly kretprobe: Lead;
  /** fexit and fmod_ret as well. */
  readonly fentry: Lead;
  readonly kprobeMulti: Lead;
  readonly fprobe: Lead;
  readonly ftrace: Lead;
}

/**
 * number_of_same_symbols() for kprobes, kallsyms_lookup_name() for trampolines, ftrace_lookup_symbols() for multi kprobes, and the filters
 * of ftrace, which fprobe events go through as well.
 */
export function nameLeads({ symbols, functions }: KernelFacts, tracing: TracingRules, name: string): NameLeads {
  const rows = symbols.find(name);
  const addressOf = (row: number): bigint => symbols.address.big[row]!;
  const traceable = functions
    .find(name)
    .map(row => functions.symbolRow[row]!)
    .filter(row => tracing.sites.hasLive(row))
    .map(addressOf);
  const lowest: Lead = { to: 'lowest', addresses: rows.slice(0, 1).map(addressOf) };
  const error: Lead = { to: 'error', addresses: [] };
  const none: Lead = { to: 'none', addresses: [] };
  const all: Lead = traceable.length === 0 ? none : { to: 'all-traceable', addresses: traceable };
  const first: Lead = traceable.length === 0 ? none : { to: 'first-traceable', addresses: traceable.slice(0, 1) };
  const kprobe = rows.length > 1 && tracing.kprobes.countsNames.refuses ? error : lowest;
  return {
    kprobe,
    kretprobe: kprobe,
    fentry: lowest,
    kprobeMulti: tracing.filters.hasMulti ? first : error,
    fprobe: tracing.filters.hasFprobeEvents ? all : error,
    ftrace: all,
  };
}
