import { FormatError } from '../elf/errors.js';
import { hashName } from '../elf/strings.js';
import type { StringOffset } from './ids.js';

/**
 * The strings of a blob: NUL-terminated, named by their byte offset. Those of a split blob go on where its base's end, so that an offset is
 * looked up in the table that owns it.
 */
export class StringTable {
  readonly bytes: Uint8Array;
  readonly base: StringTable | undefined;
  /** The offset of the first byte of `bytes`: 0, or where the base's strings end. */
  readonly start: number;
  /** One more than the largest offset there is. */
  readonly end: number;

  /**
   * Checks what makes later look-ups safe: the last byte is NUL, and so is the first of a table without a base (btf_parse_str_sec).
   * @param offset of the section in the blob that `name` names, for messages
   */
  constructor(bytes: Uint8Array, base: StringTable | undefined, name: string, offset: number) {
    this.bytes = bytes;
    this.base = base;
    this.start = base?.end ?? 0;
    this.end = this.start + bytes.length;
    if (bytes.length === 0) {
      if (base === undefined) throw new FormatError('bad-value', { name, offset }, 'the string section is empty');
    } else if (bytes[bytes.length - 1] !== 0) {
      throw new FormatError('bad-value', { name, offset: offset + bytes.length - 1 }, 'the string section does not end in NUL');
    } else if (base === undefined && bytes[0] !== 0) {
      throw new FormatError('bad-value', { name, offset }, 'the first string is not empty: is this split BTF that needs its base?');
    }
  }

  /** The table of this one and its bases that holds `offset`, which must be less than `end`. */
  tableOf(offset: StringOffset): StringTable {
    let table: StringTable = this;
    while (offset < table.start) table = table.base!;
    return table;
  }

  /** The bytes of the string at `offset`, without its NUL: a view, not a copy. */
  slice(offset: StringOffset): Uint8Array {
    const { bytes, start } = this.tableOf(offset);
    const from = offset - start;
    const to = bytes.indexOf(0, from);
    return bytes.subarray(from, to < 0 ? from : to);
  }

  /** The string at `offset`; what is not UTF-8 becomes U+FFFD. */
  text(offset: StringOffset): string {
    if (offset === 0) return '';
    const bytes = this.slice(offset);
    let text = '';
    // Names are short ASCII: gathering their characters is several times faster than a decoder's call.
    if (bytes.length > 64) return decoder.decode(bytes);
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i]! > 127) return decoder.decode(bytes);
      text += String.fromCharCode(bytes[i]!);
    }
    return text;
  }

  /** A hash of the first bytes of the string at `offset`, as hashName() of elf/strings.ts makes it. */
  hash(offset: StringOffset): number {
    const { bytes, start } = this.tableOf(offset);
    return hashName(bytes, offset - start, offset - start + HASHED);
  }

  /** True where the string at `offset` is exactly `name`. */
  equals(offset: StringOffset, name: Uint8Array): boolean {
    const { bytes, start } = this.tableOf(offset);
    const from = offset - start;
    for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
    return bytes[from + name.length] === 0;
  }
}

const decoder = new TextDecoder();

/** Bytes of a name that its hash covers: names of the kernel are shorter (KSYM_NAME_LEN), those of damaged blobs may be megabytes. */
export const HASHED = 512;
