/** The round constants: the first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const K = /* @__PURE__ */ fractions(64, Math.cbrt);
/** The initial hash: the same of the square roots of the first 8 primes (FIPS 180-4, 5.3.3). */
const START = /* @__PURE__ */ fractions(8, Math.sqrt);

/** SHA-256 (FIPS 180-4), which xz may use as its check. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const hash = START.slice();
  const words = new Int32Array(64);
  const whole = bytes.length & ~63;
  for (let at = 0; at < whole; at += 64) round(hash, words, new DataView(bytes.buffer, bytes.byteOffset + at, 64));

  const rest = bytes.length - whole;
  const last = new DataView(new ArrayBuffer(rest < 56 ? 64 : 128));
  new Uint8Array(last.buffer).set(bytes.subarray(whole));
  last.setUint8(rest, 0x80);
  last.setBigUint64(last.byteLength - 8, BigInt(bytes.length) * 8n);
  for (let at = 0; at < last.byteLength; at += 64) round(hash, words, new DataView(last.buffer, at, 64));

  const result = new DataView(new ArrayBuffer(32));
  for (const [i, word] of hash.entries()) result.setInt32(4 * i, word);
  return new Uint8Array(result.buffer);
}

function round(hash: Int32Array, words: Int32Array, block: DataView): void {
  for (let i = 0; i < 16; i++) words[i] = block.getInt32(4 * i);
  for (let i = 16; i < 64; i++) {
    const [before15, before2] = [words[i - 15]!, words[i - 2]!];
    const s0 = rotate(before15, 7) ^ rotate(before15, 18) ^ (before15 >>> 3);
    const s1 = rotate(before2, 17) ^ rotate(before2, 19) ^ (before2 >>> 10);
    words[i] = (words[i - 16]! + s0 + words[i - 7]! + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + words[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) hash[i]! += word;
}

function rotate(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by));
}

function fractions(count: number, root: (value: number) => number): Int32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= n; divisor++) prime &&= n % divisor !== 0;
    if (prime) found.push(Math.floor((root(n) % 1) * 2 ** 32));
  }
  return Int32Array.from(found, value => value | 0);
}
