import { type Calls, constantCalls, type Registers, type Step } from './constant-calls.js';
import { decodeX86 } from './x86-instructions.js';

/** What a call may change (System V ABI): rax, rcx, rdx, rsi, rdi, r8 to r11. */
const CLOBBERED = [0, 1, 2, 6, 7, 8, 9, 10, 11];
const [RAX, RDX, RSI, RDI] = [0, 2, 6, 7] as const;

export const X86_CALLS: Calls = {
  /** Every byte is looked at: instructions are decoded where one of these may be a call alone. */
  places(code, address, target) {
    const view = new DataView(code.buffer, code.byteOffset, code.length);
    const wanted = Number(target - address);
    const found: number[] = [];
    for (let at = 0; at + 5 <= code.length; at++)
      if ((code[at]! & 0xfe) === 0xe8 && at + 5 + view.getInt32(at + 1, true) === wanted) found.push(at);
    return found;
  },

  /** What is in rdi and rsi. */
  constants(code, address, target) {
    return constantCalls(stepsOf(code, address, Number(target - address)), RDI, RSI);
  },
};

function stepsOf(code: Uint8Array, address: bigint, wanted: number): Step[] {
  const view = new DataView(code.buffer, code.byteOffset, code.length);
  const steps: Step[] = [];
  for (let at = 0; at < code.length; ) {
    const instruction = decodeX86(code, at, 64);
    if (instruction === undefined) break;
    const end = at + instruction.length;
    // Segments, as of the stack's guard, change nothing here.
    const start = (code[at]! & 0xfe) === 0x64 ? at + 1 : at;
    const opcode = code[start]!;
    const target = jumpOf(view, start, end);
    steps.push({
      at,
      target,
      ends: opcode === 0xe9 || opcode === 0xeb || opcode === 0xc3 || opcode === 0xcc,
      calls: instruction.target === wanted,
      apply: registers => apply(registers, new Operation(view, start, end, address)),
    });
    at = end;
  }
  return steps;
}

/** Where a near jump goes. */
function jumpOf(view: DataView, at: number, end: number): number | undefined {
  const opcode = view.getUint8(at);
  if (opcode === 0xeb || opcode >> 4 === 7) return end + view.getInt8(end - 1);
  const isNear = opcode === 0xe9 || (opcode === 0x0f && view.getUint8(at + 1) >> 4 === 8);
  return isNear ? end + view.getInt32(end - 4, true) : undefined;
}

/** An instruction's opcode and operands, in the encoding with ModRM. */
class Operation {
  readonly opcode: number;
  /** The byte behind the opcode. */
  readonly next: number;
  readonly isWide: boolean;
  readonly isRegister: boolean;
  readonly reg: number;
  readonly rm: number;
  /** The register in the opcode's low bits. */
  readonly low: number;
  readonly #view: DataView;
  readonly #end: number;
  readonly #address: bigint;

  constructor(view: DataView, at: number, end: number, address: bigint) {
    const rex = view.getUint8(at) >> 4 === 4 ? view.getUint8(at) : 0;
    const start = rex === 0 ? at : at + 1;
    this.#view = view;
    this.#end = end;
    this.#address = address;
    this.opcode = view.getUint8(start);
    this.next = start + 1 < end ? view.getUint8(start + 1) : 0;
    // Of two bytes, ModRM is behind the second.
    const modrm = this.opcode === 0x0f && start + 2 < end ? view.getUint8(start + 2) : this.next;
    this.isWide = (rex & 8) !== 0;
    this.isRegister = modrm >> 6 === 3;
    this.reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
    this.rm = (modrm & 7) | ((rex & 1) << 3);
    this.low = (this.opcode & 7) | ((rex & 1) << 3);
  }

  /** The 32 bits at the end, with their sign. */
  get immediate(): bigint {
    return BigInt(this.#view.getInt32(this.#end - 4, true));
  }

  /** The address that is relative to the next instruction; undefined of other operands. */
  get relative(): bigint | undefined {
    return (this.next & 0xc7) === 5 ? this.#address + BigInt(this.#end) + this.immediate : undefined;
  }

  /** mov of a constant to a register, of 64 bits with REX.W. */
  get constant(): bigint {
    return this.isWide ? this.#view.getBigInt64(this.#end - 8, true) : this.immediate;
  }
}

function apply(registers: Registers, operation: Operation): void {
  const { opcode, next, isWide, isRegister, reg, rm, low } = operation;
  const set = (register: number, value: bigint | undefined): void => {
    if (value === undefined) registers.delete(register);
    else registers.set(register, BigInt.asUintN(isWide ? 64 : 32, value));
  };
  const change = (...changed: number[]): void => {
    for (const register of changed) registers.delete(register);
  };
  // What is written to memory changes no register.
  const changeRm = (): void => {
    if (isRegister) change(rm);
  };
  const group = (next >> 3) & 7;
  const isAlu = opcode < 0x40 && (opcode & 7) < 6;
  if (opcode >= 0xb8 && opcode <= 0xbf) set(low, operation.constant);
  else if (opcode === 0xc7) {
    if (isRegister) set(rm, operation.immediate);
  } else if ((opcode === 0x31 || opcode === 0x33) && isRegister && rm === reg) set(rm, 0n);
  else if (opcode === 0x89) {
    if (isRegister) set(rm, registers.get(reg));
  } else if (opcode === 0x8b) set(reg, isRegister ? registers.get(rm) : undefined);
  else if (opcode === 0x8d) set(reg, operation.relative);
  else if (opcode === 0xe8 || (opcode === 0xff && group === 2)) change(...CLOBBERED);
  // add, or, adc, sbb, and, sub, xor; cmp is the eighth
  else if (isAlu && opcode >> 3 !== 7) {
    if ((opcode & 7) < 2) changeRm();
    else change((opcode & 7) < 4 ? reg : RAX);
  } else if (opcode >> 3 === 0x0b) change(low);
  else if (CHANGE_RM.includes(opcode) || (opcode === 0xff && group < 2) || (opcode === 0x0f && next >> 4 === 9)) changeRm();
  else if (opcode === 0xf6 || opcode === 0xf7) {
    // test; not, neg; mul, imul, div, idiv
    if (group >= 4) change(RAX, RDX);
    else if (group >= 2) changeRm();
  } else if (CHANGE_REG.includes(opcode) || (opcode === 0x0f && (next >> 4 === 4 || CHANGE_REG_OF_TWO.includes(next)))) change(reg);
  else if (opcode === 0x98 || opcode === 0x99) change(RAX, RDX);
  else if (!isAlu && !changesNone(opcode, next)) registers.clear();
}

/** Arithmetic with a constant, shifts. */
const CHANGE_RM = [0x81, 0x83, 0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3];
/** movsxd, imul, mov of 8 bits. */
const CHANGE_REG = [0x63, 0x69, 0x6b, 0x8a];
/** imul, movzx, movsx; beside them cmov, which is 0f 4x. */
const CHANGE_REG_OF_TWO = [0xaf, 0xb6, 0xb7, 0xbe, 0xbf];

/** push, jumps, test, mov to memory, nop, endbr64. */
function changesNone(opcode: number, next: number): boolean {
  if (opcode === 0x0f) return next >> 4 === 8 || next === 0x1f;
  return opcode >> 3 === 0x0a || opcode >> 4 === 7 || [0x68, 0x6a, 0x84, 0x85, 0x88, 0x90, 0xc6, 0xe9, 0xeb, 0xf3].includes(opcode);
}
