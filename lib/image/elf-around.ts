import { ET, PT, SHF, SHT } from '../../elf/constants.js';
import { type ByteSource, checkRange } from '../../elf/source.js';

/** A part of a raw image that gets a section header of its own. */
export interface ImagePart {
  readonly name: string;
  readonly type: number;
  /** Offset in the image. */
  readonly offset: number;
  readonly size: number;
  readonly entsize?: number;
}

/** What a raw image is, as far as its bytes tell. */
export interface RawImage {
  readonly bytes: Uint8Array;
  readonly machine: number;
  readonly is64: boolean;
  readonly littleEndian: boolean;
  /** The address that offset 0 is linked at. */
  readonly base: bigint;
  /** Bytes of memory that the image takes, with what is zero after its bytes. */
  readonly memorySize: number;
  readonly parts: readonly ImagePart[];
}

/** The section of all of the image. */
export const IMAGE_SECTION = '.image';

/** Where the image begins in the ELF file: after the header, at a page. */
const START = 0x1000;

/**
 * Puts ELF headers around a raw image, so that it is read like every other kernel: one PT_LOAD segment at its link address, and sections
 * for the parts that were found in it (.rela.dyn, .BTF). The image's bytes are not copied.
 */
export function elfAround(image: RawImage, name: string): ByteSource {
  const { bytes, is64, littleEndian, base, parts } = image;
  const names = ['', IMAGE_SECTION, ...parts.map(part => part.name), '.shstrtab'];
  const table = new TextEncoder().encode(`${names.join('\0')}\0`);
  const nameOffset = (index: number): number => names.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0);
  const tableOffset = START + bytes.length;
  const shoff = Math.ceil((tableOffset + table.length) / 16) * 16;

  const head = new Writer(is64, littleEndian, START);
  head.bytes.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, littleEndian ? 1 : 2, 1]);
  head.at = 16;
  head.u16(ET.EXEC);
  head.u16(image.machine);
  head.u32(1);
  head.word(base);
  head.word(is64 ? 64 : 52);
  head.word(shoff);
  head.u32(0);
  for (const value of [is64 ? 64 : 52, is64 ? 56 : 32, 1, is64 ? 64 : 40, names.length, names.length - 1]) head.u16(value);
  head.u32(PT.LOAD);
  if (is64) head.u32(7);
  for (const value of [START, base, base, bytes.length, Math.max(image.memorySize, bytes.length)]) head.word(value);
  if (!is64) head.u32(7);
  head.word(1);

  const tail = new Writer(is64, littleEndian, shoff - tableOffset + names.length * 64);
  tail.bytes.set(table);
  tail.at = shoff - tableOffset;
  const section = (
    index: number,
    type: number,
    flags: number,
    address: bigint | number,
    offset: number,
    size: number,
    entsize = 0,
    link = 0,
  ): void => {
    tail.u32(nameOffset(index));
    tail.u32(type);
    for (const value of [flags, address, offset, size]) tail.word(value);
    tail.u32(link);
    tail.u32(0);
    tail.word(1);
    tail.word(entsize);
  };
  section(0, SHT.NULL, 0, 0, 0, 0);
  section(1, 1, SHF.ALLOC | SHF.EXECINSTR | SHF.WRITE, base, START, bytes.length);
  for (const [i, { type, offset, size, entsize }] of parts.entries()) {
    // The symbols that relocations name are before them, if there are any.
    const link = type === SHT.RELA && parts[i - 1]?.type === SHT.DYNSYM ? i + 1 : 0;
    section(i + 2, type, SHF.ALLOC, base + BigInt(offset), START + offset, size, entsize, link);
  }
  section(names.length - 1, SHT.STRTAB, 0, 0, tableOffset, table.length);
  return new JoinedSource(name, [head.bytes, bytes, tail.bytes.subarray(0, tail.at)]);
}

/** Writes numbers one after another, in the byte order of the image. */
class Writer {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;
  readonly #is64: boolean;
  readonly #little: boolean;

  constructor(is64: boolean, littleEndian: boolean, size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.#is64 = is64;
    this.#little = littleEndian;
  }

  u16(value: number): void {
    this.#view.setUint16(this.at, value, this.#little);
    this.at += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.at, value, this.#little);
    this.at += 4;
  }

  /** An address, an offset or a size, as wide as the class has it. */
  word(value: bigint | number): void {
    if (!this.#is64) {
      this.u32(Number(BigInt.asUintN(32, BigInt(value))));
      return;
    }
    this.#view.setBigUint64(this.at, BigInt(value), this.#little);
    this.at += 8;
  }
}

/** Several runs of bytes, one after another. */
class JoinedSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #parts: readonly Uint8Array[];

  constructor(name: string, parts: readonly Uint8Array[]) {
    this.name = name;
    this.#parts = parts;
    this.size = parts.reduce((sum, part) => sum + part.length, 0);
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    let start = offset;
    for (const [i, part] of this.#parts.entries()) {
      if (start + length <= part.length) return part.subarray(start, start + length);
      if (start < part.length) return this.#gather(i, start, length);
      start -= part.length;
    }
    return new Uint8Array(0);
  }

  close(): void {}

  #gather(first: number, start: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let from = start;
    for (let i = first, done = 0; done < length; i++, from = 0) {
      const piece = this.#parts[i]!.subarray(from, from + length - done);
      bytes.set(piece, done);
      done += piece.length;
    }
    return bytes;
  }
}
