import { accepted, type Evidence, refused, said, untold, type Verdict } from '../../evidence.js';
import { idSet } from '../../facts/id-sets.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { CALL, INSN_BYTES, OPCODE } from '../code/insn.js';
import type { CoreReport } from '../load/relocate-core.js';
import type { Built } from '../names/built.js';
import type { SectionDefinition, SectionMeaning } from '../names/section-names.js';
import { helperName } from '../names/uapi.js';
import type { BpfObject } from '../object/object.js';
import type { BpfProgram } from '../object/programs.js';
import { type KernelFeatures, probably } from './features.js';
import { type HelperRule, helperRule } from './helper-sets.js';

/** license_is_gpl_compatible() of include/linux/license.h */
const GPL = ['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'];

/** Whether the kernel takes an object's license for the GPL: libbpf hands over an empty one where there is none. */
export function isGpl(license: string | undefined): boolean {
  return GPL.includes(license ?? '');
}

/** `the license is "MIT"`. */
export function licenseSays(license: string | undefined): string {
  return license === undefined || license === '' ? 'the object names no license' : `the license is "${license}"`;
}

/**
 * Helpers that configurations leave out: the option, and the functions of which a kernel that has them has one (#ifdef CONFIG_… in the
 * *_func_proto() functions). ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE decides about the first two, since 5.5 (0ebeea8ca8a4).
 */
const TABLE = `
4    ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE  bpf_probe_read_compat bpf_probe_read
45   ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE  bpf_probe_read_compat_str bpf_probe_read_str
6    BPF_EVENTS           bpf_trace_printk
17   CGROUP_NET_CLASSID   bpf_get_cgroup_classid bpf_get_cgroup_classid_curr
37   CGROUPS              bpf_current_task_under_cgroup
58   BPF_KPROBE_OVERRIDE  bpf_override_return
66   XFRM                 bpf_skb_get_xfrm_state
74   IPV6_SEG6_BPF        bpf_lwt_seg6_store_bytes
75   IPV6_SEG6_BPF        bpf_lwt_seg6_adjust_srh
76   IPV6_SEG6_BPF        bpf_lwt_seg6_action
79   SOCK_CGROUP_DATA     bpf_skb_cgroup_id
80   CGROUPS              bpf_get_current_cgroup_id
83   SOCK_CGROUP_DATA     bpf_skb_ancestor_cgroup_id
112  BPF_EVENTS           bpf_probe_read_user
113  BPF_EVENTS           bpf_probe_read_kernel
114  BPF_EVENTS           bpf_probe_read_user_str
115  BPF_EVENTS           bpf_probe_read_kernel_str
123  CGROUPS              bpf_get_current_ancestor_cgroup_id
128  SOCK_CGROUP_DATA     bpf_sk_cgroup_id
129  SOCK_CGROUP_DATA     bpf_sk_ancestor_cgroup_id
149  BPF_EVENTS           bpf_snprintf_btf
151  CGROUP_NET_CLASSID   bpf_skb_cgroup_classid
158  BPF_EVENTS           bpf_get_current_task_btf
175  BPF_EVENTS           bpf_task_pt_regs
177  BPF_EVENTS           bpf_trace_vprintk
204  SYN_COOKIES          bpf_tcp_raw_gen_syncookie_ipv4
205  SYN_COOKIES          bpf_tcp_raw_gen_syncookie_ipv6
206  SYN_COOKIES          bpf_tcp_raw_check_syncookie_ipv4
207  SYN_COOKIES          bpf_tcp_raw_check_syncookie_ipv6
210  CGROUPS              bpf_cgrp_storage_get
211  CGROUPS              bpf_cgrp_storage_delete
`;

const BUILT: ReadonlyMap<number, Built> = new Map(
  TABLE.trim()
    .split('\n')
    .map(line => {
      const [id, option, ...functions] = line.split(/\s+/);
      return [Number(id), { option: `CONFIG_${option}`, functions }];
    }),
);

/** Helpers that libbpf replaces by older ones where the kernel lacks them: bpf_object__sanitize_prog. */
const REPLACED: Readonly<Record<number, number>> = { 112: 4, 113: 4, 114: 45, 115: 45 };

/** override_return, which helper-sets.ts does not have: kprobe_prog_func_proto() does, where it is built. */
export const OVERRIDE_RETURN = 58;
const D_PATH = 147;

/** What the loader makes of a program. */
export interface LoadedAs {
  readonly meaning: SectionMeaning;
  readonly license: string | undefined;
}

/** Whether programs may call the helpers that they call. */
export class HelperChecks {
  readonly #kernel: KernelFacts;
  readonly #features: KernelFeatures;

  constructor(kernel: KernelFacts, features: KernelFeatures) {
    this.#kernel = kernel;
    this.#features = features;
  }

  /** For each helper that a program can reach, by number, what the kernel says of it. */
  verdicts(
    object: BpfObject,
    program: BpfProgram,
    as: LoadedAs,
    core: CoreReport | undefined,
  ): { readonly id: number; readonly verdict: Verdict }[] {
    const withData = helpersOf(object, program, core, true);
    return [...helpersOf(object, program, core, false)]
      .sort(([a], [b]) => a - b)
      .map(([id, fn]) => {
        const verdict = this.verdict(id, as);
        if (verdict.outcome === 'accepted' || withData.has(id)) return { id, verdict };
        const says = `${verdict.because[0]!.says}; ${fn} calls it only if read-only data has other values`;
        return { id, verdict: accepted('likely', said(verdict.because[0]!.source, says), 'core-guarded') };
      });
  }

