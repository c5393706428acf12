import type { ReasonCode } from '../../reasons.js';

/** What may replace a refused probe. */
export interface OtherMechanisms {
  /** Undefined where no line can hold it. */
  readonly name: string | undefined;
  /** ftrace patches it: filters and, where they are configured, multi kprobes reach it. */
  readonly ftrace: boolean;
  readonly kprobeMulti: boolean;
  /** A tracing program of BPF, by the name, attaches to this function. */
  readonly fentry: boolean;
  /** It is in a module: the kernel's command line does not reach it. */
  readonly inModule?: boolean;
  /** The line for kprobe_events, where init code of a module takes it. */
  readonly beforeLoading?: string | undefined;
}

const BY_CODE: Partial<Readonly<Record<ReasonCode, string>>> = {
  'init-text':
    'kprobe_event= on the kernel command line sets it during boot, before the code is freed: for functions that run after fs_initcall',
  'no-ftrace-site':
    'a kernel built with CONFIG_KPROBE_EVENTS_ON_NOTRACE=y accepts it; on this one, call register_kprobe() from a module, or probe its callers',
  'kprobe-blacklisted': 'a kprobe there could recurse or lose state: probe its callers, or the functions that it calls',
  'jump-label': 'a kprobe after the patched instruction is accepted: the offset is the length of that instruction',
  'static-call': 'a kprobe after the patched instruction is accepted: the offset is the length of that instruction',
  'bug-entry': 'probe the function that it is a part of: only the trap runs here',
  'kretprobe-blacklisted': 'a probe at its first instruction is not affected',
  'not-called': 'a return probe on the function that it is a part of',
  'no-kprobes': 'a kernel with CONFIG_KPROBES=y',
  'sites-unknown': 'the debug vmlinux, or available_filter_functions_addrs read as root, settles whether it is refused',
};

/** What can be done instead of a refused probe, in sentences. */
export function insteadOf(code: ReasonCode, { name, ftrace, kprobeMulti, fentry, inModule, beforeLoading }: OtherMechanisms): string[] {
  const says: string[] = [];
  if (fentry && name !== undefined) says.push(`a BPF program can attach by name: SEC("fentry/${name}")`);
  if (ftrace && kprobeMulti && name !== undefined) says.push(`kprobe.multi can attach: SEC("kprobe.multi/${name}")`);
  if (ftrace && name !== undefined)
    says.push(`ftrace can trace it: echo ${name.includes('$') ? `'${name}'` : name} > /sys/kernel/tracing/set_ftrace_filter`);
  if (beforeLoading !== undefined)
    says.push(
      `written before the module is loaded, it is set while the module initializes: echo '${beforeLoading}' >> /sys/kernel/tracing/kprobe_events`,
    );
  const own = inModule === true && code === 'init-text' ? undefined : BY_CODE[code];
  if (own !== undefined) says.push(own);
  return says;
}
