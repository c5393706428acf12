import { FormatError } from '../../elf/errors.js';
import { identifier, printable, printableJson, quotedInC } from '../../elf/escape.js';
import type { StringOffset } from '../ids.js';

/** Where a printer's text goes, piece by piece. The bytes are valid during the call only. */
export type Sink = (bytes: Uint8Array) => void;

/** Bytes that are gathered before they are written. */
const CHUNK = 1 << 17;
/** The first of them are written early: what writes is then part of the code by the time that is compiled. */
const FIRST = 1 << 13;
/** What `room` leaves: literals, numbers and two names. Of a longer name this much is copied, and the rest is written apart. */
const LINE = 1 << 11;
const LONGEST_NAME = 1 << 9;
/**
 * Bytes of names that are longer (KSYM_NAME_LEN of the kernel has as many), or not copied as they are. A damaged blob may repeat a name of a megabyte
 * for as often as it has types.
 */
const MOST_SPELLED = 1 << 24;

const MINUS = 45;

/** How names are written: which bytes are copied, and what becomes of a name from its first other byte on. */
export interface Spelling {
  /** For each byte, 1 where it is not copied; NUL among them. */
  readonly stops: Uint8Array;
  readonly spell: (rest: string) => string;
}

/** @param copied what a byte as a character is copied for */
function spelling(copied: RegExp, spell: Spelling['spell']): Spelling {
  return { stops: Uint8Array.from({ length: 256 }, (_, byte) => (copied.test(String.fromCharCode(byte)) ? 0 : 1)), spell };
}

/** In a dump that people read. */
export const PLAIN: Spelling = spelling(/[ -~]/, printable);
/** Inside the quotes of JSON. */
export const ESCAPED: Spelling = spelling(/[ !#-[\]-~]/, text => printableJson(JSON.stringify(text).slice(1, -1)));
/** In C. */
export const IN_C: Spelling = spelling(/[A-Za-z0-9_.$ ]/, identifier);

/** Short ASCII, as words with the first character lowest: four are written at a time, and what is behind the last one is overwritten. */
export interface Literal {
  readonly words: Uint32Array;
  readonly length: number;
}

/** A literal, made once. */
export function ascii(text: string): Literal {
  const words = new Uint32Array((text.length + 3) >> 2);
  for (let i = 0; i < text.length; i++) words[i >> 2]! |= text.charCodeAt(i) << ((i & 3) * 8);
  return { words, length: text.length };
}

/** Numbers below 1000 as such words: their digits, how many they are, and all three with leading zeros. */
const DIGITS = new Uint32Array(1000);
const LENGTHS = new Uint8Array(1000);
const PADDED = new Uint32Array(1000);
for (let i = 0; i < 1000; i++) {
  const padded = (48 + ((i / 100) | 0)) | ((48 + (((i / 10) | 0) % 10)) << 8) | ((48 + (i % 10)) << 16);
  LENGTHS[i] = i < 10 ? 1 : i < 100 ? 2 : 3;
  PADDED[i] = padded;
  DIGITS[i] = padded >>> ((3 - LENGTHS[i]!) * 8);
}

/**
 * Gathers the text of a dump as bytes. A kernel's BTF prints to ten megabytes, in less time than JavaScript strings of it would take to
 * make: so nothing here makes a string. The methods do not look for room: `room` is to be called before each line, which then may have a
 * kilobyte of literals and numbers beside two names.
 */
export class Writer {
  /** NUL-terminated names. */
  private readonly strings: Uint8Array;
  private readonly stops: Uint8Array;
  private readonly spell: Spelling['spell'];
  private readonly sink: Sink;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;
  private end: number;
  private spellable = MOST_SPELLED;

  /**
   * @param spelling of names: {@link PLAIN}, {@link ESCAPED} or {@link IN_C}
   * @param capacity bytes that are gathered
   */
  constructor(strings: Uint8Array, sink: Sink, { stops, spell }: Spelling, capacity: number = CHUNK) {
    this.strings = strings;
    this.stops = stops;
    this.spell = spell;
    this.sink = sink;
    this.bytes = new Uint8Array(capacity + LINE);
    this.view = new DataView(this.bytes.buffer);
    this.end = Math.min(FIRST, capacity);
  }

  /** Makes sure of room for a line. */
  room(): void {
    if (this.at > this.end) this.flush();
  }

  /** Writes out what there is. */
  flush(): void {
    if (this.at > 0) this.sink(this.bytes.subarray(0, this.at));
    this.at = 0;
    this.end = this.bytes.length - LINE;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  put({ words, length }: Literal): void {
    const { view, at } = this;
    for (let i = 0; i < words.length; i++) view.setUint32(at + i * 4, words[i]!, true);
    this.at = at + length;
  }

  /** The name at `offset`, of any length. */
  name(offset: StringOffset): void {
    const { bytes, strings, stops } = this;
    let at = this.at;
    let from = offset;
    for (const end = from + LONGEST_NAME; from < end; from++) {
      const byte = strings[from]!;
      if (stops[byte] !== 0) break;
      bytes[at++] = byte;
    }
    this.at = at;
    if (strings[from] !== 0) this.rest(strings.subarray(from, strings.indexOf(0, from)));
  }

  /** What is left of a name from its first special character on, or from where it becomes long. @throws FormatError `limit` */
  private rest(rest: Uint8Array): void {
    this.gather(rest, this.spell);
  }

  /** A name inside the quotes of a string of C. @throws FormatError `limit` */
  quoted(offset: StringOffset): void {
    const { strings } = this;
    this.gather(strings.subarray(offset, strings.indexOf(0, offset)), quotedInC);
  }

  private gather(name: Uint8Array, spell: Spelling['spell']): void {
    this.spellable -= name.length;
    if (this.spellable < 0) throw new FormatError('limit', { name: 'BTF' }, `long or odd names take more than ${MOST_SPELLED} bytes`);
    const bytes = encoder.encode(spell(decoder.decode(name)));
    for (let from = 0; from < bytes.length; from += LONGEST_NAME) {
      this.room();
      const piece = bytes.subarray(from, from + LONGEST_NAME);
      this.bytes.set(piece, this.at);
      this.at += piece.length;
    }
    this.room();
  }

  /**
   * An unsigned 32-bit number in decimal, three digits at a time: nearly all are below a million, and most below a thousand.
   * @param value its 32 bits, of either sign: V8 makes objects of numbers from 2^31 on
   */
  unsigned(value: number): void {
    const { view, at } = this;
    if (value < 0 || value >= 1_000_000) this.text(String(value >>> 0));
    else if (value < 1000) {
      view.setUint32(at, DIGITS[value]!, true);
      this.at = at + LENGTHS[value]!;
    } else {
      // Right below a million. A division whose first results are all whole, V8 would compile as one of integers, and compile again.
      const high = (value * 0.001) | 0;
      const middle = at + LENGTHS[high]!;
      view.setUint32(at, DIGITS[high]!, true);
      view.setUint32(middle, PADDED[value - high * 1000]!, true);
      this.at = middle + 3;
    }
  }

  /** A signed 32-bit number in decimal. */
  signed(value: number): void {
    if (value < 0) this.byte(MINUS);
    this.unsigned(value < 0 ? -value | 0 : value);
  }

  /** A 64-bit number in decimal. */
  wide(low: number, high: number, signed: boolean): void {
    const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    this.text((signed ? BigInt.asIntN(64, value) : value).toString());
  }

  /** Bytes of any length. */
  long(bytes: Uint8Array): void {
    this.flush();
    this.sink(bytes);
  }

  /** For the few: any short ASCII. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
