import { unpack } from '../../../elf/compression/unpack.js';
import { isFormatError } from '../../../elf/errors.js';
import type { ByteSource } from '../../../elf/source.js';
import { objectAtStart } from './elf-object.js';
import type { Find, Finder, Form } from './find.js';

// Objects that source code and strings hold as text. Each form is read from where its first bytes are to where the text can't go on.

/** More text than this is not an object: kernels' own limit is a million instructions for a program, 8 MB. */
const MOST_TEXT = 1 << 28;
const PIECE = 1 << 16;
/** What gzip may make of a packed object: BPF objects are no larger than some megabytes. */
const MOST_UNPACKED = 1 << 26;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `"\x7f\x45\x4c\x46…"` and its kin: `\177ELF`, `\x7fELF`, in literals that end at a quote and go on in the next one. */
export const STRING_LITERAL: Finder = {
  sourceOnly: true,
  needles: [ascii('\\x7f'), ascii('\\x7F'), ascii('\\177')],
  examine: (source, offset) => textual('string literal', source, offset, decodeLiteral),
};

/** `0x7f, 0x45, 0x4c, 0x46, …` */
export const BYTE_LIST: Finder = {
  sourceOnly: true,
  needles: [ascii('0x7f, 0x45'), ascii('0x7f,0x45'), ascii('0x7F, 0x45'), ascii('0x7F,0x45')],
  examine: (source, offset) => textual('byte list', source, offset, decodeList),
};

/** Base64 of an ELF magic with ELFCLASS64: 7f 45 4c 46 02 and the first bits of the byte order. */
export const BASE64: Finder = {
  sourceOnly: false,
  needles: [ascii('f0VMRgI')],
  examine: (source, offset) => textual('base64', source, offset, decodeBase64),
};

/** Base64 of the magic of gzip and its only method: 1f 8b 08. */
export const BASE64_GZIP: Finder = {
  sourceOnly: false,
  needles: [ascii('H4sI')],
  examine: (source, offset) => textual('base64 of gzip', source, offset, decodeBase64, gunzip),
};

/** Bytes that a text stands for, and how much of the text they are. */
export interface Decoded {
  readonly bytes: Uint8Array;
  /** Characters that were read. */
  readonly extent: number;
}

/** Reads characters on demand, so that what ends early costs little. */
export class Text {
  readonly #source: ByteSource;
  readonly #start: number;
  readonly #end: number;
  #piece: Uint8Array = new Uint8Array(0);
  #pieceAt = 0;
  /** Relative to where the text began. */
  at = 0;

  constructor(source: ByteSource, start: number) {
    this.#source = source;
    this.#start = start;
    this.#end = Math.min(source.size - start, MOST_TEXT);
  }

