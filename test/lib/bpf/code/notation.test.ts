import { expect } from 'chai';
import { decode, Instructions, kernelNotation, llvmNotation } from 'kelf/bpf';
import { type InsnSpec, insns } from '../../../support/bpf-writer.js';

/** Two slots, of which the first is looked at. */
function instruction(spec: InsnSpec, next: InsnSpec = [0]): ReturnType<Instructions['at']> {
  return new Instructions(insns(true, spec, next), true, 'test').at(0);
}

// Opcode, dst, src, offset, imm; the kernel's notation by kernel/bpf/disasm.c, LLVM's by its BPFInstrInfo.td.
const CASES: readonly (readonly [InsnSpec, kernel: string, llvm: string])[] = [
  [[0x07, 2, 0, 0, -4], 'r2 += -4', 'r2 += -4'],
  [[0x0c, 1, 2], 'w1 += w2', 'w1 += w2'],
  [[0xbf, 6, 1], 'r6 = r1', 'r6 = r1'],
  [[0xc4, 1, 0, 0, 7], 'w1 s>>= 7', 'w1 s>>= 7'],
  [[0x87, 3], 'r3 = -r3', 'r3 = -r3'],
  [[0x84, 3], 'w3 = -w3', 'w3 = -w3'],
  [[0xd4, 1, 0, 0, 16], 'r1 = le16 r1', 'r1 = le16 r1'],
  [[0xdc, 1, 0, 0, 64], 'r1 = be64 r1', 'r1 = be64 r1'],
  [[0x79, 1, 1, 8], 'r1 = *(u64 *)(r1 +8)', 'r1 = *(u64 *)(r1 + 8)'],
  [[0x61, 1, 10, -4], 'r1 = *(u32 *)(r10 -4)', 'r1 = *(u32 *)(r10 - 4)'],
  [[0x73, 10, 1, -1], '*(u8 *)(r10 -1) = r1', '*(u8 *)(r10 - 1) = r1'],
  [[0x62, 10, 0, -8, 5], '*(u32 *)(r10 -8) = 5', '*(u32 *)(r10 - 8) = 5'],
  [[0x05, 0, 0, -3], 'goto pc-3', 'goto -3'],
  [[0x65, 0, 0, 2, 7], 'if r0 s> 0x7 goto pc+2', 'if r0 s> 7 goto +2'],
  [[0x55, 1, 0, 2, -1], 'if r1 != 0xffffffff goto pc+2', 'if r1 != -1 goto +2'],
  [[0xae, 1, 2, 4], 'if w1 < w2 goto pc+4', 'if w1 < w2 goto +4'],
  [[0x45, 1, 0, 4, 8], 'if r1 & 0x8 goto pc+4', 'if r1 & 8 goto +4'],
  [[0x85, 0, 0, 0, 1], 'call bpf_map_lookup_elem#1', 'call 1'],
  [[0x85, 0, 0, 0, 9999], 'call unknown#9999', 'call 9999'],
  [[0x85, 0, 1, 0, 3], 'call pc+3', 'call 3'],
  [[0x85, 0, 2, 0, 71], 'call kernel-function#71', 'call 71'],
  [[0x8d, 3], 'callx r3', 'callx r3'],
  [[0x95], 'exit', 'exit'],
  [[0x20, 0, 0, 0, 12], 'r0 = *(u32 *)skb[12]', 'r0 = *(u32 *)skb[12]'],
  [[0x48, 0, 2, 0, 3], 'r0 = *(u16 *)skb[r2 + 3]', 'r0 = *(u16 *)skb[r2]'],
  // Atomic operations
  [[0xc3, 1, 2], 'lock *(u32 *)(r1 +0) += r2', 'lock *(u32 *)(r1 + 0) += r2'],
  [[0xdb, 1, 2, 8, 0x50], 'lock *(u64 *)(r1 +8) &= r2', 'lock *(u64 *)(r1 + 8) &= r2'],
  [[0xdb, 1, 2, 0, 0x01], 'r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)', 'r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)'],
  [[0xc3, 1, 2, 0, 0xa1], 'r2 = atomic_fetch_xor((u32 *)(r1 +0), r2)', 'w2 = atomic_fetch_xor((u32 *)(r1 + 0), w2)'],
  [[0xdb, 1, 2, 0, 0xe1], 'r2 = atomic64_xchg((u64 *)(r1 +0), r2)', 'r2 = xchg_64(r1 + 0, r2)'],
  [[0xc3, 1, 2, 0, 0xf1], 'r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)', 'w0 = cmpxchg32_32(r1 + 0, w0, w2)'],
  [[0xdb, 1, 2, 0, 0x100], 'r1 = load_acquire((u64 *)(r2 +0))', 'r1 = load_acquire((u64 *)(r2 + 0))'],
  [[0xd3, 1, 2, 4, 0x110], 'store_release((u8 *)(r1 +4), r2)', 'store_release((u8 *)(r1 + 4), w2)'],
  // Version 4 of the instruction set
  [[0x3f, 1, 2, 1], 'r1 s/= r2', 'r1 s/= r2'],
  [[0x94, 1, 0, 1, 3], 'w1 s%= 3', 'w1 s%= 3'],
  [[0xbf, 1, 2, 8], 'r1 = (s8)r2', 'r1 = (s8)r2'],
  [[0xbc, 1, 2, 16], 'w1 = (s16)w2', 'w1 = (s16)w2'],
  [[0x81, 1, 2, 4], 'r1 = *(s32 *)(r2 +4)', 'r1 = *(s32 *)(r2 + 4)'],
  [[0xd7, 1, 0, 0, 32], 'r1 = bswap32 r1', 'r1 = bswap32 r1'],
  [[0x06, 0, 0, 0, 70000], 'gotol pc+70000', 'gotol +70000'],
  // What came later
  [[0xe5, 0, 0, 5], 'may_goto pc+5', 'may_goto +5'],
  [[0x0d, 4], 'gotox r4', 'gotox r4'],
  [[0xbf, 1, 2, 1, 0x10000], 'r1 = addr_space_cast(r2, 1, 0)', 'r1 = addr_space_cast(r2, 1, 0)'],
];

