import { accepted, refused, said, untold, type Verdict } from '../../evidence.js';
import { idSet } from '../../facts/id-sets.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { CALL, INSN_BYTES, OPCODE } from '../code/insn.js';
import type { CoreReport } from '../load/relocate-core.js';
import type { SectionDefinition, SectionMeaning } from '../names/section-names.js';
import type { BpfObject } from '../object/object.js';
import type { BpfProgram } from '../object/programs.js';
import type { KernelFeatures } from './features.js';
import { helperRule } from './helper-sets.js';

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
 * Helpers that configurations leave out, and the functions of which a kernel that has them has one: #ifdef CONFIG_… in the *_func_proto()
 * functions. ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE decides about the first two, since 5.5 (0ebeea8ca8a4).
 */
const BUILT: Readonly<Record<number, readonly string[]>> = {
  4: ['bpf_probe_read_compat', 'bpf_probe_read'],
  45: ['bpf_probe_read_compat_str', 'bpf_probe_read_str'],
  17: ['bpf_get_cgroup_classid', 'bpf_get_cgroup_classid_curr'],
  37: ['bpf_current_task_under_cgroup'],
  58: ['bpf_override_return'],
  66: ['bpf_skb_get_xfrm_state'],
  74: ['bpf_lwt_seg6_store_bytes'],
  75: ['bpf_lwt_seg6_adjust_srh'],
  76: ['bpf_lwt_seg6_action'],
  79: ['bpf_skb_cgroup_id'],
  80: ['bpf_get_current_cgroup_id'],
  83: ['bpf_skb_ancestor_cgroup_id'],
  123: ['bpf_get_current_ancestor_cgroup_id'],
  128: ['bpf_sk_cgroup_id'],
  129: ['bpf_sk_ancestor_cgroup_id'],
  151: ['bpf_skb_cgroup_classid'],
  204: ['bpf_tcp_raw_gen_syncookie_ipv4'],
  205: ['bpf_tcp_raw_gen_syncookie_ipv6'],
  206: ['bpf_tcp_raw_check_syncookie_ipv4'],
  207: ['bpf_tcp_raw_check_syncookie_ipv6'],
  210: ['bpf_cgrp_storage_get'],
  211: ['bpf_cgrp_storage_delete'],
};

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
        const verdict = this.#verdict(id, as);
        if (verdict.outcome === 'accepted' || withData.has(id)) return { id, verdict };
        const says = `${verdict.because[0]!.says}; ${fn} calls it only if read-only data has other values`;
        return { id, verdict: accepted('likely', said(verdict.because[0]!.source, says), 'core-guarded') };
      });
  }

  #verdict(id: number, { meaning, license }: LoadedAs): Verdict {
    const { definition } = meaning;
    const known = this.#features.helper(id);
    if (known.outcome !== 'accepted' || definition === undefined) return known;
    const missing = BUILT[id]?.every(name => this.#kernel.hasFunction(name) === false) === true ? BUILT[id]![0]! : undefined;
    if (missing !== undefined) return refused('helper-not-built', 'EINVAL', said('kallsyms', `no ${missing}: the helper was not compiled`));
    if (id === OVERRIDE_RETURN && definition.type === 'kprobe') return isGpl(license) ? known : gplOnly(license);
    return this.#ofType(id, definition, meaning.target, license) ?? known;
  }

  /** By the program's type; undefined where nothing is against it. */
  #ofType(id: number, definition: SectionDefinition, target: string | undefined, license: string | undefined): Verdict | undefined {
    const { answer, gplOnly: isGplOnly, releases } = helperRule(definition, id, this.#kernel.release);
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
