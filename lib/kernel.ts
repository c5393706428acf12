// Kernel is AsyncDisposable: code that compiles against these types need not reference the library that declares it.
/// <reference lib="esnext.disposable" preserve="true" />
import { expectString } from '../elf/arguments.js';
import type { AddressAnswer, AddressProblem } from './answers/address/symbolize.js';
import { symbolize } from './answers/address/symbolize.js';
import { type AttachAnswer, type Attaching, attachingOf } from './answers/attach/attaching.js';
import { type DuplicateGroup, duplicates } from './answers/duplicates.js';
import { type MissingBtf, type MissingBtfOptions, missingBtf } from './answers/missing-btf/missing-btf.js';
import { type PlaceAnswer, type TraceabilityAnswer, traceabilityOf } from './answers/trace/traceability.js';
import { KernelFacts } from './facts/kernel-facts.js';
import { type TracingRules, tracingOf } from './rules/tracing.js';

/** A kernel: the facts about it, and the questions that it answers. */
export class Kernel extends KernelFacts implements Disposable, AsyncDisposable {
  /** Every name that functions at several addresses share, sorted by name. */
  duplicates(): DuplicateGroup[] {
    return duplicates(this);
  }

  /** Which mechanisms can trace a function, by its name and by the address of each function that has it. */
  traceability(name: string): TraceabilityAnswer {
    expectString(name, 'name');
    return traceabilityOf(this).answer(name);
  }

  /** A probe at `NAME+0x12` or at an address; undefined for a text that is neither. */
  place(text: string): PlaceAnswer | undefined {
    expectString(text, 'text');
    return traceabilityOf(this).place(text);
  }

  /** The tracing rules: decisions without sentences, for many questions. */
  get tracing(): TracingRules {
    return tracingOf(this);
  }

  /** How to attach a probe to each function with a name: exactly to that one, with its arguments by name. */
  attach(name: string): AttachAnswer {
    expectString(name, 'name');
    return this.attaching.answer(name);
  }

  /** Makes attach recipes, for many functions. */
  get attaching(): Attaching {
    return attachingOf(this);
  }

  /** Why BTF has no FUNC for a name. */
  missingBtf(name: string, options: MissingBtfOptions = {}): MissingBtf {
    expectString(name, 'name');
    return missingBtf(this, name, options);
  }

  /**
   * What is at addresses: the symbol and, from DWARF, the source, with inlined functions.
   * @param queries addresses (`0xffffffff8134a38b`), names (`do_sys_openat2`), names with an offset (`do_sys_openat2+0x3b/0x170`)
   */
  symbolize(...queries: string[]): (AddressAnswer | AddressProblem)[] {
    for (const query of queries) expectString(query, 'query');
    return symbolize(this, queries);
  }

  /** Closes the files. */
  close(): void {
    this.pieces.close();
  }

  /** Closes the files, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the files, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