  /** Whether a program that is loaded so may call a helper, or the one that libbpf calls instead. */
  verdict(id: number, { meaning, license }: LoadedAs): Verdict {
    const { definition } = meaning;
    const known = probably(this.#asLoaded(id));
    if (known.outcome !== 'accepted' || definition === undefined) return known;
    return this.#ofType(id, definition, meaning.target, license) ?? known;
  }

  /** Whether the kernel has a helper for programs of any kind. Open where nothing shows whether it was built. */
  exists(id: number): Verdict {
    const known = this.#features.helper(id);
    const part = BUILT.get(id);
    return known.outcome !== 'accepted' || part === undefined
      ? known
      : this.#features.whereBuilt(part, 'helper-not-built', 'the helper', known.because);
  }

  /** Which programs of a section may call a helper that the kernel has. */
  rule(id: number, definition: SectionDefinition): HelperRule {
    const rule = helperRule(definition, id, this.#kernel.release);
    return id === OVERRIDE_RETURN && definition.type === 'kprobe' ? { ...rule, answer: 'yes', gplOnly: true } : rule;
  }

  #asLoaded(id: number): Verdict {
    const known = this.exists(id);
    const older = known.code === 'unknown-helper' ? REPLACED[id] : undefined;
    if (older === undefined || this.exists(older).outcome === 'refused') return known;
    const [{ source, says }] = known.because as readonly [Evidence];
    return accepted('proven', said(source, `${says}; libbpf calls ${helperName(older)} instead`));
  }

  /** By the program's type; undefined where nothing is against it. */
  #ofType(id: number, definition: SectionDefinition, target: string | undefined, license: string | undefined): Verdict | undefined {
    const { answer, gplOnly: isGplOnly, releases } = this.rule(id, definition);
    const kind = definition.attachType === undefined ? definition.type : `${definition.type} programs of BPF_${definition.attachType}`;
    switch (answer) {
      case 'no':
        return refused(
          'helper-not-for-type',
          'EINVAL',
          said('kernel', `the verifier of ${releases} does not let ${kind} call it`),
          'likely',
        );
      case 'sleeps':
        return refused(
          'helper-not-for-type',
          'EINVAL',
          said('kernel', `it may sleep, and the section ${definition.name} is not for programs that may`),
          'likely',
        );
      case 'unknown': {
        const says =
          releases === ''
            ? `which helpers ${kind} may call is not known`
            : `${kind} may call it or not: of ${releases}, the releases that were asked, none tells`;
        return untold('helper-not-for-type', said('kernel', says));
      }
      case 'target':
        return this.#ofTarget(id, definition, target);
      case 'yes':
        return isGplOnly && !isGpl(license) ? gplOnly(license) : undefined;
    }
  }

  /** What `allowed` of the helper decides by the function that the program attaches to; undefined where nothing is against it. */
  #ofTarget(id: number, { attachType }: SectionDefinition, target: string | undefined): Verdict | undefined {
    const { btf } = this.#kernel;
    // bpf_d_path_allowed() of kernel/trace/bpf_trace.c
    const label =
      id !== D_PATH
        ? undefined
        : attachType === 'LSM_MAC'
          ? 'sleepable_lsm_hooks'
          : attachType?.startsWith('TRACE_F')
            ? 'btf_allowlist_d_path'
            : undefined;
    const set = label === undefined ? undefined : idSet(this.#kernel, label);
    const fn = attachType === 'LSM_MAC' ? `bpf_lsm_${target}` : target;
    const [function_] = btf === undefined || fn === undefined ? [] : btf.find(fn, 'FUNC');
    if (set === undefined || set.size === 0 || function_ === undefined) {
      const says =
        'the function that the program attaches to decides, and which functions may is not found in this file: the debug vmlinux might show it';
      return untold('helper-not-for-type', said('kernel', says));
    }
    if (set.has(function_)) return undefined;
    return refused('helper-not-for-type', 'EINVAL', said('.BTF_ids', `${label} does not have ${fn}`));
  }
}

function gplOnly(license: string | undefined): Verdict {
  return refused('gpl-only', 'EINVAL', said('license', `${licenseSays(license)}, and the helper is for the GPL only`));
}

/** The helpers that a program can reach, by number, each with a function that calls it. @param data whether read-only data has the values of the file */
function helpersOf(object: BpfObject, program: BpfProgram, core: CoreReport | undefined, data: boolean): Map<number, string> {
  const found = new Map<number, string>();
  const functions = core?.reached(program, data);
  for (const fn of functions?.keys() ?? [program, ...object.subprogramsOf(program)]) {
    const code = core?.code.get(fn.sectionIndex) ?? object.instructions(fn.sectionIndex);
    const first = fn.offset / INSN_BYTES;
    const extern = new Set(object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size).map(({ offset }) => offset / INSN_BYTES));
    for (let slot = first; slot < first + fn.instructionCount; slot += code.isWide(slot) ? 2 : 1) {
      if (code.code[slot] !== OPCODE.CALL || code.src[slot] !== CALL.HELPER || extern.has(slot)) continue;
      if (functions?.get(fn)?.has(slot) === false || isPoison(code.imm[slot]!)) continue;
      found.set(code.imm[slot]!, fn.name);
    }
  }
  return found;
}

/** Instructions that libbpf put in the place of what can't be relocated: 0xbad2310 and its like are no helpers. */
function isPoison(imm: number): boolean {
  return imm >= 0x0b_ad00_00 && imm <= 0x0b_ad_ff_ff;
}
