import { CALL, CLASS, INSN_BYTES, type Instruction, type Instructions, imm64, jumpDistance, MODE, OPCODE } from '../code/insn.js';
import type { BpfObject } from '../object/object.js';
import type { BpfFunction } from '../object/programs.js';
import type { RelocationMeaning } from '../object/relocations.js';

// Which instructions a program can reach. The verifier follows every path that constants do not rule out; a compiler leaves the tests
// that CO-RE decides, and those of read-only data, as comparisons with constants. So constants are followed here, along every path, and
// nothing else.

/** A value that is known, and what made it so: `field_exists of struct x.y`, `.rodata: targ_tgid`. */
export interface Known {
  readonly value: bigint;
  readonly because: readonly string[];
}

/** A branch that constants decide: the way it does not go. */
export interface DecidedBranch {
  readonly instruction: number;
  /** The slot that is not reached from there. */
  readonly notTaken: number;
  readonly because: readonly string[];
}

/** What is known besides the instructions. */
export interface ReachContext {
  /** Where an instruction's value comes from, by slot of the section: what CO-RE put there. */
  readonly origin: ReadonlyMap<number, string>;
  /** Whether read-only data has the values that it has in the file: a loader may set others before it loads the program. */
  readonly data: boolean;
  /** The value of a `.kconfig` extern, where the kernel's configuration is known. */
  kconfig?(name: string): bigint | undefined;
  /** Whether a weak symbol of `.ksyms` is known to be missing: its address is then 0. */
  isMissing?(name: string): boolean;
}

/** What one function reaches. Slots count from the start of its section. */
export interface Reach {
  readonly slots: ReadonlySet<number>;
  readonly branches: readonly DecidedBranch[];
  /** Functions that are called, or whose address is taken, on the way. */
  readonly calls: ReadonlySet<BpfFunction>;
  /** Whether read-only data was loaded: with `data` the answer may be another. */
  readonly loadsData: boolean;
  /** Where it loads from the program's context, in bytes from its start, where that is known. */
  readonly contextReads: ReadonlySet<number>;
  /** The functions that it hands the context to. */
  readonly contextCalls: readonly ContextCall[];
}

/** Where a function has the program's context, or an address in it, when it begins. */
export interface ContextEntry {
  readonly register: number;
  /** In bytes, from the context's start. */
  readonly offset: number;
}

/** A function that is handed the program's context. */
export interface ContextCall extends ContextEntry {
  readonly callee: BpfFunction;
}

/** A byte of data that does not change once the program is loaded. */
interface Pointer {
  readonly section: number;
  readonly offset: number;
  readonly name: string;
}
type Value = Known | Pointer | undefined;

interface State {
  readonly slot: number;
  readonly registers: readonly Value[];
  /** 8-byte slots of the stack, by offset from r10. */
  readonly stack: ReadonlyMap<number, Known>;
}

/** States for one instruction; one more, and nothing is known there any more. Loops that count would have as many as they have rounds. */
const MOST_STATES = 48;
/** What is compared for all instructions, by their number and besides: beyond it nothing is known where paths meet. */
const MOST_COMPARED = 64;
const SPARE_COMPARED = 1 << 18;
/** … and for functions of more than eight thousand instructions no more than for those. */
const MOST_COMPARED_IN_ALL = 3 << 18;
/** MAX_BPF_STACK of the kernel: what lies below is no stack. */
const LOWEST = -512;
/** Room for what four bits can name: damaged code names registers that do not exist. */
const NOTHING: readonly Value[] = new Array(16).fill(undefined);
const FRAME = 10;

/**
 * Follows a function of an object, whose section's code is `code` once it is relocated.
 * @param entry of a function that is no program itself: where it has the program's context
 */
export function reachOf(object: BpfObject, fn: BpfFunction, code: Instructions, context: ReachContext, entry?: ContextEntry): Reach {
  return new Walk(object, fn, code, context, fn.meaning === undefined ? entry : { register: 1, offset: 0 }).run();
}

class Walk {
  readonly #object: BpfObject;
  readonly #section: number;
  readonly #code: Instructions;
  readonly #context: ReachContext;
  readonly #first: number;
  readonly #end: number;
  readonly #meanings: ReadonlyMap<number, RelocationMeaning>;
  /** By slot of the function: whether several instructions lead to it. Only there do paths meet. */
  readonly #joins: Uint8Array;
  readonly #seen = new Map<number, Set<string>>();
  readonly #open: State[] = [];
  readonly #branches = new Map<string, DecidedBranch>();
  readonly #undecided = new Set<string>();
  readonly #calls = new Set<BpfFunction>();
  readonly #contextReads = new Set<number>();
  readonly #contextCalls = new Map<string, ContextCall>();
  readonly #entry: ContextEntry | undefined;
  #loadsData = false;
  #left = 0;

