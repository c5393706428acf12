/** SHA-1 (FIPS 180-4), by which kernels before 6.18 make the tags of programs. */
export function sha1(bytes: Uint8Array): Uint8Array {
  const hash = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  const words = new Int32Array(80);
  const whole = bytes.length & ~63;
  const blocks = new DataView(bytes.buffer, bytes.byteOffset, whole);
  for (let at = 0; at < whole; at += 64) round(hash, words, blocks, at);

  const rest = bytes.length - whole;
  const last = new DataView(new ArrayBuffer(rest < 56 ? 64 : 128));
  new Uint8Array(last.buffer).set(bytes.subarray(whole));
  last.setUint8(rest, 0x80);
  last.setBigUint64(last.byteLength - 8, BigInt(bytes.length) * 8n);
  for (let at = 0; at < last.byteLength; at += 64) round(hash, words, last, at);

  const result = new DataView(new ArrayBuffer(20));
  for (const [i, word] of hash.entries()) result.setInt32(4 * i, word);
  return new Uint8Array(result.buffer);
}

function round(hash: Int32Array, words: Int32Array, blocks: DataView, start: number): void {
  for (let i = 0; i < 16; i++) words[i] = blocks.getInt32(start + 4 * i);
  for (let i = 16; i < 80; i++) words[i] = rotate(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
  let a = hash[0]!;
  let b = hash[1]!;
  let c = hash[2]!;
  let d = hash[3]!;
  let e = hash[4]!;
  for (let i = 0; i < 80; i++) {
    let f: number;
    if (i < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (i < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotate(a, 5) + f + e + words[i]!) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  hash[0]! += a;
  hash[1]! += b;
  hash[2]! += c;
  hash[3]! += d;
  hash[4]! += e;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
