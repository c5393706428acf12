import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Tracepoint } from '../../facts/tracepoint-table.js';

/** A tracepoint or an event, with its arguments in C. */
export interface TracepointRow extends Pick<Tracepoint, 'name' | 'system' | 'tracepoint' | 'raw' | 'event'> {
  /** Whether programs of type tp_btf are loaded for it. */
  readonly typed: boolean;
  /** `bool preempt, struct task_struct *prev, …`; absent without BTF. */
  readonly arguments?: string;
}

/** The tracepoints and events of a kernel by name: a few thousand. */
export function tracepointRows(kernel: KernelFacts): TracepointRow[] {
  return kernel.tracepoints.all().map(({ name, system, tracepoint, raw, event, btf, prototype }) => ({
    name,
    tracepoint,
    raw,
    event,
    typed: btf !== undefined,
    ...(system === undefined ? {} : { system }),
    ...(prototype === undefined ? {} : { arguments: prototype.slice(name.length + 1, -1) }),
  }));
}
