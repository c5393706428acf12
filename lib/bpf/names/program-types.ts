import type { Built } from './built.js';

/** What a kernel's `enum bpf_prog_type` has under one number. */
export interface ProgramType {
  /** `kprobe` for BPF_PROG_TYPE_KPROBE: in lower case, as libbpf's and bpftool's texts have it. */
  readonly name: string;
  /**
   * Whether the attach type is looked at when a program is attached only, not when it is loaded (bpf_prog_load_check_attach): of sk_reuseport in
   * kernels that do not have its attach types, before 5.14.
   */
  readonly attachTypeAtAttach: boolean;
  /** What shows whether a kernel was built with it. */
  readonly built: Built;
}

/**
 * A line for each type, in the order of their numbers, as of Linux 6.18: the name (include/uapi/linux/bpf.h), `attach` where the attach type is
 * looked at when the program is attached, the name of its operations, NAME_verifier_ops, and the option it depends on
 * (include/linux/bpf_types.h). What is newer is known by its name alone, which section-names.ts has.
 */
const TABLE = `
unspec                  -      -                       -
socket_filter           -      sk_filter               NET
kprobe                  -      kprobe                  BPF_EVENTS
sched_cls               attach tc_cls_act              NET
sched_act               -      tc_cls_act              NET
tracepoint              -      tracepoint              BPF_EVENTS
xdp                     attach xdp                     NET
perf_event              -      perf_event              BPF_EVENTS
cgroup_skb              -      cg_skb                  CGROUP_BPF
cgroup_sock             -      cg_sock                 CGROUP_BPF
lwt_in                  -      lwt_in                  NET
lwt_out                 -      lwt_out                 NET
lwt_xmit                -      lwt_xmit                NET
sock_ops                -      sock_ops                NET
sk_skb                  attach sk_skb                  NET
cgroup_device           -      cg_dev                  CGROUP_BPF
sk_msg                  attach sk_msg                  NET
raw_tracepoint          -      raw_tracepoint          BPF_EVENTS
cgroup_sock_addr        -      cg_sock_addr            CGROUP_BPF
lwt_seg6local           -      lwt_seg6local           NET
lirc_mode2              attach lirc_mode2              BPF_LIRC_MODE2
sk_reuseport            attach sk_reuseport            INET
flow_dissector          attach flow_dissector          NET
cgroup_sysctl           attach cg_sysctl               CGROUP_BPF
raw_tracepoint_writable -      raw_tracepoint_writable BPF_EVENTS
cgroup_sockopt          -      cg_sockopt              CGROUP_BPF
tracing                 -      tracing                 BPF_EVENTS
struct_ops              -      bpf_struct_ops          BPF_JIT
ext                     -      bpf_extension           BPF_JIT
lsm                     -      lsm                     BPF_LSM
sk_lookup               -      sk_lookup               INET
syscall                 -      bpf_syscall             -
netfilter               -      netfilter               NETFILTER_BPF_LINK
`;

/** By number. */
export const PROGRAM_TYPES: readonly ProgramType[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const [name, when, operations, option] = line.split(/\s+/);
    return {
      name: name!,
      attachTypeAtAttach: when === 'attach',
      built: {
        ...(operations === '-' ? {} : { symbol: `${operations}_verifier_ops` }),
        functions: [],
        ...(option === '-' ? {} : { option: `CONFIG_${option}` }),
      },
    };
  });

/** The number of a type of the table; -1 for none. */
export function programTypeNumber(name: string): number {
  return PROGRAM_TYPES.findIndex(type => type.name === name);
}
