import type { TrampolineEra } from '../arch/architecture.js';
import { accepted, type Certainty, type Errno, type Evidence, refused, type Verdict } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { ReasonCode } from '../reasons.js';
import { CHANGES, type HasChange, sinceOf } from '../releases.js';
import type { PrototypeCheck } from './trampoline-prototype.js';

/** Why a kernel's trampolines do not pass a prototype that its verifier takes. */
export interface Limit {
  readonly code: Extract<ReasonCode, 'no-trampoline' | 'too-many-arguments' | 'unsupported-argument'>;
  readonly errno: Errno;
  readonly certainty: Certainty;
  readonly evidence: Evidence;
}

/** What the BPF trampolines of a kernel pass: arch_prepare_bpf_trampoline() of its architecture and release. */
export class TrampolineLimits {
  readonly #kernel: KernelFacts;
  readonly #era: TrampolineEra | undefined;
  /** That the kernel has this era. */
  readonly #has: HasChange;
  /** That it lacks the next one; where there is none, the same. */
  readonly #lacks: HasChange;
  /** That the architecture has any at all. */
  readonly #any: HasChange;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    const { eras } = kernel.arch.trampolines;
    const states = eras.map(({ since }) => kernel.change(since));
    // A kernel of unknown release is taken for a new one.
    const at = states.findIndex(({ has }) => has !== false);
    this.#era = eras[at];
    this.#any = states.at(-1) ?? { has: false, certainty: 'likely' };
    this.#has = states[at] ?? this.#any;
    this.#lacks = states[at - 1] ?? this.#has;
  }

  /** Why it is not passed; undefined if it is. */
  of(prototype: PrototypeCheck): Limit | undefined {
    const era = this.#era;
    const certainty = this.#lacks.certainty === 'proven' ? 'proven' : 'likely';
    if (era === undefined) return { code: 'no-trampoline', errno: 'ENOTSUPP', certainty, evidence: this.#none() };
    const { most, counts, structs, errno } = era;
    if ((counts === 'registers' ? prototype.slots : prototype.count) > most) {
      return { code: 'too-many-arguments', errno, certainty, evidence: this.#says(`pass ${most} ${counts}`, era) };
    }
    const end = prototype.lastStruct;
    if (end > (structs === 'all' ? Infinity : structs === 'none' ? 0 : REGISTERS)) {
      const says = structs === 'none' ? 'pass no struct by value' : `pass structs by value in the first ${REGISTERS} registers alone`;
      return { code: 'unsupported-argument', errno, certainty, evidence: this.#says(says, era) };
    }
    return undefined;
  }

  /** What is passed at all; refused on architectures without trampolines. */
  get summary(): Verdict {
    const era = this.#era;
    const certainty = this.#any.certainty === 'proven' ? 'proven' : 'likely';
    if (era === undefined) return refused('no-trampoline', 'ENOTSUPP', [this.#none()], certainty);
    const { most, counts, structs } = era;
    const passed = {
      all: 'and structs by value',
      'in registers': `and structs by value in the first ${REGISTERS} registers`,
      none: 'and no struct by value',
    };
    return accepted(certainty, [this.#says(`pass ${most} ${counts} ${passed[structs]}`, era)]);
  }

  /** How sure it is that a prototype is passed: where an older kernel of the architecture would not pass it, as sure as its change. */
  certaintyOf(prototype: PrototypeCheck): 'proven' | 'likely' {
    const { eras } = this.#kernel.arch.trampolines;
    const everPassed = eras.every(
      ({ most, counts, structs }) =>
        (counts === 'registers' ? prototype.slots : prototype.count) <= most && (structs === 'all' || prototype.lastStruct === 0),
    );
    return (everPassed ? this.#any : this.#has).certainty === 'proven' ? 'proven' : 'likely';
  }

  #says(what: string, era: TrampolineEra): Evidence {
    const { release, callingConvention, arch } = this.#kernel;
    const next = arch.trampolines.eras[arch.trampolines.eras.indexOf(era) - 1];
    const when = next === undefined ? sinceOf(era.since) : `before ${CHANGES[next.since].since.join('.')}`;
    const whose = `${callingConvention?.name ?? 'BPF'} trampolines`;
    return { source: 'release', says: `kernel ${release ?? 'of unknown release'}: ${whose} ${what} ${when}` };
  }

  #none(): Evidence {
    const { arch, release } = this.#kernel;
    const first = arch.trampolines.eras.at(-1);
    const says =
      first === undefined
        ? 'the architecture has no BPF trampolines'
        : `kernel ${release}: the architecture has BPF trampolines ${sinceOf(first.since)}`;
    return { source: 'release', says };
  }
}

/** Argument registers of arm64, the one architecture that tells structs in registers from those on the stack. */
const REGISTERS = 8;
