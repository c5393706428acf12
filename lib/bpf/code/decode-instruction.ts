import { CLASS, type Instruction, imm64, MODE, OPCODE } from './insn.js';

/**
 * What an instruction does, by the standard (Documentation/bpf/standardization/instruction-set.rst). What two notations of it are printed
 * from.
 */
export type Operation =
  /** `dst op= src`, or imm where there is no src. `extend`: the bits of a source that is sign-extended. */
  | {
      readonly kind: 'alu';
      readonly wide: boolean;
      readonly operator: string;
      readonly dst: number;
      readonly src?: number;
      readonly imm: number;
      readonly extend?: 8 | 16 | 32;
    }
  | { readonly kind: 'negate'; readonly wide: boolean; readonly dst: number }
  | { readonly kind: 'swap'; readonly order: 'le' | 'be' | 'bswap'; readonly bits: number; readonly dst: number }
  /** A pointer of one address space as one of another: `imm` has the two, 16 bits each. */
  | { readonly kind: 'cast'; readonly dst: number; readonly src: number; readonly imm: number }
  /** The address of a variable of the CPU. */
  | { readonly kind: 'percpu'; readonly dst: number; readonly src: number }
  | { readonly kind: 'load'; readonly type: string; readonly dst: number; readonly base: number; readonly offset: number }
  | { readonly kind: 'store'; readonly type: string; readonly base: number; readonly offset: number; readonly src: number }
  | { readonly kind: 'store-imm'; readonly type: string; readonly base: number; readonly offset: number; readonly imm: number }
  | {
      readonly kind: 'atomic';
      readonly operation: AtomicOperation;
      /** True where the old value goes to `src`. */
      readonly fetch: boolean;
      readonly type: string;
      readonly wide: boolean;
      readonly base: number;
      readonly offset: number;
      readonly src: number;
      readonly dst: number;
    }
  /** Of a packet: at `imm`, and `src` where there is one. */
  | { readonly kind: 'packet'; readonly type: string; readonly src?: number; readonly imm: number }
  | {
      readonly kind: 'imm64';
      readonly dst: number;
      readonly pseudo: number;
      readonly value: bigint;
      readonly imm: number;
      readonly high: number;
    }
  | { readonly kind: 'call'; readonly of: number; readonly imm: number }
  | { readonly kind: 'call-register'; readonly register: number }
  | { readonly kind: 'exit' }
  /** `wide`: gotol, of 32 bits. */
  | { readonly kind: 'goto'; readonly distance: number; readonly wide: boolean }
  | { readonly kind: 'goto-register'; readonly register: number }
  | { readonly kind: 'may-goto'; readonly distance: number }
  | {
      readonly kind: 'if';
      readonly wide: boolean;
      readonly comparison: string;
      readonly dst: number;
      readonly src?: number;
      readonly imm: number;
      readonly distance: number;
    }
  /** A barrier against speculation, which the kernel puts in. */
  | { readonly kind: 'nospec' }
  | { readonly kind: 'unknown' };

export type AtomicOperation = 'add' | 'and' | 'or' | 'xor' | 'xchg' | 'cmpxchg' | 'load_acquire' | 'store_release';

/** By the upper four bits of an opcode. Of 8 and 13, negation and byte order, there is no such operator. */
const ALU_OPERATORS: readonly (string | undefined)[] = [
  '+=',
  '-=',
  '*=',
  '/=',
  '|=',
  '&=',
  '<<=',
  '>>=',
  undefined,
  '%=',
  '^=',
  '=',
  's>>=',
];
const COMPARISONS: readonly (string | undefined)[] = [
  undefined,
  '==',
  '>',
  '>=',
  '&',
  '!=',
  's>',
  's>=',
  undefined,
  undefined,
  '<',
  '<=',
  's<',
  's<=',
];
/** By bits 3 and 4. */
const SIZES: readonly string[] = ['32', '16', '8', '64'];
const SIGNED_EXTENSIONS: Readonly<Record<number, 8 | 16 | 32>> = { 8: 8, 16: 16, 32: 32 };

const ATOMICS: ReadonlyMap<number, readonly [AtomicOperation, boolean]> = new Map([
  [0x00, ['add', false]],
  [0x01, ['add', true]],
  [0x40, ['or', false]],
  [0x41, ['or', true]],
  [0x50, ['and', false]],
  [0x51, ['and', true]],
  [0xa0, ['xor', false]],
  [0xa1, ['xor', true]],
  [0xe1, ['xchg', true]],
  [0xf1, ['cmpxchg', true]],
  [0x100, ['load_acquire', false]],
  [0x110, ['store_release', false]],
]);

const NEGATE = 0x8;
const BYTE_ORDER = 0xd;
const MOVE = 0xb;
/** The register form of an operation. */
const X = 0x08;
/** Offsets of a move that is not a plain move (BPF_ADDR_SPACE_CAST, BPF_ADDR_PERCPU). */
const ADDRESS_SPACE_CAST = 1;
const PERCPU = -1;