  constructor(object: BpfObject, fn: BpfFunction, code: Instructions, context: ReachContext, entry: ContextEntry | undefined) {
    this.#object = object;
    this.#entry = entry;
    this.#section = fn.sectionIndex;
    this.#code = code;
    this.#context = context;
    this.#first = fn.offset / INSN_BYTES;
    this.#end = this.#first + fn.instructionCount;
    this.#meanings = new Map(
      object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size).map(({ offset, meaning }) => [offset / INSN_BYTES, meaning]),
    );
    this.#joins = this.#targets();
    this.#left = Math.min(SPARE_COMPARED + MOST_COMPARED * fn.instructionCount, MOST_COMPARED_IN_ALL);
  }

  /** Where jumps lead; a loop has one, so that states are compared in each. */
  #targets(): Uint8Array {
    const targets = new Uint8Array(Math.max(this.#end - this.#first, 0));
    for (let slot = this.#first; slot < this.#end; slot++) {
      const distance = jumpDistance(this.#code.at(slot));
      const target = slot + (this.#code.isWide(slot) ? 2 : 1) + (distance ?? 0);
      if (distance !== undefined && target >= this.#first && target < this.#end) targets[target - this.#first] = 1;
    }
    return targets;
  }

  run(): Reach {
    this.#go({ slot: this.#first, registers: this.#entered(), stack: new Map() });
    for (let state = this.#open.pop(); state !== undefined; state = this.#open.pop()) this.#step(state);
    const branches = [...this.#branches.entries()].filter(([key]) => !this.#undecided.has(key)).map(([, branch]) => branch);
    return {
      slots: new Set(this.#seen.keys()),
      branches,
      calls: this.#calls,
      loadsData: this.#loadsData,
      contextReads: this.#contextReads,
      contextCalls: [...this.#contextCalls.values()],
    };
  }

  #entered(): readonly Value[] {
    const entry = this.#entry;
    return entry === undefined ? NOTHING : NOTHING.with(entry.register, { ...CONTEXT, offset: entry.offset });
  }

  /** Notes that a state is reached; one that was seen is not followed again. */
  #go(state: State): void {
    const { slot } = state;
    if (slot < this.#first || slot >= this.#end) return;
    let seen = this.#seen.get(slot);
    if (seen === undefined) this.#seen.set(slot, (seen = new Set()));
    // What one instruction alone leads to has as many states as that one.
    if (this.#joins[slot - this.#first] === 0) {
      this.#open.push(state);
      return;
    }
    // With nothing known, every path was followed.
    if (seen.has('')) return;
    this.#left -= 16 + state.stack.size;
    const wide = seen.size >= MOST_STATES || this.#left < 0;
    const key = wide ? '' : keyOf(state);
    if (seen.has(key)) return;
    seen.add(key);
    this.#open.push(wide ? { slot, registers: NOTHING, stack: new Map() } : state);
  }

  #step({ slot, registers, stack }: State): void {
    const instruction = this.#code.at(slot);
    const { code, dst, src, offset, imm } = instruction;
    const next = slot + (this.#code.isWide(slot) ? 2 : 1);
    const set = (register: number, value: Value): State => ({ slot: next, registers: registers.with(register, value), stack });
    const same = { slot: next, registers, stack };
    switch (code & 7) {
      case CLASS.LD:
        if (code === OPCODE.LD_IMM64) this.#go(set(dst, this.#loaded(slot, instruction)));
        else this.#go({ slot: next, registers: afterCall(registers), stack });
        return;
      case CLASS.LDX:
        this.#go(set(dst, (code & 0xe0) === MODE.MEM ? this.#load(registers[src], src, stack, instruction) : undefined));
        return;
      case CLASS.ST:
      case CLASS.STX:
        this.#go({
          slot: next,
          registers: this.#fetched(registers, instruction),
          stack: stored(stack, registers, instruction, this.#known(slot, imm)),
        });
        return;
      case CLASS.ALU:
      case CLASS.ALU64: {
        const operand = (code & 8) !== 0 ? registers[src] : this.#known(slot, imm);
        this.#go(set(dst, computed(code, registers[dst], operand, offset)));
        return;
      }
    }
    if (code === OPCODE.EXIT) return;
    if (code === OPCODE.CALL || code === OPCODE.CALLX) {
      this.#called(slot, instruction, registers);
      // What is called may write to the stack that it was given an address of.
      this.#go({ slot: next, registers: afterCall(registers), stack: new Map() });
      return;
    }
    const distance = jumpDistance(instruction);
    if (distance === undefined) return;
    const target = next + distance;
    if (code === OPCODE.JA || code === OPCODE.JA32) {
      this.#go({ slot: target, registers, stack });
      return;
    }
    const a = registers[dst];
    const b = (code & 8) !== 0 ? registers[src] : this.#known(slot, imm);
    const taken = isKnown(a) && isKnown(b) ? decided(code, a.value, b.value) : undefined;
    if (taken !== false) this.#go({ slot: target, registers, stack });
    if (taken !== true) this.#go(same);
    if (taken === undefined) {
      this.#undecided.add(`${slot}:${target}`).add(`${slot}:${next}`);
      return;
    }
    const notTaken = taken ? next : target;
    this.#undecided.add(`${slot}:${taken ? target : next}`);
    this.#branches.set(`${slot}:${notTaken}`, { instruction: slot, notTaken, because: together(a, b) });
  }

  #known(slot: number, imm: number): Known {
    const origin = this.#context.origin.get(slot);
    return { value: BigInt.asUintN(64, BigInt(imm)), because: origin === undefined ? [] : [origin] };
  }

  /** What an ld_imm64 loads: a number, or the address of data that does not change. */
  #loaded(slot: number, instruction: Instruction): Value {
    const meaning = this.#meanings.get(slot);
    if (meaning === undefined) {
      const origin = this.#context.origin.get(slot);
      return instruction.src === 0 ? { value: imm64(instruction), because: origin === undefined ? [] : [origin] } : undefined;
    }
    if (meaning.kind === 'function') this.#calls.add(meaning.function);
    if (meaning.kind === 'data' && this.#object.data.of(meaning.sectionIndex)?.kind === 'rodata') {
      const { sectionIndex, offset, section, variable } = meaning;
      return { section: sectionIndex, offset, name: `${section}: ${variable?.name ?? `+${offset}`}` };
    }
    if (meaning.kind === 'extern' && meaning.extern?.kind === 'kconfig') {
      // A pointer to no section: what is loaded from it is the kernel's value.
      return { section: KCONFIG, offset: 0, name: meaning.name };
    }
    if (meaning.kind === 'extern' && this.#context.isMissing?.(meaning.name) === true) {
      return { value: 0n, because: [`.ksyms: ${meaning.name}`] };
    }
    return undefined;
  }

  #load(base: Value, register: number, stack: ReadonlyMap<number, Known>, { code, offset }: Instruction): Value {
    const size = [4, 2, 1, 8][(code >> 3) & 3]!;
    if (register === FRAME) return size === 8 ? stack.get(offset) : undefined;
    if (base === undefined || isKnown(base)) return undefined;
    if (base.section === CONTEXT.section) {
      this.#contextReads.add(base.offset + offset);
      return undefined;
    }
    if (base.section !== KCONFIG) this.#loadsData = true;
    if (base.section !== KCONFIG && !this.#context.data) return undefined;
    if (base.section === KCONFIG) {
      const value = offset === 0 ? this.#context.kconfig?.(base.name) : undefined;
      return value === undefined ? undefined : { value: BigInt.asUintN(size * 8, value), because: [`.kconfig: ${base.name}`] };
    }
    const section = this.#object.elf.sections[base.section]!;
    const bytes = this.#object.attempt(section.name, () => section.stored());
    const at = base.offset + offset;
    if (bytes === undefined || at < 0 || at + size > bytes.length) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const little = this.#object.littleEndian;
    const value =
      size === 8
        ? view.getBigUint64(at, little)
        : BigInt(size === 4 ? view.getUint32(at, little) : size === 2 ? view.getUint16(at, little) : view.getUint8(at));
    return { value, because: [base.name] };
  }

  /** Atomic operations that fetch give their register what was there. */
  #fetched(registers: readonly Value[], { code, src, imm }: Instruction): readonly Value[] {
    if ((code & 7) !== CLASS.STX || (code & 0xe0) !== MODE.ATOMIC) return registers;
    const fetch = (imm & 1) !== 0;
    return fetch ? registers.with(src, undefined).with(0, undefined) : registers;
  }

  #called(slot: number, instruction: Instruction, registers: readonly Value[]): void {
    const callee = this.#callee(slot, instruction);
    if (callee === undefined) return;
    this.#calls.add(callee);
    for (let register = 1; register <= 5; register++) {
      const value = registers[register];
      if (value === undefined || isKnown(value) || value.section !== CONTEXT.section) continue;
      const { offset } = value;
      this.#contextCalls.set(`${callee.sectionIndex}:${callee.offset}:${register}:${offset}`, { callee, register, offset });
    }
  }

  #callee(slot: number, { src, imm }: Instruction): BpfFunction | undefined {
    const meaning = this.#meanings.get(slot);
    if (meaning !== undefined) return meaning.kind === 'call' ? meaning.function : undefined;
    return src === CALL.SUBPROGRAM ? this.#object.functionAt(this.#section, (slot + 1 + imm) * INSN_BYTES) : undefined;
  }
}

