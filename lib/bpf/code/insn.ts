import { FormatError } from '../../../elf/errors.js';

/** Bytes of an instruction (Documentation/bpf/standardization/instruction-set.rst). */
export const INSN_BYTES = 8;

/** Instruction classes: the lower three bits of an opcode. */
export const CLASS: {
  readonly LD: 0;
  readonly LDX: 1;
  readonly ST: 2;
  readonly STX: 3;
  readonly ALU: 4;
  readonly JMP: 5;
  readonly JMP32: 6;
  readonly ALU64: 7;
} = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 };

/** Modes of loads and stores: the upper three bits. */
export const MODE: {
  readonly IMM: 0x00;
  readonly ABS: 0x20;
  readonly IND: 0x40;
  readonly MEM: 0x60;
  readonly MEMSX: 0x80;
  readonly ATOMIC: 0xc0;
} = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 };

/** What src_reg says about an ld_imm64 (`BPF_PSEUDO_*`). */
export const PSEUDO: {
  readonly MAP_FD: 1;
  readonly MAP_VALUE: 2;
  readonly BTF_ID: 3;
  readonly FUNC: 4;
  readonly MAP_IDX: 5;
  readonly MAP_IDX_VALUE: 6;
} = { MAP_FD: 1, MAP_VALUE: 2, BTF_ID: 3, FUNC: 4, MAP_IDX: 5, MAP_IDX_VALUE: 6 };

/** What src_reg says about a call. */
export const CALL: { readonly HELPER: 0; readonly SUBPROGRAM: 1; readonly KFUNC: 2 } = { HELPER: 0, SUBPROGRAM: 1, KFUNC: 2 };

export const OPCODE: {
  /** ld_imm64, the one instruction of 16 bytes. */
  readonly LD_IMM64: 0x18;
  readonly CALL: 0x85;
  readonly CALLX: 0x8d;
  readonly EXIT: 0x95;
  readonly JA: 0x05;
  readonly JA_X: 0x0d;
  readonly JA32: 0x06;
  readonly JCOND: 0xe5;
} = { LD_IMM64: 0x18, CALL: 0x85, CALLX: 0x8d, EXIT: 0x95, JA: 0x05, JA_X: 0x0d, JA32: 0x06, JCOND: 0xe5 };

/** One instruction. */
export interface Instruction {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
  /** Of an ld_imm64, the upper half: the second slot's imm. */
  readonly high: number;
}

/** The instructions of a section as columns; an ld_imm64 takes two slots. Indices count slots. */
export class Instructions {
  readonly count: number;
  readonly littleEndian: boolean;
  /** The bytes, 8 for each slot, in the file's byte order. */
  readonly bytes: Uint8Array;
  readonly code: Uint8Array;
  readonly dst: Uint8Array;
  readonly src: Uint8Array;
  readonly offset: Int16Array;
  readonly imm: Int32Array;

  /** @throws FormatError where the bytes are not a number of whole instructions */
  constructor(bytes: Uint8Array, littleEndian: boolean, name: string) {
    if (bytes.length % INSN_BYTES !== 0) {
      throw new FormatError(
        'bad-value',
        { name },
        `${bytes.length} bytes of code are not a multiple of ${INSN_BYTES}, the size of an instruction`,
      );
    }
    const count = bytes.length / INSN_BYTES;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.count = count;
    this.code = new Uint8Array(count);
    this.dst = new Uint8Array(count);
    this.src = new Uint8Array(count);
    this.offset = new Int16Array(count);
    this.imm = new Int32Array(count);
    for (let i = 0, at = 0; i < count; i++, at += INSN_BYTES) {
      const registers = bytes[at + 1]!;
      this.code[i] = bytes[at]!;
      // Two bit-fields of a byte: which comes first depends on the byte order.
      this.dst[i] = littleEndian ? registers & 15 : registers >> 4;
      this.src[i] = littleEndian ? registers >> 4 : registers & 15;
      this.offset[i] = view.getInt16(at + 2, littleEndian);
      this.imm[i] = view.getInt32(at + 4, littleEndian);
    }
  }

  /** True for an ld_imm64 that has its second slot. */
  isWide(index: number): boolean {
    return this.code[index] === OPCODE.LD_IMM64 && index + 1 < this.count;
  }

  at(index: number): Instruction {
    return {
      code: this.code[index]!,
      dst: this.dst[index]!,
      src: this.src[index]!,
      offset: this.offset[index]!,
      imm: this.imm[index]!,
      high: this.isWide(index) ? this.imm[index + 1]! : 0,
    };
  }
}

/** The 64 bits that an ld_imm64 loads. */
export function imm64(instruction: Instruction): bigint {
  return (BigInt(instruction.high >>> 0) << 32n) | BigInt(instruction.imm >>> 0);
}

/** The slots that an instruction may jump over, from the next one; undefined for what does not jump. gotol has them in imm. */
export function jumpDistance({ code, offset, imm }: Instruction): number | undefined {
  const kind = code & 7;
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return undefined;
  if (code === OPCODE.JA32) return imm;
  const operation = code & 0xf0;
  // Calls and exits do not; nor does what goes to a register's address.
  if (operation === 0x80 || operation === 0x90 || code === OPCODE.JA_X) return undefined;
  return offset;
}

/** The slots that may run after one: none after an exit. */
export function successors(code: Instructions, slot: number): number[] {
  const instruction = code.at(slot);
  if (instruction.code === OPCODE.EXIT) return [];
  const next = slot + (code.isWide(slot) ? 2 : 1);
  const distance = jumpDistance(instruction);
  if (distance === undefined) return [next];
  return instruction.code === OPCODE.JA || instruction.code === OPCODE.JA32 ? [next + distance] : [next, next + distance];
}