/** What an instruction does. */
export function decode(instruction: Instruction): Operation {
  switch (instruction.code & 7) {
    case CLASS.ALU:
    case CLASS.ALU64:
      return decodeAlu(instruction);
    case CLASS.JMP:
    case CLASS.JMP32:
      return decodeJump(instruction);
    case CLASS.LD:
      return decodeLd(instruction);
    default:
      return decodeMemory(instruction);
  }
}

function decodeAlu({ code, dst, src, offset, imm }: Instruction): Operation {
  const wide = (code & 7) === CLASS.ALU64;
  const operation = code >> 4;
  const register = (code & X) !== 0;
  if (operation === NEGATE) return register ? { kind: 'unknown' } : { kind: 'negate', wide, dst };
  if (operation === BYTE_ORDER) {
    if (imm !== 16 && imm !== 32 && imm !== 64) return { kind: 'unknown' };
    if (!wide) return { kind: 'swap', order: register ? 'be' : 'le', bits: imm, dst };
    return register ? { kind: 'unknown' } : { kind: 'swap', order: 'bswap', bits: imm, dst };
  }
  const operator = ALU_OPERATORS[operation];
  if (operator === undefined) return { kind: 'unknown' };
  if (operation === MOVE && register && offset !== 0) {
    if (wide && offset === ADDRESS_SPACE_CAST) return { kind: 'cast', dst, src, imm };
    if (wide && offset === PERCPU) return { kind: 'percpu', dst, src };
    const extend = SIGNED_EXTENSIONS[offset];
    return extend === undefined ? { kind: 'unknown' } : { kind: 'alu', wide, operator, dst, src, imm, extend };
  }
  // Of divisions, an offset of 1 makes signed ones.
  const signed = (operator === '/=' || operator === '%=') && offset === 1 ? 's' : '';
  return { kind: 'alu', wide, operator: `${signed}${operator}`, dst, ...(register ? { src } : {}), imm };
}

function decodeJump({ code, dst, src, offset, imm }: Instruction): Operation {
  switch (code) {
    case OPCODE.CALL:
      return { kind: 'call', of: src, imm };
    case OPCODE.CALLX:
      // LLVM before 19 has the register in imm.
      return { kind: 'call-register', register: imm !== 0 ? imm & 15 : dst };
    case OPCODE.EXIT:
      return { kind: 'exit' };
    case OPCODE.JA:
      return { kind: 'goto', distance: offset, wide: false };
    case OPCODE.JA32:
      return { kind: 'goto', distance: imm, wide: true };
    case OPCODE.JA_X:
      return { kind: 'goto-register', register: dst };
    case OPCODE.JCOND:
      return { kind: 'may-goto', distance: offset };
  }
  const comparison = COMPARISONS[code >> 4];
  if (comparison === undefined) return { kind: 'unknown' };
  return {
    kind: 'if',
    wide: (code & 7) === CLASS.JMP,
    comparison,
    dst,
    ...((code & X) === 0 ? {} : { src }),
    imm,
    distance: offset,
  };
}

function decodeLd(instruction: Instruction): Operation {
  const { code, dst, src, imm, high } = instruction;
  if (code === OPCODE.LD_IMM64) return { kind: 'imm64', dst, pseudo: src, value: imm64(instruction), imm, high };
  const size = SIZES[(code >> 3) & 3]!;
  const mode = code & 0xe0;
  if ((mode !== MODE.ABS && mode !== MODE.IND) || size === '64') return { kind: 'unknown' };
  return { kind: 'packet', type: `u${size}`, ...(mode === MODE.IND ? { src } : {}), imm };
}

function decodeMemory({ code, dst, src, offset, imm }: Instruction): Operation {
  const size = SIZES[(code >> 3) & 3]!;
  const type = `u${size}`;
  const mode = code & 0xe0;
  switch (code & 7) {
    case CLASS.LDX:
      if (mode === MODE.MEM) return { kind: 'load', type, dst, base: src, offset };
      if (mode === MODE.MEMSX && size !== '64') return { kind: 'load', type: `s${size}`, dst, base: src, offset };
      return { kind: 'unknown' };
    case CLASS.ST:
      if (mode === MODE.MEM) return { kind: 'store-imm', type, base: dst, offset, imm };
      return mode === MODE.ATOMIC ? { kind: 'nospec' } : { kind: 'unknown' };
    default: {
      if (mode === MODE.MEM) return { kind: 'store', type, base: dst, offset, src };
      const atomic = mode === MODE.ATOMIC ? ATOMICS.get(imm) : undefined;
      if (atomic === undefined) return { kind: 'unknown' };
      const [operation, fetch] = atomic;
      // Only loads and stores are of one and two bytes.
      if ((size === '8' || size === '16') && operation !== 'load_acquire' && operation !== 'store_release') return { kind: 'unknown' };
      const acquire = operation === 'load_acquire';
      return { kind: 'atomic', operation, fetch, type, wide: size === '64', base: acquire ? src : dst, offset, src, dst };
    }
  }
}
