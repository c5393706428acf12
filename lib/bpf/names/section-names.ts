// libbpf's table of section names (section_defs in src/libbpf.c, as of 1.7 and what was added in 2026): what SEC("…") says about a program.

/** How the part after the first '/' says what to attach to. */
export type TargetGrammar =
  /** A function, `name` or `name+offset`. */
  | 'kprobe'
  /** A pattern over functions, with `*` and `?`. */
  | 'kprobe-pattern'
  /** A system call, without its architecture's prefix. */
  | 'syscall'
  /** `path:function+offset`. */
  | 'uprobe'
  /** `path:provider:name`. */
  | 'usdt'
  /** `category/name`. */
  | 'tracepoint'
  /** A tracepoint's name; of BTF where the program needs it. */
  | 'raw-tracepoint'
  /** A function of BTF, or `module:function`. */
  | 'btf-function'
  /** A pattern over functions of BTF. */
  | 'btf-pattern'
  /** `bpf_lsm_` + the name is a function. */
  | 'lsm'
  /** `bpf_iter_` + the name is a function. */
  | 'iterator'
  /** A function of another program. */
  | 'program-function'
  /** A member of a struct_ops; only a note for the reader. */
  | 'struct-ops';

/** What a section's name means to libbpf. */
export interface SectionDefinition {
  /** As in libbpf's table, without the `+` that allows a target. */
  readonly name: string;
  /** True where `name/target` is of this definition too. */
  readonly takesTarget: boolean;
  /** As in program-types.ts, where it is not newer than that. */
  readonly type: string;
  /** As in ATTACH_TYPES; undefined if the program type has none. */
  readonly attachType?: string;
  readonly sleepable: boolean;
  /** True where the program is loaded for one function or tracepoint of the kernel's BTF (SEC_ATTACH_BTF). */
  readonly needsBtfTarget: boolean;
  /** True where a program for XDP takes packets of several buffers (SEC_XDP_FRAGS). */
  readonly fragments: boolean;
  readonly grammar?: TargetGrammar;
}

/**
 * A line for each definition: names, program type, attach type or `-`, then marks. A name ending in `+` takes a target. Marks: `btf` needs
 * one of BTF, `s` has a sleepable variant `NAME.s`, `sleepable` is it, `frags` takes fragments; what is left is the grammar.
 */
const TABLE = `
socket                              socket_filter          -
sk_reuseport/migrate                sk_reuseport           SK_REUSEPORT_SELECT_OR_MIGRATE
sk_reuseport                        sk_reuseport           SK_REUSEPORT_SELECT
kprobe+ kretprobe+                  kprobe                 -                       kprobe
uprobe+ uretprobe+                  kprobe                 -                       s uprobe
kprobe.multi+ kretprobe.multi+      kprobe                 TRACE_KPROBE_MULTI      kprobe-pattern
kprobe.session+                     kprobe                 TRACE_KPROBE_SESSION    kprobe-pattern
uprobe.multi+ uretprobe.multi+      kprobe                 TRACE_UPROBE_MULTI      s uprobe
uprobe.session+                     kprobe                 TRACE_UPROBE_SESSION    s uprobe
ksyscall+ kretsyscall+              kprobe                 -                       syscall
usdt+                               kprobe                 -                       s usdt
tc/ingress tcx/ingress              sched_cls              TCX_INGRESS
tc/egress tcx/egress                sched_cls              TCX_EGRESS
tc classifier                       sched_cls              -
netkit/primary                      sched_cls              NETKIT_PRIMARY
netkit/peer                         sched_cls              NETKIT_PEER
action                              sched_act              -
tracepoint+ tp+                     tracepoint             -                       s tracepoint
raw_tracepoint+ raw_tp+             raw_tracepoint         -                       s raw-tracepoint
raw_tracepoint.w+ raw_tp.w+         raw_tracepoint_writable -                      raw-tracepoint
tp_btf+                             tracing                TRACE_RAW_TP            btf s raw-tracepoint
fentry+                             tracing                TRACE_FENTRY            btf s btf-function
fexit+                              tracing                TRACE_FEXIT             btf s btf-function
fmod_ret+                           tracing                MODIFY_RETURN           btf s btf-function
fsession+                           tracing                TRACE_FSESSION          btf s btf-function
fentry.multi+                       tracing                TRACE_FENTRY_MULTI      s btf-pattern
fexit.multi+                        tracing                TRACE_FEXIT_MULTI       s btf-pattern
fsession.multi+                     tracing                TRACE_FSESSION_MULTI    s btf-pattern
freplace+                           ext                    -                       btf program-function
lsm+                                lsm                    LSM_MAC                 btf s lsm
lsm_cgroup+                         lsm                    LSM_CGROUP              btf lsm
iter+                               tracing                TRACE_ITER              btf s iterator
syscall                             syscall                -                       sleepable
xdp.frags/devmap                    xdp                    XDP_DEVMAP              frags
xdp/devmap                          xdp                    XDP_DEVMAP
xdp.frags/cpumap                    xdp                    XDP_CPUMAP              frags
xdp/cpumap                          xdp                    XDP_CPUMAP
xdp.frags                           xdp                    XDP                     frags
xdp                                 xdp                    XDP
perf_event                          perf_event             -
lwt_in                              lwt_in                 -
lwt_out                             lwt_out                -
lwt_xmit                            lwt_xmit               -
lwt_seg6local                       lwt_seg6local          -
sockops                             sock_ops               CGROUP_SOCK_OPS
sk_skb/stream_parser                sk_skb                 SK_SKB_STREAM_PARSER
sk_skb/stream_verdict               sk_skb                 SK_SKB_STREAM_VERDICT
sk_skb/verdict                      sk_skb                 SK_SKB_VERDICT
sk_skb                              sk_skb                 -
sk_msg                              sk_msg                 SK_MSG_VERDICT
lirc_mode2                          lirc_mode2             LIRC_MODE2
flow_dissector                      flow_dissector         FLOW_DISSECTOR
cgroup_skb/ingress                  cgroup_skb             CGROUP_INET_INGRESS
cgroup_skb/egress                   cgroup_skb             CGROUP_INET_EGRESS
cgroup/skb                          cgroup_skb             -
cgroup/sock_create cgroup/sock      cgroup_sock            CGROUP_INET_SOCK_CREATE
cgroup/sock_release                 cgroup_sock            CGROUP_INET_SOCK_RELEASE
cgroup/post_bind4                   cgroup_sock            CGROUP_INET4_POST_BIND
cgroup/post_bind6                   cgroup_sock            CGROUP_INET6_POST_BIND
cgroup/bind4                        cgroup_sock_addr       CGROUP_INET4_BIND
cgroup/bind6                        cgroup_sock_addr       CGROUP_INET6_BIND
cgroup/connect4                     cgroup_sock_addr       CGROUP_INET4_CONNECT
cgroup/connect6                     cgroup_sock_addr       CGROUP_INET6_CONNECT
cgroup/connect_unix                 cgroup_sock_addr       CGROUP_UNIX_CONNECT
cgroup/sendmsg4                     cgroup_sock_addr       CGROUP_UDP4_SENDMSG
cgroup/sendmsg6                     cgroup_sock_addr       CGROUP_UDP6_SENDMSG
cgroup/sendmsg_unix                 cgroup_sock_addr       CGROUP_UNIX_SENDMSG
cgroup/recvmsg4                     cgroup_sock_addr       CGROUP_UDP4_RECVMSG
cgroup/recvmsg6                     cgroup_sock_addr       CGROUP_UDP6_RECVMSG
cgroup/recvmsg_unix                 cgroup_sock_addr       CGROUP_UNIX_RECVMSG
cgroup/getpeername4                 cgroup_sock_addr       CGROUP_INET4_GETPEERNAME
cgroup/getpeername6                 cgroup_sock_addr       CGROUP_INET6_GETPEERNAME
cgroup/getpeername_unix             cgroup_sock_addr       CGROUP_UNIX_GETPEERNAME
cgroup/getsockname4                 cgroup_sock_addr       CGROUP_INET4_GETSOCKNAME
cgroup/getsockname6                 cgroup_sock_addr       CGROUP_INET6_GETSOCKNAME
cgroup/getsockname_unix             cgroup_sock_addr       CGROUP_UNIX_GETSOCKNAME
cgroup/sysctl                       cgroup_sysctl          CGROUP_SYSCTL
cgroup/getsockopt                   cgroup_sockopt         CGROUP_GETSOCKOPT
cgroup/setsockopt                   cgroup_sockopt         CGROUP_SETSOCKOPT
cgroup/dev                          cgroup_device          CGROUP_DEVICE
struct_ops+                         struct_ops             -                       s struct-ops
sk_lookup                           sk_lookup              SK_LOOKUP
netfilter                           netfilter              NETFILTER
`;

