import type { Memory } from '../../elf/memory.js';
import { alternatives } from './alternatives.js';
import type { Labels } from './areas.js';
import type { PatchedCode } from './patched-code.js';

/** `nopl 0(%rax,%rax)`: x86_nops[5] of arch/x86/kernel/alternative.c, what ftrace leaves at a site that is not traced. */
const NOP5 = [0x0f, 0x1f, 0x44, 0x00, 0x00];
const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa];
const CALL = 0xe8;
const JMP = 0xe9;

/**
 * What bpf_arch_text_poke() of x86 finds at the beginning of a function that ftrace has no site in. It patches a call in where a NOP of
 * five bytes stands, whoever left it: one of the kernel's own patches may, when it takes a branch out.
 */
export class EntryNop {
  readonly #memory: Memory;
  readonly #patched: PatchedCode;
  /** Where an alternative of five bytes becomes nothing, on processors that have the feature it is about (`static_cpu_has()`). */
  readonly #erased: ReadonlySet<bigint>;

  constructor(memory: Memory, labels: Labels, patched: PatchedCode, isText: (address: bigint) => boolean) {
    this.#memory = memory;
    this.#patched = patched;
    this.#erased = erasedAlternatives(memory, labels, isText);
  }

  /** True and false as the image shows it; undefined if the running kernel may have patched the instruction. */
  at(address: bigint): boolean | undefined {
    if (!this.#memory.has(address, ENDBR64.length + NOP5.length)) return false;
    const starts = (place: bigint, bytes: readonly number[]): boolean => {
      const found = this.#memory.read(place, bytes.length);
      return bytes.every((byte, i) => found[i] === byte);
    };
    const entry = starts(address, ENDBR64) ? address + BigInt(ENDBR64.length) : address;
    if (this.#erased.has(entry)) return undefined;
    const nop = starts(entry, NOP5);
    const jump = starts(entry, [JMP]);
    const call = starts(entry, [CALL]);
    // The tables of patched code are read for what may be in them alone.
    if (!nop && !jump && !call) return false;
    const patch = this.#patched.atAddress(entry);
    // A jump label is a jump or a NOP of the same size, as the key is; a static call is a call, or a NOP where nothing is to be called.
    const patchable = (patch === 'jump-label' && !call) || (patch === 'static-call' && !jump);
    return patchable ? undefined : nop;
  }
}

/** Where an alternative of five bytes becomes nothing. */
function erasedAlternatives(memory: Memory, labels: Labels, isText: (address: bigint) => boolean): ReadonlySet<bigint> {
  const erased = alternatives(memory, labels, isText).filter(({ length, replacement }) => length === NOP5.length && replacement === 0);
  return new Set(erased.map(({ address }) => address));
}