describe('instructions', () => {
  for (const [spec, kernel, llvm] of CASES) {
    it(kernel, () => {
      const decoded = decode(instruction(spec));
      expect(kernelNotation(spec[0], decoded)).to.equal(`(${spec[0].toString(16).padStart(2, '0')}) ${kernel}`);
      expect(llvmNotation(decoded)).to.equal(llvm);
    });
  }

  for (const [source, low, high, kernel, llvm] of [
    [0, 5, 1, 'r1 = 0x100000005', 'r1 = 4294967301 ll'],
    [0, -1, -1, 'r1 = 0xffffffffffffffff', 'r1 = -1 ll'],
    [1, 7, 0, 'r1 = map[id:7]', 'ld_pseudo\tr1, 1, 7'],
    [2, 7, 16, 'r1 = map[id:7][0]+16', 'ld_pseudo\tr1, 2, 7'],
    [4, -3, 0, 'r1 = subprog[-3]', 'ld_pseudo\tr1, 4, -3'],
    [6, 2, 8, 'r1 = map[idx:2]+8', 'ld_pseudo\tr1, 6, 2'],
  ] as const) {
    it(`ld_imm64: ${kernel}`, () => {
      const decoded = decode(instruction([0x18, 1, source, 0, low], [0, 0, 0, 0, high]));
      expect(kernelNotation(0x18, decoded)).to.equal(`(18) ${kernel}`);
      expect(llvmNotation(decoded)).to.equal(llvm);
    });
  }

  it('numbers in hexadecimal, as LLVM since 17 has them', () => {
    const text = (spec: InsnSpec): string => llvmNotation(decode(instruction(spec)), { hex: true, target: 'LBB0_2' });
    expect(text([0x07, 2, 0, 0, -4])).to.equal('r2 += -0x4');
    expect(text([0x61, 1, 10, -16])).to.equal('r1 = *(u32 *)(r10 - 0x10)');
    expect(text([0x15, 2, 0, 33, 0])).to.equal('if r2 == 0x0 goto +0x21 <LBB0_2>');
  });

  it('registers of either byte order', () => {
    for (const littleEndian of [true, false]) {
      const list = new Instructions(insns(littleEndian, [0x79, 1, 2, -8, 0]), littleEndian, 'test');
      expect(kernelNotation(0x79, decode(list.at(0)))).to.equal('(79) r1 = *(u64 *)(r2 -8)');
    }
  });

  for (const spec of [[0x00], [0xff], [0x8f, 1], [0xbf, 1, 2, 3], [0xdb, 1, 2, 0, 0x33], [0xd4, 1, 0, 0, 7], [0x99, 1]] as const) {
    it(`0x${spec[0].toString(16)} is none`, () => {
      const decoded = decode(instruction(spec));
      expect(llvmNotation(decoded)).to.equal('<unknown>');
      expect(kernelNotation(spec[0], decoded)).to.match(/BUG_/);
    });
  }
});
