import type { Errno, Verdict } from '../../evidence.js';
import type { Built } from '../names/built.js';
import { SECTION_DEFINITIONS } from '../names/section-names.js';
import type { KernelFeatures } from '../preflight/features.js';

/**
 * Attach types that depend on more than the type of their programs: the option, what bpf(2) answers without it, and functions of which kernels
 * with it have one (bpf_kprobe_multi_link_attach(), bpf_uprobe_multi_link_attach(), include/net/tcx.h, include/net/netkit.h,
 * include/linux/bpf_lsm.h).
 */
const TABLE = `
TRACE_KPROBE_MULTI    FPROBE       EOPNOTSUPP  register_fprobe_ips register_fprobe
TRACE_KPROBE_SESSION  FPROBE       EOPNOTSUPP  register_fprobe_ips register_fprobe
TRACE_UPROBE_MULTI    UPROBES      EOPNOTSUPP  uprobe_register uprobe_register_refctr
TRACE_UPROBE_SESSION  UPROBES      EOPNOTSUPP  uprobe_register uprobe_register_refctr
TCX_INGRESS           NET_XGRESS   EINVAL      tcx_prog_attach tcx_link_attach
TCX_EGRESS            NET_XGRESS   EINVAL      tcx_prog_attach tcx_link_attach
NETKIT_PRIMARY        NETKIT       EINVAL      netkit_prog_attach netkit_link_attach
NETKIT_PEER           NETKIT       EINVAL      netkit_prog_attach netkit_link_attach
LSM_CGROUP            CGROUP_BPF   EOPNOTSUPP  bpf_trampoline_link_cgroup_shim
PERF_EVENT            PERF_EVENTS  EOPNOTSUPP  perf_event_set_bpf_prog
`;

const OWN: ReadonlyMap<string, { readonly part: Built; readonly errno: Errno }> = new Map(
  TABLE.trim()
    .split('\n')
    .map(line => {
      const [name, option, errno, ...functions] = line.split(/\s+/);
      return [name!, { part: { option: `CONFIG_${option}`, functions }, errno: errno as Errno }];
    }),
);

/** Attach types of programs that are attached to functions of the kernel, of which no section of libbpf's has each. */
const OF_TRACING = /^TRACE_F(ENTRY|EXIT|SESSION)/;

/** The types of the programs that are attached so. */
function programTypesOf(attachType: string): ReadonlySet<string> {
  const found = [...SECTION_DEFINITIONS.values()].filter(each => each.attachType === attachType).map(({ type }) => type);
  return new Set(found.length === 0 && OF_TRACING.test(attachType) ? ['tracing'] : found);
}

/** Whether a kernel has an attach type, and was built with what it is for. */
export function attachTypeVerdict(features: KernelFeatures, attachType: string): Verdict {
  const known = features.knowsAttachType(attachType);
  if (known.outcome !== 'accepted') return known;
  const types = [...programTypesOf(attachType)].map(type => features.programType(type));
  const refusal = types.find(({ outcome }) => outcome === 'refused');
  if (refusal !== undefined && types.every(({ outcome }) => outcome === 'refused')) return refusal;
  const own = OWN.get(attachType);
  if (own !== undefined) return features.whereBuilt(own.part, 'no-such-feature', `attach type ${attachType}`, known.because, own.errno);
  const open = types.find(({ outcome }) => outcome === 'open');
  return open !== undefined && types.every(({ outcome }) => outcome !== 'accepted') ? open : known;
}

/** The option that it depends on. */
export function attachTypeOption(attachType: string): string | undefined {
  return OWN.get(attachType)?.part.option;
}
