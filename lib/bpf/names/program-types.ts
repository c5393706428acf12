/** What a kernel's `enum bpf_prog_type` has under one number. */
export interface ProgramType {
  /** `kprobe` for BPF_PROG_TYPE_KPROBE: in lower case, as libbpf's and bpftool's texts have it. */
  readonly name: string;
  /** Whether the attach type is looked at when a program is attached only, not when it is loaded (bpf_prog_load_check_attach). */
  readonly attachTypeAtAttach: boolean;
}

/**
 * A line for each type, in the order of their numbers, as of Linux 6.18 (include/uapi/linux/bpf.h): the name, and `attach` where the attach
 * type is looked at when the program is attached. What is newer is known by its name alone, which section-names.ts has.
 */
const TABLE = `
unspec                  -
socket_filter           -
kprobe                  -
sched_cls               attach
sched_act               -
tracepoint              -
xdp                     attach
perf_event              -
cgroup_skb              -
cgroup_sock             -
lwt_in                  -
lwt_out                 -
lwt_xmit                -
sock_ops                -
sk_skb                  attach
cgroup_device           -
sk_msg                  attach
raw_tracepoint          -
cgroup_sock_addr        -
lwt_seg6local           -
lirc_mode2              attach
sk_reuseport            -
flow_dissector          attach
cgroup_sysctl           attach
raw_tracepoint_writable -
cgroup_sockopt          -
tracing                 -
struct_ops              -
ext                     -
lsm                     -
sk_lookup               -
syscall                 -
netfilter               -
`;

/** By number. */
export const PROGRAM_TYPES: readonly ProgramType[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const [name, when] = line.split(/\s+/);
    return { name: name!, attachTypeAtAttach: when === 'attach' };
  });

/** The number of a type of the table; -1 for none. */
export function programTypeNumber(name: string): number {
  return PROGRAM_TYPES.findIndex(type => type.name === name);
}
