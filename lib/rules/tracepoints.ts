import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { Tracepoint } from '../facts/tracepoint-table.js';
import { accepted, type Decision, refused, untold, withoutSymbols } from './decision.js';
import { nearTracepoints } from './near-names.js';

// How a tracepoint, or the event of a name, is found by what attaches to it. Each is looked for by name alone, so that what is missing is ENOENT.

/** A BPF program of type raw_tracepoint: bpf_get_raw_tracepoint() in kernel/trace/bpf_trace.c searches the section of `__bpf_trace_tp_map_NAME`. */
export function rawTracepoint(kernel: KernelFacts, name: string): Decision {
  const found = kernel.tracepoints.find(name);
  if (found?.tracepoint !== true) return noTracepoint(kernel, name);
  const source = symbolsOf(kernel);
  if (found.raw === undefined) {
    const unknown = withoutSymbols(kernel);
    if (unknown !== undefined) return unknown;
    const says = 'kallsyms lists no data symbols (CONFIG_KALLSYMS_ALL): the debug vmlinux would settle it';
    return untold('tracepoint-unknown', () => [{ source, says }]);
  }
  const map = `__bpf_trace_tp_map_${name}`;
  if (found.raw) return accepted('proven', () => [{ source, ...addressOf(found), says: `${map} is there` }]);
  const says = `no ${map}: declared by DECLARE_TRACE, or built without CONFIG_BPF_EVENTS`;
  return refused('no-raw-tracepoint', 'ENOENT', () => [{ source, ...addressOf(found), says }]);
}

/** A tp_btf program: libbpf finds the typedef `btf_trace_NAME`, and bpf_check_attach_target() in kernel/bpf/verifier.c reads its prototype. */
export function typedTracepoint(kernel: KernelFacts, name: string): Decision {
  const found = kernel.tracepoints.find(name);
  const source = kernel.btfSource ?? '.BTF';
  if (found?.tracepoint !== true && (kernel.symbolsMissing === undefined || kernel.btf === undefined)) return noTracepoint(kernel, name);
  const { btf, prototype } = found ?? {};
  const typedef = `btf_trace_${name}`;
  if (btf !== undefined) return accepted('proven', () => [{ source, says: `TYPEDEF [${btf}] ${typedef}: ${prototype ?? name}` }]);
  const says = kernel.btf === undefined ? `${kernel.name} has no BTF` : `no typedef ${typedef}`;
  return refused('no-tracepoint-btf', 'ENOENT', () => [{ source, says }]);
}

/** The event of tracefs and perf, and of programs of type tracepoint: event_trace_enable() in kernel/trace/trace_events.c reads `_ftrace_events`. */
export function traceEvent(kernel: KernelFacts, name: string): Decision {
  const table = kernel.tracepoints;
  if (!table.listsEvents) {
    const unknown = withoutSymbols(kernel);
    if (unknown !== undefined) return unknown;
    const says = 'the table of events, _ftrace_events, was not found: the debug vmlinux would settle it';
    return untold('tracepoint-unknown', () => [{ source: symbolsOf(kernel), says }]);
  }
  const source = '_ftrace_events';
  const found = table.find(name);
  if (found?.event === true) {
    const says = `the event ${found.system ?? '?'}:${name} is in the table`;
    return accepted('proven', () => [{ source, ...addressOf(found), says }]);
  }
  const code = found?.tracepoint === true ? 'no-trace-event' : 'no-tracepoint';
  const near = found === undefined ? () => nearTracepoints(kernel, name) : () => [];
  return refused(code, 'ENOENT', () => [{ source, says: `the table has no event ${name}` }, ...near()]);
}

function noTracepoint(kernel: KernelFacts, name: string): Decision {
  const unknown = withoutSymbols(kernel);
  if (unknown !== undefined) return unknown;
  const says = `no __tracepoint_${name}, and no __traceiter_${name}`;
  return refused('no-tracepoint', 'ENOENT', () => [{ source: symbolsOf(kernel), says }, ...nearTracepoints(kernel, name)]);
}

/** The table that names are looked up in. */
function symbolsOf({ pieces }: KernelFacts): string {
  return pieces.imageSymbols() === undefined ? 'kallsyms' : '.symtab';
}

function addressOf({ address }: Tracepoint): Pick<Evidence, 'address'> {
  return address === undefined ? {} : { address };
}
