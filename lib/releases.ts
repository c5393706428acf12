import type { Certainty } from './evidence.js';

/**
 * Every change of the kernel that an answer depends on, in one place: since when, by which commit, and how an image itself shows it. What
 * the image shows is believed before the release, for distributions carry changes back.
 */
export interface Change {
  /** The release that has it first. */
  readonly since: readonly [major: number, minor: number];
  readonly commit?: string;
  /** Functions that kernels with it have, one of them at least, unless they were inlined. */
  readonly shownBy?: readonly string[];
  /** What a struct or an enum of the kernel's own BTF holds since then: a member, or an enumerator. Without it, the kernel lacks the change. */
  readonly inBtf?: { readonly type: string; readonly holds: string };
  /** Stable releases that have it besides, and those after them of the same series. */
  readonly stable?: readonly string[];
}

export const CHANGES = {
  /** within_notrace_func(): kprobes on functions without an ftrace site are refused. */
  refusesNotrace: { since: [4, 19], commit: '45408c4f9250', shownBy: ['within_notrace_func', '__within_notrace_func'] },
  /** pahole makes the BTF of modules, which 1.19 is the first to do. */
  moduleBtf: { since: [5, 11], commit: '5f9ae91f7c0d' },
  /**
   * The kernel asks pahole for the functions that the compiler optimized (--btf_gen_optimized): in 6.5, and in 6.1.74 as c24fc060ab7f. Here
   * it counts from 6.1: of an older series alone is it certain that it does not.
   */
  optimizedBtf: { since: [6, 1], commit: '7b99f75942da', stable: ['6.1.74'] },
  /** An fentry program for a function of a module goes to that, not to one of the same name in the kernel. */
  moduleFunctionFirst: { since: [6, 3], commit: '31bf1dbccfb0' },
  /** A kprobe by a name of several symbols is refused. */
  countsNames: {
    since: [6, 6],
    commit: 'b022f0c7e404',
    shownBy: ['count_symbols', 'count_mod_symbols', 'number_of_same_symbols'],
    stable: ['6.1.60', '5.15.137'],
  },
  /** The verifier takes functions of 12 arguments; of 11 before. */
  twelveArguments: { since: [5, 18], commit: 'c29a4920dfca' },
  /** btf_id_deny: functions that no tracing program may be loaded for. */
  deniesFunctions: { since: [5, 13], commit: '35e3815fa810', shownBy: ['btf_id_deny'] },
  /** kallsyms covers _etext, _einittext and _end no longer: is_ksym_addr(). */
  kallsymsExcludesEnds: { since: [5, 16], commit: 'e7d5c4b0eb9b' },
  /** Kernels with LTO cut `.llvm.HASH` off a name before they compare it, */
  cutsLtoSuffix: { since: [5, 12], commit: '8b8e6b5d3b01' },
  /** … with which they compare the name that is asked for, and not with the whole ones: compare_symbol_name(), */
  comparesCutNames: { since: [6, 2], commit: '60443c88f3a8', shownBy: ['compare_symbol_name'] },
  /** … until they compare names as they are. */
  comparesLtoNames: { since: [6, 11], commit: 'fb6a421fb615' },
  /** kprobes of x86 emulate jumps and calls, and refuse those that they can't. */
  emulatesBranches: { since: [5, 13], commit: '6256e668b7af', shownBy: ['kprobe_emulate_call', 'kprobe_emulate_ret'] },
  /** kprobes of x86 are refused on INT and UD: is_exception_insn(). can_probe() of 6.12.117 has it, of 6.1.0-56 not. */
  refusesTraps: { since: [6, 9], commit: 'e884edbb844f' },
  /** … and on the instructions of a kCFI check. 6.12 has it, 6.1 not. */
  refusesCfiChecks: { since: [6, 6], commit: 'b65413768abd' },
  /** BPF_TRACE_KPROBE_MULTI is an attach type. */
  kprobeMulti: { since: [5, 18], commit: '0dcac2725406', inBtf: { type: 'bpf_attach_type', holds: 'BPF_TRACE_KPROBE_MULTI' } },
  /** Trampolines pass structs of at most 16 bytes by value: the model of a function has flags for each argument. */
  structArguments: { since: [6, 1], commit: '720e6a435194', inBtf: { type: 'btf_func_model', holds: 'arg_flags' } },
  /** … and unions. */
  unionArguments: { since: [6, 18], commit: 'ccb4f5d91ec4' },
  /** fexit and fmod_ret refuse a result of more than 8 bytes: in 7.3 and in 6.12.117. By which commit is not known here. */
  shortResults: { since: [7, 3], stable: ['6.12.117'] },
  /** Without CONFIG_FUNCTION_ERROR_INJECTION, programs may change what a system call returns: has_arch_syscall_prefix(). */
  modifiesSyscalls: { since: [7, 1], commit: '20c2e102a2f3', shownBy: ['has_arch_syscall_prefix'] },

  // Which architectures have BPF trampolines, and what these pass: arch_prepare_bpf_trampoline() of arch/*/net. A kernel that ftrace calls
  // them from directly has them.
  x86Trampolines: { since: [5, 5], commit: 'fec56f5890d9', shownBy: ['register_ftrace_direct', 'register_ftrace_direct_multi'] },
  x86Registers12: { since: [6, 6], commit: '473e3150e30a', shownBy: ['get_nr_used_regs'] },
  arm64Trampolines: { since: [6, 0], commit: 'efc9909fdce0', shownBy: ['register_ftrace_direct', 'register_ftrace_direct_multi'] },
  arm64Structs: { since: [6, 5], commit: '90564f1e3dd6' },
  arm64Arguments12: { since: [6, 16], commit: '9014cf56f13d', shownBy: ['calc_arg_aux', 'calc_arg_aux.isra.0'] },
  arm64StackStructs: { since: [6, 17], commit: 'dc704d0cfa43' },
  s390Trampolines: {
    since: [6, 3],
    commit: '528eb2cb87bc',
    shownBy: ['__arch_prepare_bpf_trampoline', 'invoke_bpf_prog', 'invoke_bpf_prog.isra.0'],
  },
  riscvTrampolines: { since: [6, 3], commit: '49b5e77ae3e2', shownBy: ['register_ftrace_direct', 'register_ftrace_direct_multi'] },
  riscvArguments12: { since: [6, 11], commit: '6801b0aef79d' },
  powerpcTrampolines: { since: [6, 13], commit: 'd243b62b7bd3', shownBy: ['register_ftrace_direct', 'register_ftrace_direct_multi'] },
  loongarchTrampolines: {
    since: [6, 17],
    commit: 'f9b6b41f0cf3',
    shownBy: ['__arch_prepare_bpf_trampoline', 'invoke_bpf_prog', 'invoke_bpf_prog.isra.0'],
  },
  /** And structs. Posted in August 2025; 7.3 has it. By which commit is not known here. */
  loongarchArguments12: { since: [6, 18] },
  /** The verifier takes the type id of a function in an ld_imm64 (bpf_ksym_exists() of a kfunc). */
  functionTypeIds: { since: [6, 4], commit: '58aa2afbb1e6' },
  /** Symbols of loaded modules are counted too. */
  countsModules: { since: [6, 7], commit: '926fe783c8a6', shownBy: ['count_mod_symbols'], stable: ['6.1.71'] },
  /** kprobe_events answers EINVAL where perf and BPF tell more. */
  strictEvents: { since: [6, 12], commit: '9d8616034f16', shownBy: ['validate_probe_symbol'] },
  /** A name that the kernel itself has is not looked for in modules. */
  kernelNameFirst: { since: [7, 1], commit: '1870ddcd94b0' },
  /** ftrace of riscv patches the instruction after the word of its table: so in Debian's 7.2, and not in 6.12. By which commit is not known here. */
  riscvPatchesSecond: { since: [7, 2] },
} as const;

