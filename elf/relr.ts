import { Cursor } from './cursor.js';
import type { ElfHeader } from './header.js';
import { Words } from './words.js';

/**
 * Decodes a RELR section into the addresses it relocates. gABI, "Relative Relocation Table": an even word is an address; an odd one is a bitmap
 * of the 63 (31) words behind the last address, from its second bit on.
 */
export function decodeRelr(bytes: Uint8Array, header: ElfHeader): Words {
  const { is64, littleEndian } = header;
  const size = is64 ? 8 : 4;
  const entries = Math.floor(bytes.length / size);
  const cursor = new Cursor(bytes, littleEndian, 'RELR');
  let count = 0;
  for (let i = 0; i < entries; i++) {
    const first = cursor.u32();
    const second = is64 ? cursor.u32() : 0;
    const bitmap = ((littleEndian || !is64 ? first : second) & 1) !== 0;
    count += bitmap ? bits(first) + bits(second) - 1 : 1;
  }
  const sites = new Words(count);
  const span = BigInt((size * 8 - 1) * size);
  cursor.pos = 0;
  let next = 0n;
  for (let i = 0, at = 0; i < entries; i++) {
    const entry = cursor.address(is64);
    if ((entry & 1n) === 0n) {
      sites.big[at++] = entry;
      next = entry + BigInt(size);
      continue;
    }
    for (let bitmap = entry >> 1n, place = next; bitmap !== 0n; bitmap >>= 1n, place += BigInt(size)) {
      if ((bitmap & 1n) !== 0n) sites.big[at++] = place;
    }
    next += span;
  }
  return sites;
}

/** How many bits of a 32-bit word are set. */
function bits(word: number): number {
  let pairs = word - ((word >>> 1) & 0x55555555);
  pairs = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (((pairs + (pairs >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
