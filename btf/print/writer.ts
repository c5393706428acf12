import { HOST_LITTLE_ENDIAN } from '../../elf/words.js';
import type { StringTable } from '../strings.js';

/** Where a printer's text goes, piece by piece. The bytes are valid during the call only. */
export type Sink = (bytes: Uint8Array) => void;

const CHUNK = 1 << 18;
/** The first chunk is short: output begins at once, and what flushes is part of the code by the time it is compiled. */
const FIRST = 1 << 13;
/** Free bytes that `room` leaves: one line without its names. */
const LINE = 1 << 10;
/** Names up to this length are copied inside what `room` left. */
const SHORT = 1 << 8;

/** For numbers below 1000: their digits as bytes from the lowest of a word, how many they are, and all three with leading zeros. */
const THREE = new Uint32Array(1000);
const LENGTHS = new Uint8Array(1000);
const PADDED = new Uint32Array(1000);
for (let i = 0; i < 1000; i++) {
  const padded = (48 + ((i / 100) | 0)) | ((48 + (((i / 10) | 0) % 10)) << 8) | ((48 + (i % 10)) << 16);
  LENGTHS[i] = i < 10 ? 1 : i < 100 ? 2 : 3;
  PADDED[i] = padded;
  THREE[i] = padded >>> ((3 - LENGTHS[i]!) * 8);
}

const QUOTE = 34;
const BACKSLASH = 92;
const SHORT_ESCAPES: Readonly<Record<number, string>> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r' };

/**
 * Gathers the text of a dump as bytes. A kernel's BTF prints to ten megabytes, in less time than JavaScript strings of it would take to make:
 * so nothing here makes a string. The methods for parts of a line do not look for room: `room` is to be called before each line, which then may
 * have 512 bytes of literals and numbers beside its names.
 */
export class Writer {
  bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  #end: number;
  readonly #sink: Sink;

  constructor(sink: Sink, capacity: number = CHUNK) {
    this.#sink = sink;
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.#end = Math.min(FIRST, capacity) - LINE;
  }

  /** Makes sure of room for a line. */
  room(): void {
    if (this.at > this.#end) this.flush();
  }

  flush(): void {
    if (this.at > 0) this.#sink(this.bytes.subarray(0, this.at));
    this.at = 0;
    this.#end = this.bytes.length - LINE;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Eight bytes at a time: what goes beyond the literal's end is overwritten by what follows. */
  put({ length, eights }: Literal): void {
    const { view, at } = this;
    view.setFloat64(at, eights[0]!, HOST_LITTLE_ENDIAN);
    for (let i = 1; i < eights.length; i++) view.setFloat64(at + i * 8, eights[i]!, HOST_LITTLE_ENDIAN);
    this.at = at + length;
  }

  /** The string at `offset`. */
  name(strings: StringTable, offset: number): void {
    const table = strings.tableOf(offset);
    const source = table.bytes;
    const { bytes } = this;
    let from = offset - table.start;
    let at = this.at;
    for (const end = from + SHORT; from < end; from++) {
      const value = source[from]!;
      if (value === 0) {
        this.at = at;
        return;
      }
      bytes[at++] = value;
    }
    this.at = at;
    this.long(source.subarray(from, source.indexOf(0, from)));
  }

  /** The string at `offset`, as it stands inside the quotes of JSON. */
  escapedName(strings: StringTable, offset: number): void {
    const table = strings.tableOf(offset);
    const source = table.bytes;
    const { bytes } = this;
    let from = offset - table.start;
    let at = this.at;
    for (const end = from + SHORT; from < end; from++) {
      const value = source[from]!;
      if (value < 32 || value === QUOTE || value === BACKSLASH) break;
      bytes[at++] = value;
    }
    this.at = at;
    if (source[from] !== 0) this.#escape(source.subarray(from, source.indexOf(0, from)));
  }

  /** What is left of a name from its first special character on, or from where it becomes long. */
  #escape(rest: Uint8Array): void {
    for (const value of rest) {
      if (value >= 32 && value !== QUOTE && value !== BACKSLASH) this.byte(value);
      else if (value >= 32) this.text(`\\${String.fromCharCode(value)}`);
      else this.text(SHORT_ESCAPES[value] ?? `\\u${value.toString(16).padStart(4, '0')}`);
      this.room();
    }
  }

  /** Bytes of any length. */
  long(source: Uint8Array): void {
    this.flush();
    this.#sink(source);
  }

  /** An unsigned 32-bit number in decimal, three digits at a time: nearly all are below a million, and most below a thousand. */
  decimal(value: number): void {
    const { view, at } = this;
    if (value < 1000) {
      view.setUint32(at, THREE[value]!, true);
      this.at = at + LENGTHS[value]!;
    } else if (value < 1_000_000) {
      const high = (value / 1000) | 0;
      const middle = at + LENGTHS[high]!;
      view.setUint32(at, THREE[high]!, true);
      view.setUint32(middle, PADDED[value - high * 1000]!, true);
      this.at = middle + 3;
    } else this.text(String(value));
  }

  /** A signed 32-bit number in decimal. */
  signed(value: number): void {
    if (value < 0) this.bytes[this.at++] = 45;
    this.decimal(value < 0 ? -value : value);
  }

  /** A 64-bit number in decimal. */
  wide(low: number, high: number, signed: boolean): void {
    const value = (BigInt(high) << 32n) | BigInt(low);
    this.text((signed ? BigInt.asIntN(64, value) : value).toString());
  }

  /** For the few: any short ASCII. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }
}

/** A piece of ASCII text that is written often: its bytes by eights, as doubles. No eight ASCII characters are a NaN, whose bits may change. */
export interface Literal {
  readonly length: number;
  readonly eights: Float64Array;
}

/** A literal, made once. */
export function ascii(text: string): Literal {
  const bytes = new Uint8Array(Math.max(8, Math.ceil(text.length / 8) * 8));
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return { length: text.length, eights: new Float64Array(bytes.buffer) };
}