/** Every definition by its name. */
export const SECTION_DEFINITIONS: ReadonlyMap<string, SectionDefinition> = new Map(
  TABLE.trim()
    .split('\n')
    .flatMap(definitionsOf)
    .map(definition => [definition.name, definition]),
);

function definitionsOf(line: string): SectionDefinition[] {
  const cells = line.split(/\s+/);
  const from = cells.findIndex((cell, i) => i > 0 && /^[a-z0-9_]+$/.test(cell) && /^(-|[A-Z0-9_]+)$/.test(cells[i + 1] ?? ''));
  const [type, attachType, ...marks] = cells.slice(from);
  const grammar = marks.find(mark => !['btf', 's', 'sleepable', 'frags'].includes(mark)) as TargetGrammar | undefined;
  return cells.slice(0, from).flatMap(cell => {
    const name = cell.replace('+', '');
    const definition: SectionDefinition = {
      name,
      takesTarget: cell.endsWith('+'),
      type: type!,
      ...(attachType === '-' ? {} : { attachType: attachType! }),
      sleepable: marks.includes('sleepable'),
      needsBtfTarget: marks.includes('btf'),
      fragments: marks.includes('frags'),
      ...(grammar === undefined ? {} : { grammar }),
    };
    return marks.includes('s') ? [definition, { ...definition, name: `${name}.s`, sleepable: true }] : [definition];
  });
}

/** What a section's name says about its programs. */
export interface SectionMeaning {
  /** The name without the `?` that keeps its programs from being loaded. */
  readonly name: string;
  /** False with a `?` in front. */
  readonly autoload: boolean;
  /** undefined for a name that libbpf has no definition for: it opens the object, and refuses to load the program. */
  readonly definition: SectionDefinition | undefined;
  /** What is after the definition's name and a '/'; undefined if nothing does. */
  readonly target: string | undefined;
}

/** Finds the definition by libbpf's rule (sec_def_matches): the exact name, or `name/…` where it takes a target. */
export function sectionMeaning(section: string): SectionMeaning {
  const autoload = !section.startsWith('?');
  const name = autoload ? section : section.slice(1);
  const exact = SECTION_DEFINITIONS.get(name);
  if (exact !== undefined) return { name, autoload, definition: exact, target: undefined };
  const slash = name.indexOf('/');
  const prefix = slash < 0 ? undefined : SECTION_DEFINITIONS.get(name.slice(0, slash));
  if (prefix?.takesTarget !== true) return { name, autoload, definition: undefined, target: undefined };
  return { name, autoload, definition: prefix, target: name.slice(slash + 1) };
}
