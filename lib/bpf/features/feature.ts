import type { Verdict } from '../../evidence.js';

/** Something that a kernel has or lacks. */
export interface Feature {
  /** As bpftool calls it: `kprobe`, `ringbuf`, `TRACE_FENTRY`, `bpf_map_lookup_elem`, `bpf_task_acquire`, `task_vma`, `file_open`. */
  readonly name: string;
  /** `refused` where the kernel does not have it, `open` where nothing that was given shows it. */
  readonly verdict: Verdict;
  /** What the .config has for the option that it depends on: `CONFIG_XDP_SOCKETS=y`, `CONFIG_BPF_LIRC_MODE2 is not set`. */
  readonly config?: string;
}

/**
 * A helper, with the kinds of program that may call it, of those that the kernel has: a program type where all of its programs fare alike, else a
 * type and an attach type (`kprobe:TRACE_KPROBE_MULTI`, `kprobe:none`); with `.s` where only those of the kind may that may sleep.
 */
export interface HelperFeature extends Feature {
  /** Number in `enum bpf_func_id`. */
  readonly id: number;
  readonly programs: readonly string[];
  /** … under the GPL only. */
  readonly gplOnly: readonly string[];
  /** … if the function or hook that they are loaded for is one that may. */
  readonly byTarget: readonly string[];
  /** Of these it is not known: releases that were asked differ, or none is near. */
  readonly unknown: readonly string[];
}

/** A function that programs call by its BTF id. */
export interface KfuncFeature extends Feature {
  readonly prototype: string;
  /** KF_… names; absent where the BTF alone tells of it. */
  readonly flags?: readonly string[];
  /** The sets of `.BTF_ids` that it stands in. */
  readonly sets: readonly string[];
  /**
   * The program types that its sets are registered for, `unspec` for all, and those that the release counts with them, as lsm with tracing; absent
   * where the image does not show it.
   */
  readonly programs?: readonly string[];
  /** True where a function of the kernel may refuse it to some of these programs (struct btf_kfunc_id_set). */
  readonly filtered?: boolean;
  /** The module that has it. */
  readonly module?: string;
}

/** A hook of security modules. */
export interface HookFeature extends Feature {
  /** Whether programs for it may sleep; absent where the image does not show it. */
  readonly sleepable?: boolean;
}

/** A tracepoint or an event: what may attach to it. Undefined where the image does not show it. */
export interface TracepointFeature extends Feature {
  readonly system?: string;
  readonly raw: boolean | undefined;
  readonly typed: boolean;
  readonly event: boolean | undefined;
}

/** The features of a kernel, in sections. */
export interface Features {
  readonly programTypes: readonly Feature[];
  readonly mapTypes: readonly Feature[];
  readonly attachTypes: readonly Feature[];
  /** Commands of bpf(2). */
  readonly commands: readonly Feature[];
  /** How programs are attached to functions, and what else is not of one kind. */
  readonly mechanisms: readonly Feature[];
  readonly helpers: readonly HelperFeature[];
  readonly kfuncs: readonly KfuncFeature[];
  readonly structOps: readonly Feature[];
  readonly iterators: readonly Feature[];
  readonly lsmHooks: readonly HookFeature[];
  readonly tracepoints: readonly TracepointFeature[];
}

export type FeatureSection = keyof Features;

/** A feature of any section. */
export type AnyFeature = Features[FeatureSection][number];

/** Where a feature is listed. */
export interface FeatureName {
  readonly section: FeatureSection;
  readonly name: string;
}
