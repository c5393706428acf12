import type { Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Tracepoint } from '../../facts/tracepoint-table.js';
import { verdictOf } from '../../rules/decision.js';
import { rawTracepoint, traceEvent, typedTracepoint } from '../../rules/tracepoints.js';

/** What each mechanism says about a tracepoint or an event. */
export interface TracepointAnswer {
  readonly name: string;
  readonly found?: Tracepoint;
  /** BPF programs of type raw_tracepoint: `raw_tp/NAME`. */
  readonly rawTracepoint: Verdict;
  /** BPF programs with the arguments by type: `tp_btf/NAME`. */
  readonly tpBtf: Verdict;
  /** The event of tracefs, perf and BPF programs of type tracepoint: `tp/SYSTEM/NAME`. */
  readonly event: Verdict;
}

/**
 * `tracepoint:sched_switch`, `tracepoint:sched:sched_switch`, `raw_tp:sched_switch`, `tp_btf/sched_switch`: the name; undefined for other
 * texts.
 */
export function tracepointName(text: string): string | undefined {
  return /^(?:tracepoint|tp|raw_tracepoint|raw_tp|tp_btf|rawtracepoint|event)[:/](?:[\w-]+[:/])?([\w-]+)$/.exec(text)?.[1];
}

/** The answer for a name. */
export function tracepointAnswer(kernel: KernelFacts, name: string): TracepointAnswer {
  const found = kernel.tracepoints.find(name);
  return {
    name,
    ...(found === undefined ? {} : { found }),
    rawTracepoint: verdictOf(rawTracepoint(kernel, name)),
    tpBtf: verdictOf(typedTracepoint(kernel, name)),
    event: verdictOf(traceEvent(kernel, name)),
  };
}
