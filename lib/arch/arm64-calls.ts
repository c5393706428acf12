import { type Calls, constantCalls, type Registers, type Step } from './constant-calls.js';

/** The last that a call may change (AAPCS64): x0 to x18. */
const CLOBBERED = 18;
/** The stack pointer, or zero. */
const NONE = 31;

export const ARM64_CALLS: Calls = {
  /** b and bl. */
  places(code, address, target) {
    const view = new DataView(code.buffer, code.byteOffset, code.length);
    const wanted = Number((target - address) / 4n);
    const found: number[] = [];
    for (let at = 0; at < code.length >> 2; at++) if (isCall(view.getUint32(at * 4, true), at, wanted)) found.push(at * 4);
    return found;
  },

  /** What is in x0 and x1. */
  constants(code, address, target) {
    const view = new DataView(code.buffer, code.byteOffset, code.length);
    const wanted = Number((target - address) / 4n);
    const steps = Array.from({ length: code.length >> 2 }, (_, at): Step => {
      const word = view.getUint32(at * 4, true);
      return {
        at,
        target: targetOf(word, at),
        // cbz and cbnz: GCC takes the register for the zero that it is.
        ...(is(word, 0x7e00_0000, 0x3400_0000) ? { zero: { register: word & 31, atTarget: ((word >>> 24) & 1) === 0 } } : {}),
        // b, br and ret
        ends: is(word, 0xfc00_0000, 0x1400_0000) || is(word, 0xff9f_fc1f, 0xd61f_0000),
        calls: isCall(word, at, wanted),
        apply: registers => apply(registers, word, address + BigInt(at * 4)),
      };
    });
    return constantCalls(steps, 0, 1);
  },
};

function isCall(word: number, at: number, wanted: number): boolean {
  return is(word, 0x7c00_0000, 0x1400_0000) && at + signed(word, 0, 26) === wanted;
}

/** Where a branch goes, as the number of an instruction: b, b.cond, cbz, cbnz, tbz, tbnz. */
function targetOf(word: number, at: number): number | undefined {
  if (is(word, 0xfc00_0000, 0x1400_0000)) return at + signed(word, 0, 26);
  if (is(word, 0xff00_0010, 0x5400_0000) || is(word, 0x7e00_0000, 0x3400_0000)) return at + signed(word, 5, 19);
  return is(word, 0x7e00_0000, 0x3600_0000) ? at + signed(word, 5, 14) : undefined;
}

function apply(registers: Registers, word: number, place: bigint): void {
  const rd = word & 31;
  const rn = (word >>> 5) & 31;
  const set = (value: bigint | undefined): void => {
    if (value === undefined || rd === NONE) registers.delete(rd);
    else registers.set(rd, BigInt.asUintN(word >>> 31 === 1 ? 64 : 32, value));
  };
  const shift = BigInt(((word >>> 21) & 3) * 16);
  const immediate = BigInt((word >>> 5) & 0xffff) << shift;
  const before = registers.get(rd);
  // movz, movn, movk
  if (is(word, 0x7f80_0000, 0x5280_0000)) set(immediate);
  else if (is(word, 0x7f80_0000, 0x1280_0000)) set(~immediate);
  else if (is(word, 0x7f80_0000, 0x7280_0000)) set(before === undefined ? undefined : (before & ~(0xffffn << shift)) | immediate);
  else if (is(word, 0x7fe0_ffe0, 0x2a00_03e0)) {
    // mov of a register, or of zero
    const from = (word >>> 16) & 31;
    set(from === NONE ? 0n : registers.get(from));
  } else if (is(word, 0x1f00_0000, 0x1000_0000)) {
    // adrp, adr: of 64 bits either way
    const distance = BigInt((signed(word, 5, 19) << 2) | ((word >>> 29) & 3));
    registers.set(rd, word >>> 31 === 1 ? (place & ~0xfffn) + (distance << 12n) : place + distance);
  } else if (is(word, 0x7f80_0000, 0x1100_0000)) {
    // add of an immediate
    const base = rn === NONE ? undefined : registers.get(rn);
    set(base === undefined ? undefined : base + (BigInt((word >>> 10) & 0xfff) << ((word >>> 22) & 1 ? 12n : 0n)));
  } else if (is(word, 0xfc00_0000, 0x9400_0000) || is(word, 0xffff_fc1f, 0xd63f_0000)) {
    for (let register = 0; register <= CLOBBERED; register++) registers.delete(register);
  } else changeOthers(registers, word);
}

/** By the classes of the encoding (C4.1 of the Arm ARM): data processing, loads and stores, branches, the system. */
function changeOthers(registers: Registers, word: number): void {
  const isProcessing = is(word, 0x0e00_0000, 0x0a00_0000) || is(word, 0x1c00_0000, 0x1000_0000);
  if (isProcessing || is(word, 0xfff0_0000, 0xd530_0000)) registers.delete(word & 31);
  else if (is(word, 0x0a00_0000, 0x0800_0000)) access(registers, word);
  else if (targetOf(word, 0) === undefined && !is(word, 0xffff_f01f, 0xd503_201f)) registers.clear();
}

/** What a load changes, and the base that is moved before or after an access. */
function access(registers: Registers, word: number): void {
  const [rt, rn, rt2, rs] = [word & 31, (word >>> 5) & 31, (word >>> 10) & 31, (word >>> 16) & 31];
  const isSingle = is(word, 0x3a00_0000, 0x3800_0000);
  const isLoad = ((word >>> 22) & 3) !== 0;
  if (is(word, 0x3a00_0000, 0x2800_0000)) {
    if ((word >>> 22) & 1) for (const register of [rt, rt2]) registers.delete(register);
    if ((word >>> 23) & 1) registers.delete(rn);
  } else if (isSingle && (word >>> 24) & 1) {
    if (isLoad) registers.delete(rt);
  } else if (isSingle && ((word >>> 21) & 1) === 0) {
    if (isLoad) registers.delete(rt);
    if ((word >>> 10) & 1) registers.delete(rn);
  } else if (isSingle) {
    // With a register as the offset; else atomic, with a second register.
    if (isLoad) registers.delete(rt);
    if (((word >>> 10) & 3) !== 2) for (const register of [rt, rs]) registers.delete(register);
  } else if (is(word, 0x3b00_0000, 0x1800_0000)) registers.delete(rt);
  else registers.clear();
}

function is(word: number, mask: number, value: number): boolean {
  return (word & mask) >>> 0 === value;
}

/** A field with a sign. */
function signed(word: number, from: number, bits: number): number {
  return (word << (32 - from - bits)) >> (32 - bits);
}
