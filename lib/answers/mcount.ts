import type { KernelFacts } from '../facts/kernel-facts.js';

/** One word of ftrace's table. */
export interface McountSlot {
  readonly place: bigint;
  readonly stored: bigint;
  readonly relocated: bigint;
  /** `tty_write+0x0` */
  readonly at?: string;
}

/** The words of the table, in order. */
export function* mcountSlots(kernel: KernelFacts): Generator<McountSlot> {
  const { start, count, stored, relocated, wordSize } = kernel.mcount!;
  const { symbols } = kernel;
  for (let i = 0; i < count; i++) {
    const place = start + BigInt(i * wordSize);
    const value = relocated.big[i]!;
    const row = value === 0n ? undefined : symbols.containing(value);
    const slot = { place, stored: stored.big[i]!, relocated: value };
    yield row === undefined ? slot : { ...slot, at: `${symbols.name(row)}+0x${(value - symbols.address.big[row]!).toString(16)}` };
  }
}
