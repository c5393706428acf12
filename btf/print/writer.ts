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
  at = 0;
  #end: number;
  readonly #sink: Sink;

  constructor(sink: Sink, capacity: number = CHUNK) {
    this.#sink = sink;
    this.bytes = new Uint8Array(capacity);
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

  /** Bytes made by {@link ascii}. */
  put(literal: Uint8Array): void {
    const { bytes } = this;
    let at = this.at;
    for (let i = 0; i < literal.length; i++) bytes[at++] = literal[i]!;
    this.at = at;
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

  /** An unsigned 32-bit number in decimal. */
  decimal(value: number): void {
    const { bytes } = this;
    let at = this.at + 1;
    // A limit that is no whole number is a double from the start: a whole one would become one on the way, and the code be compiled twice.
    for (let limit = 9.99999999999; limit < value; limit *= 10) at++;
    this.at = at;
    for (let rest = value, next: number; ; rest = next) {
      next = (rest / 10) >>> 0;
      bytes[--at] = 48 + (rest - next * 10);
      if (next === 0) return;
    }
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

/** The bytes of a literal, made once. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0));
}
