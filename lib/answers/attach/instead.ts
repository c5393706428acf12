import type { ReasonCode } from '../../reasons.js';

/** What may do the work of a probe that is refused. */
export interface OtherMechanisms {
  readonly name: string;
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
    'kprobe_event= on the command line of the kernel sets it while it boots, before the code is freed: for functions that run after fs_initcall',
  'no-ftrace-site':
    'a kernel built with CONFIG_KPROBE_EVENTS_ON_NOTRACE=y accepts it; on this one, a module that calls register_kprobe() does, or a probe on its callers',
  'kprobe-blacklisted': 'a kprobe there could recurse or lose state: probe its callers, or what it calls',
  'jump-label': 'a kprobe behind the patched instruction is accepted: its offset is the length of that',
  'static-call': 'a kprobe behind the patched instruction is accepted: its offset is the length of that',
  'bug-entry': 'probe the function that it is a part of: nothing but the trap is run here',
  'kretprobe-blacklisted': 'a probe at its first instruction is not affected',
  'not-called': 'a return probe on the function that it is a part of',
  'no-kprobes': 'a kernel with CONFIG_KPROBES=y',
  'sites-unknown': 'the debug vmlinux, or available_filter_functions_addrs read as root, settles whether it is refused',
};

/** What can be done in place of a refused probe, in sentences. */
export function insteadOf(code: ReasonCode, { name, ftrace, kprobeMulti, fentry, inModule, beforeLoading }: OtherMechanisms): string[] {
  const says: string[] = [];
  if (fentry) says.push(`a BPF program attaches by the name: SEC("fentry/${name}")`);
  if (ftrace && kprobeMulti) says.push(`multi kprobes attach: SEC("kprobe.multi/${name}")`);
  if (ftrace) says.push(`ftrace traces it: echo ${name} > /sys/kernel/tracing/set_ftrace_filter`);
  if (beforeLoading !== undefined)
    says.push(
      `written before the module is loaded, it is set while that initializes: echo '${beforeLoading}' >> /sys/kernel/tracing/kprobe_events`,
    );
  const own = inModule === true && code === 'init-text' ? undefined : BY_CODE[code];
  if (own !== undefined) says.push(own);
  return says;
}
