import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';

/** within_notrace_func() of kernel/trace/trace_kprobe.c: since 4.19, unless CONFIG_KPROBE_EVENTS_ON_NOTRACE is set. */
export interface NotraceRule {
  readonly refuses: boolean;
  /** False where it is the default that is taken. */
  readonly proven: boolean;
  readonly evidence: Evidence;
}

/** The image shows the rule by its function; else the .config does; else it is taken for what kernels have by default. */
export function notraceRule(kernel: KernelFacts): NotraceRule {
  const { pieces } = kernel;
  const rule = (refuses: boolean, proven: boolean, source: string, says: string): NotraceRule => ({
    refuses,
    proven,
    evidence: { source, says },
  });
  if (kernel.symbolsMissing === undefined && kernel.functions.ftrace === 'none')
    return rule(false, true, 'symbols', 'the kernel has no dynamic ftrace, and no rule about its sites');
  const { has, shownBy: checker } = kernel.change('refusesNotrace');
  if (checker !== undefined) return rule(true, true, 'kallsyms', `the kernel has ${checker}(), which refuses what ftrace cannot trace`);
  const config = pieces.config();
  const set = config?.get('CONFIG_KPROBE_EVENTS_ON_NOTRACE') === 'y';
  if (config !== undefined) {
    const says = set
      ? 'CONFIG_KPROBE_EVENTS_ON_NOTRACE=y: functions without a site are accepted'
      : 'CONFIG_KPROBE_EVENTS_ON_NOTRACE is not set: within_notrace_func() refuses functions that ftrace cannot trace';
    return rule(!set, true, config.source, says);
  }
  if (has === false) return rule(false, true, 'release', 'kernels before 4.19 accept functions without a site');
  return rule(
    true,
    false,
    'kernel',
    'within_notrace_func() refuses functions that ftrace cannot trace, by default (CONFIG_KPROBE_EVENTS_ON_NOTRACE: --config settles it)',
  );
}