/** What r1 points to where a program begins; it is in no section. */
const CONTEXT: Pointer = { section: -2, offset: 0, name: 'context' };

/** Stands for the section of what the loader fills in from the kernel's configuration. */
const KCONFIG = -1;

function isKnown(value: Value): value is Known {
  return value !== undefined && 'value' in value;
}

function together(a: Value, b: Value): string[] {
  return [...new Set([...(isKnown(a) ? a.because : []), ...(isKnown(b) ? b.because : [])])];
}

/** What is known in a state, in text: the same for the same. */
function keyOf({ registers, stack }: State): string {
  let key = '.';
  for (let i = 0; i < registers.length; i++) {
    const value = registers[i];
    if (value !== undefined) key += isKnown(value) ? `${i}=${value.value} ` : `${i}@${value.section}+${value.offset} `;
  }
  for (const [at, { value }] of stack) key += `s${at}=${value} `;
  return key;
}

/** r0 to r5 are the callee's. */
function afterCall(registers: readonly Value[]): readonly Value[] {
  return registers.map((value, i) => (i <= 5 ? undefined : value));
}

function stored(
  stack: ReadonlyMap<number, Known>,
  registers: readonly Value[],
  { code, dst, src, offset }: Instruction,
  constant: Known,
): ReadonlyMap<number, Known> {
  // A store through another register may be to the stack as well.
  if (dst !== FRAME || offset < LOWEST || offset >= 0) return new Map();
  const size = [4, 2, 1, 8][(code >> 3) & 3]!;
  const changed = new Map([...stack].filter(([at]) => at + 8 <= offset || at >= offset + size));
  const value = (code & 7) === CLASS.ST ? constant : (code & 0xe0) === MODE.MEM ? registers[src] : undefined;
  if (size === 8 && isKnown(value)) changed.set(offset, value);
  return changed;
}