  /** The character `ahead` of the current one; -1 past the end. */
  peek(ahead = 0): number {
    const at = this.at + ahead;
    if (at >= this.#end) return -1;
    if (at < this.#pieceAt || at >= this.#pieceAt + this.#piece.length) {
      this.#pieceAt = at;
      this.#piece = this.#source.read(this.#start + at, Math.min(PIECE, this.#end - at));
    }
    return this.#piece[at - this.#pieceAt]!;
  }
}

/** Bytes of a length that is unknown before. */
class Growing {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  push(byte: number): void {
    if (this.length === this.#bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.length++] = byte;
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

function textual(
  form: Form,
  source: ByteSource,
  offset: number,
  decode: (text: Text) => Decoded,
  unpacked: (bytes: Uint8Array) => Uint8Array | undefined = bytes => bytes,
): Find | number {
  const { bytes, extent } = decode(new Text(source, offset));
  const object = unpacked(bytes);
  const find = object === undefined ? undefined : objectAtStart(form, object, offset, extent);
  return find ?? offset + Math.max(extent, 1);
}

function gunzip(bytes: Uint8Array): Uint8Array | undefined {
  // A header, no data and a trailer take 20 bytes.
  if (bytes.length < 20) return undefined;
  try {
    return unpack(bytes, { name: 'base64', format: 'gzip', limit: MOST_UNPACKED, trailing: 'ignore' }).bytes;
  } catch (error) {
    if (isFormatError(error)) return undefined;
    throw error;
  }
}

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What a letter after a backslash stands for: C11 6.4.4.4. */
const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  e: 27,
  '"': 34,
  "'": 39,
  '?': 63,
  '\\': 92,
};

/**
 * A string literal from within to its end. Literals that follow with nothing but white space or a `+` between go on with it; a backslash
 * before the end of a line joins lines. `\x` takes two digits, as generators write it: C would take more.
 */
export function decodeLiteral(text: Text): Decoded {
  const bytes = new Growing();
  let extent = 0;
  for (;;) {
    const char = text.peek();
    if (char === QUOTE) {
      extent = text.at;
      text.at++;
      if (!nextLiteral(text)) return { bytes: bytes.done(), extent };
    } else if (char === BACKSLASH) {
      const byte = escapedByte(text);
      if (byte === undefined) return { bytes: bytes.done(), extent: text.at };
      if (byte >= 0) bytes.push(byte);
    } else if (char < 0 || char === NEWLINE) {
      return { bytes: bytes.done(), extent: text.at };
    } else {
      bytes.push(char);
      text.at++;
    }
  }
}

/** Steps over white space and one `+` to after the quote that opens the next literal. */
function nextLiteral(text: Text): boolean {
  for (let ahead = 0, plus = 0; ahead < 256; ahead++) {
    const char = text.peek(ahead);
    if (char === QUOTE) {
      text.at += ahead + 1;
      return true;
    }
    if (char === 0x2b && plus++ === 0) continue;
    if (char !== 0x20 && char !== 9 && char !== NEWLINE && char !== RETURN && char !== BACKSLASH) return false;
  }
  return false;
}

/** The byte of an escape, -1 for none (a joined line), undefined for what is not an escape; the text is after it then. */
function escapedByte(text: Text): number | undefined {
  const char = text.peek(1);
  if (char === NEWLINE || (char === RETURN && text.peek(2) === NEWLINE)) {
    text.at += char === NEWLINE ? 2 : 3;
    return -1;
  }
  if (char === 0x78) {
    const high = hexDigit(text.peek(2));
    if (high < 0) return undefined;
    const low = hexDigit(text.peek(3));
    text.at += low < 0 ? 3 : 4;
    return low < 0 ? high : high * 16 + low;
  }
  if (char >= 0x30 && char <= 0x37) {
    let value = 0;
    let digits = 0;
    for (; digits < 3; digits++) {
      const digit = text.peek(1 + digits) - 0x30;
      if (digit < 0 || digit > 7) break;
      value = value * 8 + digit;
    }
    text.at += 1 + digits;
    return value & 0xff;
  }
  const simple = SIMPLE[String.fromCharCode(Math.max(char, 0))];
  if (simple === undefined) return undefined;
  text.at += 2;
  return simple;
}

function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Numbers of at most 255, in hexadecimal, with commas and white space between. */
export function decodeList(text: Text): Decoded {
  const bytes = new Growing();
  let extent = 0;
  for (;;) {
    while (isSpace(text.peek())) text.at++;
    if (text.peek() !== 0x30 || (text.peek(1) | 0x20) !== 0x78) break;
    const high = hexDigit(text.peek(2));
    const low = hexDigit(text.peek(3));
    if (high < 0 || hexDigit(text.peek(4)) >= 0) break;
    bytes.push(low < 0 ? high : high * 16 + low);
    text.at += low < 0 ? 3 : 4;
    extent = text.at;
    while (isSpace(text.peek())) text.at++;
    if (text.peek() !== 0x2c) break;
    text.at++;
  }
  return { bytes: bytes.done(), extent };
}

function isSpace(char: number): boolean {
  return char === 0x20 || (char >= 9 && char <= 13);
}

/** RFC 4648, both alphabets, to the first character that is in neither; line ends are skipped. */
export function decodeBase64(text: Text): Decoded {
  const bytes = new Growing();
  let extent = 0;
  let bits = 0;
  let value = 0;
  for (;;) {
    const char = text.peek();
    const digit = char < 0 ? -1 : BASE64_DIGIT[char]!;
    if (digit < 0) {
      if (char !== NEWLINE && char !== RETURN) break;
      text.at++;
      continue;
    }
    value = ((value << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
    extent = ++text.at;
  }
  let padding = 0;
  while (padding < 2 && text.peek(padding) === 0x3d) padding++;
  return { bytes: bytes.done(), extent: padding > 0 ? text.at + padding : extent };
}

const BASE64_DIGIT: Int8Array = new Int8Array(256).fill(-1);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((char, digit) => {
  BASE64_DIGIT[char.charCodeAt(0)] = digit;
});
BASE64_DIGIT[0x2d] = 62;
BASE64_DIGIT[0x5f] = 63;
