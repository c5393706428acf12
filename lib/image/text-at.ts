import type { Memory } from '../../elf/memory.js';

/** Longer texts are none. */
const LONGEST = 512;

/** The NUL-terminated text at an address of an image; undefined if there is none, or none of at most 512 bytes. */
export function textAt(memory: Memory, address: bigint): string | undefined {
  for (let length = LONGEST; length >= 16; length /= 2) {
    if (!memory.has(address, length)) continue;
    const bytes = memory.stored(address, length);
    const end = bytes.indexOf(0);
    return end < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, end));
  }
  return undefined;
}
