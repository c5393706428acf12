/** Sums of so many bytes are below 2^32. */
const RUN = 5552;

/** Adler-32 (RFC 1950, section 8). */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + RUN, bytes.length);
    for (; at < end; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 0x1_0000 + a;
}
