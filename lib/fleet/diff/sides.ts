import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { BtfAbsence } from '../../answers/missing-btf/missing-btf.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { once } from '../../facts/once.js';
import { type FunctionRows, functionRows } from '../rows/functions.js';

/** One of two kernels that are compared, with what several comparisons read of it. */
export interface Side {
  readonly kernel: KernelFacts;
  /** False for BTF alone. */
  readonly hasSymbols: boolean;
  functions(): FunctionRows;
  /** The first row of each name. */
  names(): ReadonlyMap<string, number>;
  /** Why its BTF lacks a function, without its debug information. */
  absence(): BtfAbsence;
}

/** The types of a blob from one id on: all of a kernel's, or those that a module adds to its kernel's. */
export interface OwnTypes {
  readonly btf: Btf;
  readonly first: TypeId;
}

/** The old kernel and the new one. */
export interface Sides {
  readonly old: Side;
  readonly new: Side;
}

export function sideOf(kernel: KernelFacts): Side {
  const functions = once(() => functionRows(kernel));
  return {
    kernel,
    hasSymbols: kernel.symbolsMissing === undefined,
    functions,
    absence: once(() => new BtfAbsence(kernel, { dwarf: false })),
    names: once(() => {
      const rows = new Map<string, number>();
      const { name, count } = functions();
      // Backwards, so that the first row of a name stays.
      for (let row = count - 1; row >= 0; row--) rows.set(name[row]!, row);
      return rows;
    }),
  };
}
