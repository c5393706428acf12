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
  /** Stable releases that have it besides. For the reader: hasChange() goes by `shownBy`, then by `since`. */
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
  /** BPF trampolines of x86-64 pass 12 argument registers; 6 before. */
  x86Slots12: { since: [6, 6], commit: '473e3150e30a', shownBy: ['get_nr_used_regs'] },
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
  /** `proven` by a function of the image, `likely` by the release alone, since distributions carry changes back; `open` where nothing tells. */
  readonly certainty: Certainty;
  /** The function that shows it; absent where the release alone tells. */
  readonly shownBy?: string;
}

/**
 * Whether a kernel has a change: one of the functions shows it, or else its release.
 * @param release `6.1.0-56-cloud-amd64`; undefined if it is unknown
 * @param hasFunction whether the kernel's symbols have a function
 */
export function hasChange(name: ChangeName, release: () => string | undefined, hasFunction: (name: string) => boolean): HasChange {
  const { since, shownBy }: Change = CHANGES[name];
  const shown = shownBy?.find(hasFunction);
  if (shown !== undefined) return { has: true, certainty: 'proven', shownBy: shown };
  const has = atLeast(release(), since);
  return { has, certainty: has === undefined ? 'open' : 'likely' };
}

/** Whether a release is MAJOR.MINOR or later; undefined if it is unknown. */
export function atLeast(release: string | undefined, [major, minor]: readonly [number, number]): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '');
  return match === null ? undefined : Number(match[1]) > major || (Number(match[1]) === major && Number(match[2]) >= minor);
}
