/** Tables for eight bytes at a time: CRC-32 of IEEE 802.3 (reflected), as RFC 1952 section 8 has it. */
const CRC32 = /* @__PURE__ */ crc32Tables();
/** CRC-64 of ECMA-182 (reflected), which xz uses; the halves of each entry in turn, low first. Four bytes at a time. */
const CRC64 = /* @__PURE__ */ crc64Tables();

/** The CRC-32 of gzip and xz. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const table = CRC32;
  let crc = -1;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      table[0x700 + (crc & 0xff)]! ^
      table[0x600 + ((crc >>> 8) & 0xff)]! ^
      table[0x500 + ((crc >>> 16) & 0xff)]! ^
      table[0x400 + (crc >>> 24)]! ^
      table[0x300 + bytes[at + 4]!]! ^
      table[0x200 + bytes[at + 5]!]! ^
      table[0x100 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** The CRC-64 of xz, as its low and high halves. */
export function crc64(bytes: Uint8Array): readonly [low: number, high: number] {
  const table = CRC64;
  let low = -1;
  let high = -1;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    const word = low ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    const a = 0x600 + ((word & 0xff) << 1);
    const b = 0x400 + ((word >>> 7) & 0x1fe);
    const c = 0x200 + ((word >>> 15) & 0x1fe);
    const d = (word >>> 23) & 0x1fe;
    low = high ^ table[a]! ^ table[b]! ^ table[c]! ^ table[d]!;
    high = table[a + 1]! ^ table[b + 1]! ^ table[c + 1]! ^ table[d + 1]!;
  }
  for (; at < bytes.length; at++) {
    const entry = ((low ^ bytes[at]!) & 0xff) << 1;
    low = ((low >>> 8) | (high << 24)) ^ table[entry]!;
    high = (high >>> 8) ^ table[entry + 1]!;
  }
  return [~low >>> 0, ~high >>> 0];
}

/** Entry `256 * n + byte`: what a byte does to the CRC when `n` bytes of zeros follow it. */
function crc32Tables(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) table[i] = (table[i - 256]! >>> 8) ^ table[table[i - 256]! & 0xff]!;
  return table;
}

function crc64Tables(): Int32Array {
  const table = new Int32Array(4 * 256 * 2);
  for (let byte = 0; byte < 256; byte++) {
    let [low, high] = [byte, 0];
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = ((low >>> 1) | (high << 31)) ^ (odd ? 0xd7870f42 : 0);
      high = (high >>> 1) ^ (odd ? 0xc96c5795 : 0);
    }
    table[2 * byte] = low;
    table[2 * byte + 1] = high;
  }
  for (let i = 512; i < table.length; i += 2) {
    const [low, high] = [table[i - 512]!, table[i - 511]!];
    const entry = (low & 0xff) << 1;
    table[i] = ((low >>> 8) | (high << 24)) ^ table[entry]!;
    table[i + 1] = (high >>> 8) ^ table[entry + 1]!;
  }
  return table;
}
