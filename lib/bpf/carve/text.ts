import type { ByteSource } from '../../../elf/source.js';

// What texts of source code and of strings stand for: each is read from where its first bytes are to where it can't go on.

/** More text than this is not an object: kernels' own limit is a million instructions for a program, 8 MB. */
const MOST_TEXT = 1 << 28;
/** Pieces grow: most texts end after a few characters. */
const FIRST_PIECE = 1 << 8;
const LARGEST_PIECE = 1 << 16;

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
  #pieceSize = FIRST_PIECE;
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
      this.#piece = this.#source.read(this.#start + at, Math.min(this.#pieceSize, this.#end - at));
      this.#pieceSize = Math.min(this.#pieceSize * 4, LARGEST_PIECE);
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

/** Numbers of at most 255, decimal or hexadecimal, with a suffix as C and Rust have them or without; commas, white space or both between. */
export function decodeList(text: Text): Decoded {
  const bytes = new Growing();
  let extent = 0;
  for (;;) {
    while (isSpace(text.peek())) text.at++;
    const byte = number(text);
    if (byte === undefined) break;
    bytes.push(byte);
    extent = text.at;
    while (isSpace(text.peek())) text.at++;
    if (text.peek() === COMMA) text.at++;
    else if (text.at === extent) break;
  }
  return { bytes: bytes.done(), extent };
}

const COMMA = 0x2c;

/** A number that is a byte, and steps over it; undefined where there is none. */
function number(text: Text): number | undefined {
  const isHex = text.peek() === 0x30 && (text.peek(1) | 0x20) === 0x78;
  const start = isHex ? 2 : 0;
  const radix = isHex ? 16 : 10;
  let value = 0;
  let digits = 0;
  for (; digits < 4; digits++) {
    const digit = hexDigit(text.peek(start + digits));
    if (digit < 0 || digit >= radix) break;
    value = value * radix + digit;
  }
  if (digits === 0 || value > 255) return undefined;
  let end = start + digits;
  if ((text.peek(end) | 0x20) === 0x75) end += text.peek(end + 1) === 0x38 ? 2 : 1;
  // What goes on in letters or digits is another word.
  if (isWord(text.peek(end))) return undefined;
  text.at += end;
  return value;
}

function isWord(char: number): boolean {
  return (char >= 0x30 && char <= 0x39) || (char >= 0x41 && char <= 0x5a) || (char >= 0x61 && char <= 0x7a) || char === 0x5f;
}

/** Two hexadecimal digits a byte, to what is none; line ends are skipped. */
export function decodeHex(text: Text): Decoded {
  const bytes = new Growing();
  let extent = 0;
  for (;;) {
    const char = text.peek();
    if (char === NEWLINE || char === RETURN) {
      text.at++;
      continue;
    }
    const [high, low] = [hexDigit(char), hexDigit(text.peek(1))];
    if (high < 0 || low < 0) return { bytes: bytes.done(), extent };
    bytes.push(high * 16 + low);
    extent = text.at += 2;
  }
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
