import type { Output } from './output.js';

// Writes the parts of a row into bytes, each returning where the next part goes. A table of a kernel has 100,000 rows, and a command prints it
// once: small functions over plain arguments are compiled sooner, and better, than methods that keep a state.

const HEX = Uint8Array.from('0123456789abcdef', digit => digit.charCodeAt(0));

const POWERS = Array.from({ length: 32 }, (_, digits) => 10 ** digits);

/** The longest name that {@link putName} writes. */
export const LONGEST_NAME = 512;

/** A 32-bit word as eight hexadecimal digits. */
export function putHex(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = HEX[word >>> 28]!;
  bytes[at + 1] = HEX[(word >>> 24) & 15]!;
  bytes[at + 2] = HEX[(word >>> 20) & 15]!;
  bytes[at + 3] = HEX[(word >>> 16) & 15]!;
  bytes[at + 4] = HEX[(word >>> 12) & 15]!;
  bytes[at + 5] = HEX[(word >>> 8) & 15]!;
  bytes[at + 6] = HEX[(word >>> 4) & 15]!;
  bytes[at + 7] = HEX[word & 15]!;
  return at + 8;
}

/** A 32-bit word in decimal, with spaces in front up to `width` characters, 31 at most. */
export function putDecimal(bytes: Uint8Array, at: number, word: number, width: number): number {
  let end = at + width;
  for (let limit = POWERS[width]!; limit <= word; limit *= 10) end++;
  let place = end;
  let rest = word;
  while (rest > 9) {
    const next = (rest / 10) >>> 0;
    bytes[--place] = 48 + rest - next * 10;
    rest = next;
  }
  bytes[--place] = 48 + rest;
  while (place > at) bytes[--place] = 32;
  return end;
}

export function putBytes(bytes: Uint8Array, at: number, source: Uint8Array): number {
  let end = at;
  for (let i = 0; i < source.length; i++) bytes[end++] = source[i]!;
  return end;
}

/** A NUL-terminated name, from `start` of `source`, at the output's position: as {@link Output.name}, which takes over for the unusual ones. */
export function putName(out: Output, bytes: Uint8Array, at: number, source: Uint8Array, start: number): number {
  const most = Math.min(source.length, start + LONGEST_NAME);
  let end = at;
  for (let from = start; from < most; from++) {
    const byte = source[from]!;
    if (byte === 0) return end;
    if (byte < 32 || byte === 127) break;
    bytes[end++] = byte;
  }
  out.position = at;
  out.name(source, start).room(LONGEST_NAME);
  return out.position;
}
