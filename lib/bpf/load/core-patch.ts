import { CoreError, type CoreResolution } from '../../../btf/core.js';
import { CLASS, INSN_BYTES, OPCODE } from '../code/insn.js';

/** What a relocation does to its instruction. */
export type CorePatch =
  | {
      readonly kind: 'patched';
      /** As libbpf's log names the instruction's class, and what of it changes. */
      readonly instruction: 'ALU/ALU64' | 'LDX/ST/STX' | 'LDIMM64';
      readonly field: 'imm' | 'off' | 'imm64';
      readonly from: bigint;
      readonly to: bigint;
      /** Bytes of the load or store, before and after, where they change. */
      readonly size?: readonly [from: number, to: number];
    }
  /** The instruction, and the second half of an ld_imm64, which is `wide`, becomes a call to a helper that does not exist. */
  | { readonly kind: 'poisoned'; readonly unsafeSize: boolean; readonly wide: boolean };

/** The helper that libbpf calls instead of what can't be relocated (0xbad2310). */
export const POISON_IMM = 195_896_080;
const LARGEST_OFFSET = 0x7fff;
/** Bytes of a load or store by the size bits of its opcode, BPF_W, BPF_H, BPF_B, BPF_DW. */
const SIZES: readonly number[] = [4, 2, 1, 8];

/** Code that relocations are applied to: a copy of a section's bytes. */
export class PatchableCode {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = Uint8Array.from(bytes);
    this.#view = new DataView(this.bytes.buffer);
    this.#little = littleEndian;
  }

  /**
   * Applies a resolution to the instruction in slot `index`, as bpf_core_patch_insn does.
   * @throws CoreError where libbpf refuses: an instruction of another kind than those it patches, or that does not hold what the compiler
   * put there
   */
  apply(index: number, resolution: CoreResolution): CorePatch {
    const { poison, value, original, size, sizeUnsafe } = resolution;
    const at = index * INSN_BYTES;
    if (at % INSN_BYTES !== 0 || at + INSN_BYTES > this.bytes.length) throw new CoreError(`there is no instruction ${index}`);
    if (poison) return this.#poison(at, false);
    const code = this.bytes[at]!;
    const to = BigInt.asIntN(64, value);
    switch (code & 7) {
      case CLASS.ALU:
      case CLASS.ALU64: {
        if ((code & 8) !== 0) throw new CoreError(`instruction ${index} takes a register, not a value`);
        const from = BigInt(this.#view.getInt32(at + 4, this.#little));
        this.#expect(index, BigInt.asUintN(32, from), BigInt.asUintN(32, original.value), original.validate);
        this.#view.setInt32(at + 4, Number(BigInt.asIntN(32, to)), this.#little);
        return { kind: 'patched', instruction: 'ALU/ALU64', field: 'imm', from, to };
      }
      case CLASS.LDX:
      case CLASS.ST:
      case CLASS.STX: {
        const from = BigInt(this.#view.getInt16(at + 2, this.#little));
        this.#expect(index, from, BigInt.asIntN(64, original.value), original.validate);
        if (value > BigInt(LARGEST_OFFSET)) throw new CoreError(`instruction ${index}: offset ${value} does not fit`);
        if (sizeUnsafe) return this.#poison(at, true);
        this.#view.setInt16(at + 2, Number(to), this.#little);
        const patched = { kind: 'patched', instruction: 'LDX/ST/STX', field: 'off', from, to } as const;
        if (size === undefined) return patched;
        const before = SIZES[(code >> 3) & 3]!;
        const after = SIZES.indexOf(size);
        if (before !== original.size || after < 0)
          throw new CoreError(
            `instruction ${index}: it accesses ${before} bytes, the field has ${original.size}, the kernel's field ${size}`,
          );
        this.bytes[at] = (code & ~0x18) | (after << 3);
        return { ...patched, size: [before, size] };
      }
      case CLASS.LD: {
        if (code !== OPCODE.LD_IMM64 || at + 2 * INSN_BYTES > this.bytes.length)
          throw new CoreError(`instruction ${index} is not an ld_imm64`);
        const high = at + INSN_BYTES + 4;
        const from = (BigInt(this.#view.getUint32(high, this.#little)) << 32n) | BigInt(this.#view.getUint32(at + 4, this.#little));
        this.#expect(index, from, BigInt.asUintN(64, original.value), original.validate);
        this.#view.setUint32(at + 4, Number(BigInt.asUintN(32, value)), this.#little);
        this.#view.setUint32(high, Number(BigInt.asUintN(32, value >> 32n)), this.#little);
        return { kind: 'patched', instruction: 'LDIMM64', field: 'imm64', from, to: BigInt.asUintN(64, value) };
      }
      default:
        throw new CoreError(`instruction ${index}, with opcode 0x${code.toString(16)}, cannot be relocated`);
    }
  }

  #expect(index: number, found: bigint, expected: bigint, validate: boolean): void {
    if (validate && found !== expected) throw new CoreError(`instruction ${index} holds ${found}, expected ${expected}`);
  }

  #poison(at: number, unsafeSize: boolean): CorePatch {
    const wide = this.bytes[at] === OPCODE.LD_IMM64 && at + 2 * INSN_BYTES <= this.bytes.length;
    for (let slot = at; slot <= at + (wide ? INSN_BYTES : 0); slot += INSN_BYTES) {
      this.bytes.fill(0, slot, slot + 4);
      this.bytes[slot] = OPCODE.CALL;
      this.#view.setInt32(slot + 4, POISON_IMM, this.#little);
    }
    return { kind: 'poisoned', unsafeSize, wide };
  }
}
