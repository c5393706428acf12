import { FormatError } from '../../elf/errors.js';
import type { StringTable } from '../strings.js';
import type { Sink } from './writer.js';

const CHUNK = 1 << 16;
/** A JavaScript string holds twice as much. */
const MAX_STRINGS = 1 << 28;

/**
 * The strings of a blob as one JavaScript string in which a character stands for a byte, so that an offset in the one is an offset in the other.
 * Searching, slicing and joining such strings is the engine's own code, fast from the first call on; what loops over bytes in JavaScript is fast
 * when it has been compiled, and a dump is over by then.
 */
export class ByteText {
  private readonly strings: string;
  /** Then the characters are what TextEncoder takes them for; else each is to be one byte. */
  private readonly ascii: boolean;
  private readonly buffer = new Uint8Array(CHUNK);

  /** @throws FormatError `limit` */
  constructor(table: StringTable, name: string) {
    if (table.end > MAX_STRINGS) throw new FormatError('limit', { name }, `the strings take more than ${MAX_STRINGS} bytes`);
    const layers: Uint8Array[] = [];
    for (let layer: StringTable | undefined = table; layer !== undefined; layer = layer.base) layers.unshift(layer.bytes);
    const decoded = layers.map(asciiOf);
    this.ascii = decoded.every(text => text !== undefined);
    this.strings = layers.map((bytes, i) => decoded[i] ?? charactersOf(bytes)).join('');
  }

  /** The string at `offset`. */
  at(offset: number): string {
    return this.strings.slice(offset, this.strings.indexOf('\0', offset));
  }

  /** Gives the bytes of `text` to `sink`. */
  write(text: string, sink: Sink): void {
    const { buffer } = this;
    for (let from = 0; from < text.length; from += CHUNK) {
      const part = text.slice(from, from + CHUNK);
      if (this.ascii) encoder.encodeInto(part, buffer);
      else for (let i = 0; i < part.length; i++) buffer[i] = part.charCodeAt(i);
      sink(buffer.subarray(0, part.length));
    }
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Arguments of one call. */
const ARGUMENTS = 1 << 12;

/** The text of bytes that are all ASCII; undefined for others. */
function asciiOf(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes);
  // Well-formed sequences beyond ASCII have more bytes than characters, and the others become U+FFFD.
  return text.length === bytes.length && !text.includes('\ufffd') ? text : undefined;
}

/** Bytes as characters U+0000 to U+00FF. (TextDecoder's latin1 is windows-1252, which has other characters for 0x80 to 0x9f.) */
function charactersOf(bytes: Uint8Array): string {
  let characters = '';
  for (let at = 0; at < bytes.length; at += ARGUMENTS) characters += String.fromCharCode(...bytes.subarray(at, at + ARGUMENTS));
  return characters;
}
