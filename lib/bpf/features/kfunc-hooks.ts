import { atLeast } from '../../releases.js';

/**
 * Program types that the kernel counts as one when it looks for kfuncs (bpf_prog_type_to_kfunc_hook() of kernel/bpf/btf.c), each with the first
 * release of those that were asked which does (test/boot/helpers.c: 6.1, 6.12, 6.18 and 7.3). What it is before that is not known here.
 */
const HOOKS: readonly Readonly<Record<string, readonly [major: number, minor: number]>>[] = [
  { tracing: [6, 1], lsm: [6, 1], tracepoint: [6, 12], perf_event: [6, 12], raw_tracepoint: [7, 3] },
  {
    cgroup_skb: [6, 12],
    cgroup_sock: [6, 12],
    cgroup_device: [6, 12],
    cgroup_sock_addr: [6, 12],
    cgroup_sysctl: [6, 12],
    cgroup_sockopt: [6, 12],
    sock_ops: [6, 18],
  },
  { lwt_in: [6, 12], lwt_out: [6, 12], lwt_xmit: [6, 12], lwt_seg6local: [6, 12] },
];

/** The types that a set is registered for, and those that the release counts with them. */
export function countedWith(types: readonly string[], release: string | undefined): string[] {
  const mates = HOOKS.filter(hook => types.some(type => type in hook)).flatMap(hook =>
    Object.entries(hook).flatMap(([type, since]) => (atLeast(release, since) === true ? [type] : [])),
  );
  return [...new Set([...types, ...mates])];
}
