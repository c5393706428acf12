import { unpackZlib } from '../compression/zlib.js';
import { ET } from '../constants.js';
import { FormatError } from '../errors.js';
import type { ElfFile } from '../file.js';
import type { Section } from '../section.js';
import { ByteReader, readUnitLength } from './byte-reader.js';
import { holdsBytes, layOutSections, relocateSection } from './relocate-debug.js';

/** Bytes that are read where the length of what is there is unknown: most lists and tables of abbreviations are shorter. */
const WINDOW = 1 << 12;

/** One section of the debug information. Parts are read as they are in the file; what is packed or relocated is held in memory whole. */
export class DebugSection {
  /** `vmlinux: .debug_info`, for messages. */
  readonly label: string;
  readonly #section: Section;
  readonly #inMemory: boolean;
  readonly #whole: () => Uint8Array;
  #bytes: Uint8Array | undefined;

  constructor(elf: ElfFile, section: Section, places: () => Float64Array) {
    this.label = section.label;
    const relocated =
      elf.header.type === ET.REL && elf.sections.some(({ info, type }) => info === section.index && (type === 4 || type === 9));
    this.#section = section;
    this.#inMemory = relocated || section.compressed || section.name.startsWith('.zdebug');
    this.#whole = () => {
      const data = section.name.startsWith('.zdebug') ? inflateGnu(section) : section.data();
      return relocated ? relocateSection(elf, section, data, places()) : data;
    };
  }

  /** In bytes, unpacked. */
  get size(): number {
    return this.#inMemory ? this.bytes().length : this.#section.size;
  }

  /** `length` bytes from `start`. @throws FormatError `out-of-range` */
  read(start: number, length: number): Uint8Array {
    this.#check(start, length);
    return this.#held(start, length) ?? this.#section.storedRange(start, length);
  }

  /**
   * As `read`, of bytes that are looked at and not kept: they are in `room` until it is next used, where they are not in memory already. A
   * pass over the section so costs no allocation for each of its pieces.
   * @param room of at least `length` bytes
   */
  glance(start: number, length: number, room: Uint8Array): Uint8Array {
    this.#check(start, length);
    const held = this.#held(start, length);
    if (held !== undefined) return held;
    const bytes = room.subarray(0, length);
    this.#section.storedInto(start, bytes);
    return bytes;
  }

  #held(start: number, length: number): Uint8Array | undefined {
    const bytes = this.#inMemory ? this.bytes() : this.#bytes;
    return bytes?.subarray(start, start + length);
  }

  #check(start: number, length: number): void {
    if (start >= 0 && length >= 0 && start + length <= this.size) return;
    throw new FormatError(
      'out-of-range',
      { name: this.label, offset: start },
      `${length} bytes are needed here, the section has ${this.size}`,
    );
  }

  /**
   * Parses what begins at an offset and tells its own length: `parse` is given a window of the section, and a larger one where that is too
   * short.
   * @throws FormatError what `parse` throws with all of the section in view
   */
  scan<T>(start: number, littleEndian: boolean, parse: (reader: ByteReader) => T): T {
    for (let window = WINDOW; ; window *= 8) {
      const rest = Math.max(0, this.size - start);
      const length = Math.min(window, rest);
      try {
        return parse(new ByteReader(this.read(start, length), littleEndian, this.label, start));
      } catch (error) {
        if (!(error instanceof FormatError) || error.code !== 'truncated' || length === rest) throw error;
      }
    }
  }

  /** A reader of what begins at an offset with its length, as units do: those bytes and no more. @throws FormatError */
  unitAt(start: number, littleEndian: boolean): ByteReader {
    const head = new ByteReader(this.read(start, Math.min(12, Math.max(0, this.size - start))), littleEndian, this.label, start);
    const { length } = readUnitLength(head);
    if (length > this.size - start - head.pos) head.fail('truncated', `${length} bytes are needed here, the section has ${this.size}`);
    return new ByteReader(this.read(start, head.pos + length), littleEndian, this.label, start);
  }

  /** All bytes; kept. */
  bytes(): Uint8Array {
    this.#bytes ??= this.#whole();
    return this.#bytes;
  }
}

/** The sections of a file's debug information, by their names without `.debug_`. */
export class DebugSections {
  readonly #elf: ElfFile;
  readonly #found = new Map<string, DebugSection | undefined>();
  #places: Float64Array | undefined;

  constructor(elf: ElfFile) {
    this.#elf = elf;
  }

  /** `info`, `abbrev`, `line`, … */
  get(name: string): DebugSection | undefined {
    if (!this.#found.has(name)) {
      const named = (prefix: string) => this.#elf.sections.find(section => section.name === prefix + name && holdsBytes(section));
      const section = named('.debug_') ?? named('.zdebug_');
      this.#found.set(name, section === undefined ? undefined : new DebugSection(this.#elf, section, () => this.places));
    }
    return this.#found.get(name);
  }

  /** Where each section of a relocatable file is taken to be; zero for those of a linked file. */
  get places(): Float64Array {
    this.#places ??= this.#elf.header.type === ET.REL ? layOutSections(this.#elf) : new Float64Array(this.#elf.sections.length);
    return this.#places;
  }
}

/**
 * The older form of compressed sections: `ZLIB`, the size in eight bytes, the high one first, then a zlib stream (binutils,
 * bfd/compress.c).
 */
function inflateGnu(section: Section): Uint8Array {
  const bytes = section.stored();
  const place = { name: section.label };
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 4)) !== 'ZLIB')
    throw new FormatError('bad-magic', place, "does not begin with 'ZLIB'");
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(4));
  section.allowUnpacked(size);
  return unpackZlib(bytes.subarray(12), size, place);
}
