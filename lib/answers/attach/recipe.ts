import type { FunctionRow } from '../../facts/function-row.js';
import type { ModuleInstance } from '../../facts/module-table/module-table.js';
import type { Clone } from '../../rules/clones.js';
import { bpfProgram } from './forms/bpf-c.js';
import { bpftraceLine } from './forms/bpftrace.js';
import { kprobeEventsLine } from './forms/kprobe-events.js';
import { libbpfLine } from './forms/libbpf.js';
import { perfLine } from './forms/perf.js';
import type { ProbeKind, RecipeFacts } from './recipe-facts.js';

/** The forms in which a recipe is written. */
export type AttachForm = 'kprobe_events' | 'perf' | 'bpftrace' | 'libbpf' | 'bpf-c';

export const ATTACH_FORMS: readonly AttachForm[] = ['kprobe_events', 'perf', 'bpftrace', 'libbpf', 'bpf-c'];

/** How to attach to one function, and to no other. */
export interface Recipe extends RecipeFacts {
  /** The function of the kernel, or of a module. */
  readonly function: FunctionRow | ModuleInstance;
  /** What the compiler's suffix says about it. */
  readonly clone?: Clone;
  /** Caveats, in sentences. */
  readonly notes: readonly string[];
  /** What can be done where a probe is refused, in sentences. */
  readonly instead: readonly string[];
  /**
   * Of a function of a module that trampolines attach to, through the BTF of that: the section of a BPF program, and a line for bpftrace.
   */
  readonly fentry?: readonly string[];
}

/**
 * What attaches by a recipe, in one form: a line, or for `bpf-c` a whole program.
 * @returns undefined if the kernel refuses the probe: `entry` and `return` say why, `instead` what to do
 */
export function recipeLine(facts: RecipeFacts, form: AttachForm, kind: ProbeKind = 'entry'): string | undefined {
  if (facts[kind].outcome !== 'accepted') return undefined;
  switch (form) {
    case 'kprobe_events':
      return kprobeEventsLine(facts, kind);
    case 'perf':
      return perfLine(facts, kind);
    case 'bpftrace':
      return bpftraceLine(facts, kind);
    case 'libbpf':
      return libbpfLine(facts, kind);
    case 'bpf-c':
      return bpfProgram([facts], [kind]);
  }
}