const signed = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value);

/** instruction-set.rst, "Arithmetic instructions": 32-bit operations leave zeros above. */
function computed(code: number, a: Value, b: Value, offset: number): Value {
  const bits = (code & 7) === CLASS.ALU64 ? 64 : 32;
  const operation = code & 0xf0;
  if (operation === 0xb0) {
    // Moves of addresses keep them; those that extend a sign have an offset.
    if (!isKnown(b)) return bits === 64 && offset === 0 ? b : undefined;
    if (![0, 8, 16, 32].includes(offset)) return undefined;
    return { value: BigInt.asUintN(bits, offset === 0 ? b.value : signed(b.value, offset)), because: b.because };
  }
  if (!isKnown(b)) return undefined;
  if (!isKnown(a)) {
    // Sums with constants keep an address known.
    if (a === undefined || bits !== 64 || operation !== 0x00) return undefined;
    return { ...a, offset: a.offset + Number(signed(b.value, 64)) };
  }
  const x = BigInt.asUintN(bits, a.value);
  const y = BigInt.asUintN(bits, b.value);
  const value = arithmetic(operation, x, y, bits);
  return value === undefined ? undefined : { value: BigInt.asUintN(bits, value), because: together(a, b) };
}

function arithmetic(operation: number, x: bigint, y: bigint, bits: number): bigint | undefined {
  const shift = y & BigInt(bits - 1);
  switch (operation) {
    case 0x00:
      return x + y;
    case 0x10:
      return x - y;
    case 0x20:
      return x * y;
    case 0x40:
      return x | y;
    case 0x50:
      return x & y;
    case 0x60:
      return x << shift;
    case 0x70:
      return x >> shift;
    case 0x80:
      return -x;
    case 0xa0:
      return x ^ y;
    case 0xc0:
      return signed(x, bits) >> shift;
    default:
      // Divisions and byte swaps decide no test that compilers leave of constants.
      return undefined;
  }
}

/** instruction-set.rst, "Jump instructions". */
function decided(code: number, a: bigint, b: bigint): boolean | undefined {
  const bits = (code & 7) === CLASS.JMP ? 64 : 32;
  const x = BigInt.asUintN(bits, a);
  const y = BigInt.asUintN(bits, b);
  const sx = signed(x, bits);
  const sy = signed(y, bits);
  switch (code & 0xf0) {
    case 0x10:
      return x === y;
    case 0x20:
      return x > y;
    case 0x30:
      return x >= y;
    case 0x40:
      return (x & y) !== 0n;
    case 0x50:
      return x !== y;
    case 0x60:
      return sx > sy;
    case 0x70:
      return sx >= sy;
    case 0xa0:
      return x < y;
    case 0xb0:
      return x <= y;
    case 0xc0:
      return sx < sy;
    case 0xd0:
      return sx <= sy;
    default:
      return undefined;
  }
}
