import type { CallingConvention } from '../../arch/calling-convention.js';
import type { Verdict } from '../../evidence.js';
import type { FunctionRow } from '../../facts/function-row.js';
import type { ModuleInstance } from '../../facts/module-table/module-table.js';
import type { Clone } from '../../rules/clones.js';
import { bpfProgram } from './forms/bpf-c.js';
import { bpftraceLine } from './forms/bpftrace.js';
import { kprobeEventsLine } from './forms/kprobe-events.js';
import { libbpfLine } from './forms/libbpf.js';
import { perfLine } from './forms/perf.js';
import type { ProbePlace } from './place.js';
import type { ProbeKind, RecipeFacts } from './recipe-facts.js';
import type { Signature } from './signature.js';

/** The forms in which a recipe is written. */
export type AttachForm = 'kprobe_events' | 'perf' | 'bpftrace' | 'libbpf' | 'bpf-c';

export const ATTACH_FORMS: readonly AttachForm[] = ['kprobe_events', 'perf', 'bpftrace', 'libbpf', 'bpf-c'];

/** How to attach to one function, and to no other. */
export class Recipe implements RecipeFacts {
  readonly name: string;
  readonly event: string;
  /** The function of the kernel, or of a module. */
  readonly function: FunctionRow | ModuleInstance;
  readonly place: ProbePlace;
  /** What the kernel says to a probe there. */
  readonly entry: Verdict;
  /** The same of a return probe; `not-called` where the kernel accepts one that would do harm. */
  readonly return: Verdict;
  /** What the compiler's suffix says about it. */
  readonly clone?: Clone;
  /** The calling convention; absent for architectures without a table. */
  declare readonly abi?: CallingConvention;
  /** Absent if nothing tells the prototype. */
  readonly signature?: Signature;
  /** Caveats, in sentences. */
  readonly notes: readonly string[];
  /** What can be done where a probe is refused, in sentences. */
  readonly instead: readonly string[];
  /**
   * Of a function of a module that trampolines attach to, through the BTF of that: the section of a BPF program, and a line for bpftrace.
   */
  readonly fentry?: readonly string[];

  constructor(
    facts: Omit<RecipeFacts, 'abi' | 'signature'> & {
      readonly function: FunctionRow | ModuleInstance;
      readonly clone?: Clone | undefined;
      readonly abi?: CallingConvention | undefined;
      readonly signature?: Signature | undefined;
      readonly notes: readonly string[];
      readonly instead: readonly string[];
      readonly fentry?: readonly string[] | undefined;
    },
  ) {
    this.name = facts.name;
    this.event = facts.event;
    this.function = facts.function;
    this.place = facts.place;
    this.entry = facts.entry;
    this.return = facts.return;
    if (facts.clone !== undefined) this.clone = facts.clone;
    if (facts.signature !== undefined) this.signature = facts.signature;
    this.notes = facts.notes;
    this.instead = facts.instead;
    if (facts.fentry !== undefined) this.fentry = facts.fentry;
    // Not a part of the answer: the same for all functions.
    if (facts.abi !== undefined) Object.defineProperty(this, 'abi', { value: facts.abi, enumerable: false });
  }

  /**
   * The recipe in one form: a line, or for `bpf-c` a whole program.
   * @returns undefined if the kernel refuses the probe: `entry` and `return` say why, `instead` what to do
   */
  attach(form: AttachForm, kind: ProbeKind = 'entry'): string | undefined {
    if (this[kind].outcome !== 'accepted') return undefined;
    switch (form) {
      case 'kprobe_events':
        return kprobeEventsLine(this, kind);
      case 'perf':
        return perfLine(this, kind);
      case 'bpftrace':
        return bpftraceLine(this, kind);
      case 'libbpf':
        return libbpfLine(this, kind);
      case 'bpf-c':
        return bpfProgram([this], [kind]);
    }
  }
}
