import { HOST_LITTLE_ENDIAN } from '../words.js';

// Source: the xxHash fast digest algorithm's specification.
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

/** The low 32 bits of XXH64 with seed 0, the checksum of zstd frames (RFC 8878, 3.1.1). */
export function xxh64Low(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let hash = P5;
  let at = 0;
  if (bytes.length >= 32) {
    const lanes = stripes(view);
    at = bytes.length & ~31;
    hash = u64(rotate(lanes[0]!, 1n) + rotate(lanes[1]!, 7n) + rotate(lanes[2]!, 12n) + rotate(lanes[3]!, 18n));
    for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * P1 + P4);
  }
  hash = u64(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) hash = u64(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  if (at + 4 <= bytes.length) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = u64(rotate(hash ^ u64(BigInt(bytes[at]!) * P5), 11n) * P1);
  hash = u64((hash ^ (hash >> 33n)) * P2);
  hash = u64((hash ^ (hash >> 29n)) * P3);
  return Number((hash ^ (hash >> 32n)) & 0xffffffffn);
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotate(value: bigint, by: bigint): bigint {
  return u64(value << by) | (value >> (64n - by));
}

function round(lane: bigint, input: bigint): bigint {
  return u64(rotate(u64(lane + input * P2), 31n) * P1);
}

/**
 * The four lanes over all whole stripes of 32 bytes. Bigints would take five times as long here, so each lane is two halves of 32 bits, low
 * first, and a product is put together from halves of 16.
 */
function stripes(view: DataView): bigint[] {
  const end = view.byteLength & ~31;
  const lanes = new Int32Array(BigInt64Array.of(P1 + P2, P2, 0n, -P1).buffer);
  if (!HOST_LITTLE_ENDIAN) for (let i = 0; i < 8; i += 2) [lanes[i], lanes[i + 1]] = [lanes[i + 1]!, lanes[i]!];
  for (let at = 0; at < end; at += 32) {
    for (let i = 0; i < 8; i += 2) {
      // lane += input * P2
      const input = view.getInt32(at + 4 * i, true);
      const inputHigh = view.getInt32(at + 4 * i + 4, true);
      const product = Math.imul(input, P2_LOW);
      const sum = (lanes[i]! + product) | 0;
      const carry = sum >>> 0 < product >>> 0 ? 1 : 0;
      const sumHigh = (lanes[i + 1]! + timesHigh(input, P2_LOW) + Math.imul(input, P2_HIGH) + Math.imul(inputHigh, P2_LOW) + carry) | 0;
      // rotate by 31
      const low = (sum << 31) | (sumHigh >>> 1);
      const high = (sumHigh << 31) | (sum >>> 1);
      // lane *= P1
      lanes[i] = Math.imul(low, P1_LOW);
      lanes[i + 1] = timesHigh(low, P1_LOW) + Math.imul(low, P1_HIGH) + Math.imul(high, P1_LOW);
    }
  }
  return [0, 2, 4, 6].map(i => (BigInt(lanes[i + 1]! >>> 0) << 32n) | BigInt(lanes[i]! >>> 0));
}

const P1_LOW = 0x85ebca87 | 0;
const P1_HIGH = 0x9e3779b1 | 0;
const P2_LOW = 0x27d4eb4f;
const P2_HIGH = 0xc2b2ae3d | 0;

/** The high half of the product of two 32-bit numbers. */
function timesHigh(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) >>> 0;
  const other = (Math.imul(a0, b1) + (middle & 0xffff)) >>> 0;
  return (Math.imul(a1, b1) + (middle >>> 16) + (other >>> 16)) | 0;
}
