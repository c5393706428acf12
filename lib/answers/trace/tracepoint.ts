import type { Evidence, Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Tracepoint } from '../../facts/tracepoint-table.js';
import type { ReasonCode } from '../../reasons.js';

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
  const table = kernel.tracepoints;
  const found = table.find(name);
  const verdict = (ok: boolean | undefined, code: ReasonCode, evidence: Evidence): Verdict =>
    ok === undefined
      ? { outcome: 'open', code: 'tracepoint-unknown', certainty: 'open', because: [evidence] }
      : ok
        ? { outcome: 'accepted', code: 'accepted', certainty: 'proven', because: [evidence] }
        : {
            outcome: 'refused',
            code: found?.tracepoint === true ? code : 'no-tracepoint',
            certainty: 'proven',
            errno: 'ENOENT',
            because: [evidence],
          };
  const symbols = kernel.pieces.imageSymbols() === undefined ? 'kallsyms' : '.symtab';
  const at = found?.address === undefined ? {} : { address: found.address };
  const none: Evidence = { source: symbols, says: `no __tracepoint_${name}, and no __traceiter_${name}` };
  const raw: Evidence =
    found?.tracepoint !== true
      ? none
      : found.raw === undefined
        ? { source: symbols, says: 'kallsyms lists no data symbols (CONFIG_KALLSYMS_ALL): the debug vmlinux would settle it' }
        : found.raw
          ? { source: symbols, ...at, says: `__bpf_trace_tp_map_${name} is there` }
          : {
              source: symbols,
              ...at,
              says: `no __bpf_trace_tp_map_${name}: declared by DECLARE_TRACE, or built without CONFIG_BPF_EVENTS`,
            };
  const source = kernel.btfSource ?? '.BTF';
  const typed: Evidence =
    found?.tracepoint !== true
      ? none
      : kernel.btf === undefined
        ? { source, says: `${kernel.name} has no BTF` }
        : found.btf === undefined
          ? { source, says: `no typedef btf_trace_${name}` }
          : { source, says: `TYPEDEF [${found.btf}] btf_trace_${name}: ${found.prototype ?? name}` };
  const event: Evidence = !table.listsEvents
    ? { source: symbols, says: 'the table of events, _ftrace_events, was not found: the debug vmlinux would settle it' }
    : found?.event === true
      ? { source: '_ftrace_events', ...at, says: `the event ${found.system ?? '?'}:${name} is in the table` }
      : { source: '_ftrace_events', says: `the table has no event ${name}` };
  const exists = found?.tracepoint === true;
  return {
    name,
    ...(found === undefined ? {} : { found }),
    rawTracepoint: verdict(exists ? found.raw : false, 'no-raw-tracepoint', raw),
    tpBtf: verdict(exists && found.btf !== undefined, 'no-tracepoint-btf', typed),
    event: verdict(table.listsEvents ? found?.event === true : undefined, 'no-trace-event', event),
  };
}
