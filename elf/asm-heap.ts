/** More than this is not addressed with the signed numbers of asm.js. */
export const LARGEST_HEAP = 0x7f00_0000;

/** Memory for a loop in asm.js, at least `size` bytes, of a length that it takes. Pages that nothing touches cost nothing. */
export function asmHeap(size: number): ArrayBuffer {
  return new ArrayBuffer(size <= 1 << 24 ? 2 ** Math.max(16, Math.ceil(Math.log2(size))) : Math.ceil(size / 2 ** 24) * 2 ** 24);
}
