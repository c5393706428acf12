import type { Certainty, Evidence } from '../../evidence.js';
import type { Definition } from '../../facts/definitions.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ReasonCode } from '../../reasons.js';
import type { Era } from './eras.js';
import type { DwarfFacts } from './facts.js';

/** A reason and what it rests on. */
export interface Reason {
  readonly code: ReasonCode;
  readonly certainty: Certainty;
  readonly because: readonly Evidence[];
}

/** What the image says about a name, gathered once for all rules. */
export interface Subject {
  readonly kernel: KernelFacts;
  readonly name: string;
  /** Where the symbols come from: `.symtab` or `kallsyms`. */
  readonly source: string;
  /** Text symbols of exactly that name. */
  readonly symbols: readonly Definition[];
  /** Function symbols that are the name and a suffix: `name.isra.0`. */
  readonly clones: readonly Definition[];
  /** What the debug information says, where the image has it and it is to be read. */
  readonly dwarf: DwarfFacts | undefined;
  /** The exact release of pahole, where it is known. */
  readonly version: number | undefined;
}

/** The release whose rules the reasons under each era are named by. */
export type Rule = (subject: Subject, era: Era) => Reason | undefined;
