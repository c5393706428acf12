import type { StringTable } from '../strings.js';

/** Where a printer's text goes, piece by piece. The bytes are valid during the call only. */
export type Sink = (bytes: Uint8Array) => void;

const CHUNK = 1 << 18;
/** Free bytes that `room` leaves: one line without its names. */
const LINE = 1 << 10;
/** Names up to this length are copied inside what `room` left. */
const SHORT = 1 << 8;

/**
 * Gathers the text of a dump as bytes. A kernel's BTF prints to ten megabytes, in less time than JavaScript strings of it would take to make:
 * so nothing here makes a string. The methods for parts of a line do not look for room: `room` is to be called before each line, which then may
 * have 512 bytes of literals and numbers beside its names.
 */
export class Writer {
  bytes: Uint8Array;
  at = 0;
  readonly #sink: Sink;

  constructor(sink: Sink, capacity: number = CHUNK) {
    this.#sink = sink;
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes sure of room for a line. */
  room(): void {
    if (this.at > this.bytes.length - LINE) this.flush();
  }

  flush(): void {
    if (this.at > 0) this.#sink(this.bytes.subarray(0, this.at));
    this.at = 0;
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

  /** Bytes of any length. */
  long(source: Uint8Array): void {
    this.flush();
    this.#sink(source);
  }

  /** An unsigned 32-bit number in decimal. */
  decimal(value: number): void {
    const { bytes } = this;
    let end = this.at + digitsOf(value);
    this.at = end;
    let rest = value;
    while (rest >= 10) {
      const next = (rest / 10) >>> 0;
      bytes[--end] = 48 + (rest - next * 10);
      rest = next;
    }
    bytes[--end] = 48 + rest;
  }

  /** A signed 32-bit number in decimal. */
  signed(value: number): void {
    if (value < 0) this.bytes[this.at++] = 45;
    this.decimal(value < 0 ? -value : value);
  }

  /** For the few: any text. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }
}

function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10000) return 4;
  if (value < 100000) return 5;
  if (value < 1000000) return 6;
  if (value < 10000000) return 7;
  if (value < 100000000) return 8;
  return value < 1000000000 ? 9 : 10;
}

/** The bytes of a literal, made once. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0));
}
