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
 * looked at when the program is attached, the name of its operations, NAME_verifier_ops, the option it depends on
 * (include/linux/bpf_types.h), and what tells its helpers, for kernels whose BTF does not list the types that were compiled (before 5.6). What is newer is known by its name alone, which section-names.ts has.
 */
const TABLE = `
unspec                  -      -                       -                  -
socket_filter           -      sk_filter               NET                sk_filter_func_proto
kprobe                  -      kprobe                  BPF_EVENTS         kprobe_prog_func_proto
sched_cls               attach tc_cls_act              NET                tc_cls_act_func_proto
sched_act               -      tc_cls_act              NET                tc_cls_act_func_proto
tracepoint              -      tracepoint              BPF_EVENTS         tp_prog_func_proto
xdp                     attach xdp                     NET                xdp_func_proto
perf_event              -      perf_event              BPF_EVENTS         pe_prog_func_proto
cgroup_skb              -      cg_skb                  CGROUP_BPF         cg_skb_func_proto
cgroup_sock             -      cg_sock                 CGROUP_BPF         sock_filter_func_proto
lwt_in                  -      lwt_in                  NET                lwt_in_func_proto,lwt_inout_func_proto
lwt_out                 -      lwt_out                 NET                lwt_out_func_proto,lwt_inout_func_proto
lwt_xmit                -      lwt_xmit                NET                lwt_xmit_func_proto
sock_ops                -      sock_ops                NET                sock_ops_func_proto
sk_skb                  attach sk_skb                  NET                sk_skb_func_proto
cgroup_device           -      cg_dev                  CGROUP_BPF         cgroup_dev_func_proto
sk_msg                  attach sk_msg                  NET                sk_msg_func_proto
raw_tracepoint          -      raw_tracepoint          BPF_EVENTS         raw_tp_prog_func_proto
cgroup_sock_addr        -      cg_sock_addr            CGROUP_BPF         sock_addr_func_proto
lwt_seg6local           -      lwt_seg6local           NET                lwt_seg6local_func_proto
lirc_mode2              attach lirc_mode2              BPF_LIRC_MODE2     lirc_mode2_func_proto
sk_reuseport            attach sk_reuseport            INET               sk_reuseport_func_proto
flow_dissector          attach flow_dissector          NET                flow_dissector_func_proto
cgroup_sysctl           attach cg_sysctl               CGROUP_BPF         sysctl_func_proto
raw_tracepoint_writable -      raw_tracepoint_writable BPF_EVENTS         raw_tp_prog_func_proto
cgroup_sockopt          -      cg_sockopt              CGROUP_BPF         cg_sockopt_func_proto
tracing                 -      tracing                 BPF_EVENTS         tracing_prog_func_proto
struct_ops              -      bpf_struct_ops          BPF_JIT            -
ext                     -      bpf_extension           BPF_JIT            -
lsm                     -      lsm                     BPF_LSM            -
sk_lookup               -      sk_lookup               INET               -
syscall                 -      bpf_syscall             -                  -
netfilter               -      netfilter               NETFILTER_BPF_LINK -
`;

/** By number. */
export const PROGRAM_TYPES: readonly ProgramType[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const [name, when, operations, option, own] = line.split(/\s+/);
    return {
      name: name!,
      attachTypeAtAttach: when === 'attach',
      built: {
        ...(operations === '-' ? {} : { symbol: `${operations}_verifier_ops` }),
        functions: [],
        ...(own === '-' ? {} : { hints: own!.split(',') }),
        ...(option === '-' ? {} : { option: `CONFIG_${option}` }),
      },
    };
  });

/** The number of a type of the table; -1 for none. */
export function programTypeNumber(name: string): number {
  return PROGRAM_TYPES.findIndex(type => type.name === name);
}