/** A change that some answer asks for. */
export type ChangeName = keyof typeof CHANGES;

/** Whether a kernel has a change, and how that is known. */
export interface HasChange {
  /** Undefined if nothing tells. */
  readonly has: boolean | undefined;
  /** `proven` by the image, `likely` by the release alone, since distributions carry changes back; `open` where nothing tells. */
  readonly certainty: Certainty;
  /** What of the image shows it: `get_nr_used_regs`, `btf_func_model.arg_flags`; absent where the release alone tells. */
  readonly shownBy?: string;
}

/** What of a kernel shows its changes. */
export interface Shown {
  /** `6.1.0-56-cloud-amd64`; undefined if it is unknown. */
  readonly release: string | undefined;
  /** Whether its symbols have a function; undefined without symbols. */
  hasFunction(name: string): boolean | undefined;
  /** Whether a struct or an enum of its BTF holds a name; undefined without that type. */
  typeHolds(type: string, name: string): boolean | undefined;
}

/** Whether a kernel has a change: its BTF or a function shows it, or else its release. */
export function hasChange(name: ChangeName, kernel: Shown): HasChange {
  const { since, shownBy, inBtf, stable = [] }: Change = CHANGES[name];
  const held = inBtf === undefined ? undefined : kernel.typeHolds(inBtf.type, inBtf.holds);
  if (held !== undefined) return { has: held, certainty: 'proven', shownBy: `${inBtf!.type}.${inBtf!.holds}` };
  const shown = shownBy?.find(fn => kernel.hasFunction(fn));
  if (shown !== undefined) return { has: true, certainty: 'proven', shownBy: shown };
  const has = atLeast(kernel.release, since) === false && inStable(kernel.release, stable) ? true : atLeast(kernel.release, since);
  return { has, certainty: has === undefined ? 'open' : 'likely' };
}

/** A change as evidence names it: `since 6.1 (720e6a435194)`. */
export function sinceOf(name: ChangeName): string {
  const { since, commit }: Change = CHANGES[name];
  return `since ${since.join('.')}${commit === undefined ? '' : ` (${commit})`}`;
}

/** Whether a release is one of a stable series, at one of these or later: `6.12.120` is for `6.12.117`. */
function inStable(release: string | undefined, stable: readonly string[]): boolean {
  const [, series, patch] = /^(\d+\.\d+)\.(\d+)/.exec(release ?? '') ?? [];
  return stable.some(first => {
    const dot = first.lastIndexOf('.');
    return first.slice(0, dot) === series && Number(patch) >= Number(first.slice(dot + 1));
  });
}

/** Whether a release is MAJOR.MINOR or later; undefined if it is unknown. */
export function atLeast(release: string | undefined, [major, minor]: readonly [number, number]): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '');
  return match === null ? undefined : Number(match[1]) > major || (Number(match[1]) === major && Number(match[2]) >= minor);
}

/** The release in a banner: `6.1.0-56-cloud-amd64` of `Linux version 6.1.0-56-cloud-amd64 …`. */
export function releaseOf(banner: string | undefined): string | undefined {
  return banner?.split(' ')[2];
}
