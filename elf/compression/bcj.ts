/**
 * The filters of xz for machine code, backwards: while packing, they made the operands of calls absolute, so that calls of one function
 * look alike. The xz file format 1.2, section 5.3.2; what they do is defined by the LZMA SDK.
 *
 * @param bytes what is changed in place, one whole block
 * @param start the address that the first byte had for the filter
 */
export type CodeFilter = (bytes: Uint8Array, start: number) => void;

/** What a filter's start offset has to be a multiple of, and the filter. */
export interface CodeFilterEntry {
  readonly name: string;
  readonly align: number;
  /** Undefined: known by name only. */
  readonly undo?: CodeFilter;
}

/** By filter id. */
export const CODE_FILTERS: Readonly<Record<number, CodeFilterEntry>> = {
  4: { name: 'x86', align: 1, undo: x86 },
  5: { name: 'powerpc', align: 4, undo: powerpc },
  6: { name: 'ia64', align: 16 },
  7: { name: 'arm', align: 4, undo: arm },
  8: { name: 'armthumb', align: 2, undo: armThumb },
  9: { name: 'sparc', align: 4, undo: sparc },
  10: { name: 'arm64', align: 4, undo: arm64 },
  11: { name: 'riscv', align: 2 },
};

/** Undoes the delta filter (xz file format 5.3.3): each byte is what it was more than the one `distance` bytes before. */
export function delta(bytes: Uint8Array, distance: number): void {
  for (let i = distance; i < bytes.length; i++) bytes[i]! += bytes[i - distance]!;
}

/** Operands of E8 (call) and E9 (jmp) whose highest byte is 00 or FF. */
function x86(bytes: Uint8Array, start: number): void {
  // An E8 or E9 among the four bytes before may mean that this one is part of an operand. Bit n stands for n + 1 bytes before.
  let opcodes = 0;
  let last = -1;
  const end = bytes.length - 4;
  for (let at = 0; at < end; at++) {
    if ((bytes[at]! & 0xfe) !== 0xe8) continue;
    const gap = at - last;
    last = at;
    opcodes = gap > 3 ? 0 : (opcodes << (gap - 1)) & 7;
    if (opcodes !== 0 && (!ALLOWED[opcodes] || isSign(bytes[at + 4 - OPERAND_BYTES[opcodes]!]!))) {
      opcodes = ((opcodes << 1) & 7) | 1;
      continue;
    }
    if (!isSign(bytes[at + 4]!)) {
      opcodes = ((opcodes << 1) & 7) | 1;
      continue;
    }
    let operand = bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24);
    const next = start + at + 5;
    operand = (operand - next) | 0;
    if (opcodes !== 0) {
      // The filter went round again while the byte it would have to decide by came out as a sign.
      const shift = OPERAND_BYTES[opcodes]! * 8;
      while (isSign((operand >>> (24 - shift)) & 0xff)) {
        operand ^= (2 ** (32 - shift) - 1) | 0;
        operand = (operand - next) | 0;
      }
    }
    bytes[at + 1] = operand;
    bytes[at + 2] = operand >> 8;
    bytes[at + 3] = operand >> 16;
    bytes[at + 4] = operand & (1 << 24) ? 0xff : 0;
    at += 4;
    last = at;
    opcodes = 0;
  }
}

/** By the opcodes before: whether this one may be one, and how many bytes of its operand lie in doubt. */
const ALLOWED = [true, true, true, false, true, false, false, false] as const;
const OPERAND_BYTES = [0, 1, 2, 2, 3, 3, 3, 3] as const;

function isSign(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}

/** BL of A32, condition "always": 24 bits, in words, from 8 bytes after it. */
function arm(bytes: Uint8Array, start: number): void {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    if (bytes[at + 3] !== 0xeb) continue;
    const target = ((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) << 2) - (start + at + 8);
    bytes[at] = target >> 2;
    bytes[at + 1] = target >> 10;
    bytes[at + 2] = target >> 18;
  }
}

/** BL of T32, two halves of 11 bits each, from 4 bytes after it. */
function armThumb(bytes: Uint8Array, start: number): void {
  for (let at = 0; at + 4 <= bytes.length; at += 2) {
    if ((bytes[at + 1]! & 0xf8) !== 0xf0 || (bytes[at + 3]! & 0xf8) !== 0xf8) continue;
    const operand = ((bytes[at + 1]! & 7) << 19) | (bytes[at]! << 11) | ((bytes[at + 3]! & 7) << 8) | bytes[at + 2]!;
    const target = ((operand << 1) - (start + at + 4)) >> 1;
    bytes[at + 1] = 0xf0 | ((target >> 19) & 7);
    bytes[at] = target >> 11;
    bytes[at + 3] = 0xf8 | ((target >> 8) & 7);
    bytes[at + 2] = target;
    at += 2;
  }
}

/** BL: 26 bits, in words. ADRP: 21 bits, in pages, when it reaches no further than 512 MiB. */
function arm64(bytes: Uint8Array, start: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at, true);
    const pc = (start + at) >>> 0;
    if (word >>> 26 === 0x25) {
      view.setUint32(at, 0x94000000 | ((word - (pc >>> 2)) & 0x03ffffff), true);
    } else if ((word & 0x9f000000) >>> 0 === 0x90000000) {
      const operand = ((word >>> 29) & 3) | ((word >>> 3) & 0x1ffffc);
      if (((operand + 0x20000) & 0x1c0000) !== 0) continue;
      const page = operand - (pc >>> 12);
      const sign = page & 0x20000 ? 0xe00000 : 0;
      view.setUint32(at, (word & 0x9000001f) | ((page & 3) << 29) | ((page & 0x3fffc) << 3) | sign, true);
    }
  }
}

/** BL, relative: 24 bits, in words. */
function powerpc(bytes: Uint8Array, start: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at);
    if ((word & 0xfc000003) >>> 0 !== 0x48000001) continue;
    view.setUint32(at, 0x48000001 | (((word & 0x03fffffc) - (start + at)) & 0x03fffffc));
  }
}

/** CALL: 30 bits, in words, when the 8 highest are all alike. */
function sparc(bytes: Uint8Array, start: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at);
    if (word >>> 22 !== 0x100 && word >>> 22 !== 0x1ff) continue;
    const target = ((word << 2) - (start + at)) >>> 2;
    const sign = target & 0x400000 ? 0x3fc00000 : 0;
    view.setUint32(at, 0x40000000 | sign | (target & 0x3fffff));
  }
}
