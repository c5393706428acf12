import type { KernelFacts } from '../../facts/kernel-facts.js';

/** The options that decide what BPF programs find, besides those of single features: those that bpftool prints, and newer ones. */
const OPTIONS = `
BPF BPF_SYSCALL HAVE_EBPF_JIT BPF_JIT BPF_JIT_ALWAYS_ON BPF_UNPRIV_DEFAULT_OFF DEBUG_INFO_BTF DEBUG_INFO_BTF_MODULES KALLSYMS_ALL CGROUPS
CGROUP_BPF CGROUP_NET_CLASSID SOCK_CGROUP_DATA BPF_EVENTS KPROBE_EVENTS UPROBE_EVENTS TRACING FTRACE_SYSCALLS DYNAMIC_FTRACE
DYNAMIC_FTRACE_WITH_DIRECT_CALLS FUNCTION_ERROR_INJECTION BPF_KPROBE_OVERRIDE FPROBE BPF_LSM LSM SECURITY_LOCKDOWN_LSM NET XDP_SOCKETS
LWTUNNEL_BPF NET_ACT_BPF NET_CLS_BPF NET_CLS_ACT NET_SCH_INGRESS NET_XGRESS NETKIT NETFILTER_BPF_LINK XFRM IP_ROUTE_CLASSID IPV6_SEG6_BPF
BPF_LIRC_MODE2 BPF_STREAM_PARSER NETFILTER_XT_MATCH_BPF SCHED_CLASS_EXT HZ
`
  .trim()
  .split(/\s+/)
  .map(name => `CONFIG_${name}`);

/** What a .config says of BPF. */
export interface FeatureOptions {
  readonly source: string;
  /** In the order of the list: the value, or null where it is not set. */
  readonly options: ReadonlyMap<string, string | null>;
}

/** Undefined where the .config is not known. */
export function featureOptions({ pieces }: KernelFacts): FeatureOptions | undefined {
  const config = pieces.config();
  if (config === undefined) return undefined;
  return { source: config.source, options: new Map(OPTIONS.map(name => [name, config.get(name) ?? null])) };
}
