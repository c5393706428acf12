/** A call, or a jump in its place, and its first two arguments; undefined where the code before it does not set them to a constant. */
export interface ConstantCall {
  readonly first: bigint | undefined;
  readonly second: bigint | undefined;
}

/** How calls of one function are found in code, and what they are given: of an architecture of 64 bits, little endian. */
export interface Calls {
  /** Where a call of a function, or a jump there, may stand. @param address of the first byte of code */
  places(code: Uint8Array, address: bigint, target: bigint): readonly number[];
  /** The calls in the code of one function. */
  constants(code: Uint8Array, address: bigint, target: bigint): readonly ConstantCall[];
}

/** Registers whose values are constants, by their numbers. */
export type Registers = Map<number, bigint>;

/** An instruction, as far as constants in registers go. */
export interface Step {
  /** From the beginning of the function. */
  readonly at: number;
  /** Where it may go on besides the next one, if it is a jump. */
  readonly target: number | undefined;
  /** The register that is zero where it goes there, or where it does not. */
  readonly zero?: { readonly register: number; readonly atTarget: boolean };
  /** Whether the next one is not reached from it. */
  readonly ends: boolean;
  /** Whether it calls what is looked for, or jumps there. */
  readonly calls: boolean;
  /** Does to the registers what it does; of those that it may have changed to something unknown nothing is left. */
  apply(registers: Registers): void;
}

/**
 * Calls and their first two arguments, from the beginning of a function on. Where ways meet, a register has a constant if it is the same on each; after
 * a jump backwards nothing is known.
 */
export function constantCalls(steps: readonly Step[], first: number, second: number): ConstantCall[] {
  const loops = new Set(steps.flatMap(({ at, target }) => (target !== undefined && target <= at ? [target] : [])));
  const coming = new Map<number, Registers>();
  const found: ConstantCall[] = [];
  let registers: Registers | undefined = new Map();
  for (const step of steps) {
    const other = coming.get(step.at);
    if (loops.has(step.at)) registers = new Map();
    else if (other !== undefined) registers = registers === undefined ? other : common(registers, other);
    registers ??= new Map();
    if (step.calls) found.push({ first: registers.get(first), second: registers.get(second) });
    step.apply(registers);
    const { target, zero } = step;
    if (target !== undefined && target > step.at) {
      const there = new Map(registers);
      if (zero?.atTarget === true) there.set(zero.register, 0n);
      const known = coming.get(target);
      coming.set(target, known === undefined ? there : common(known, there));
    }
    if (zero?.atTarget === false) registers.set(zero.register, 0n);
    if (step.ends) registers = undefined;
  }
  return found;
}

function common(a: Registers, b: Registers): Registers {
  return new Map([...a].filter(([register, value]) => b.get(register) === value));
}
