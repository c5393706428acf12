import { Allowance, mostUnpacked } from './allowance.js';
import { type Compression, decompressSection, readCompression } from './compression/section.js';
import { SHF, SHT } from './constants.js';
import { Cursor } from './cursor.js';
import { FormatError } from './errors.js';
import type { ElfHeader } from './header.js';
import type { ByteSource } from './source.js';
import { expectShortNames, StringTable } from './strings.js';

/** A section header, elf(5) `Elf64_Shdr`, and the way to its bytes. */
export class Section {
  readonly index: number;
  readonly nameOffset: number;
  /** sh_type, one of SHT_*. */
  readonly type: number;
  /** sh_flags. Flags above bit 52 do not exist. */
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  /** In bytes, as it is in the file: compressed, where it is. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly addralign: number;
  readonly entsize: number;
  name = '';
  readonly #source: ByteSource;
  readonly #header: ElfHeader;
  readonly #unpacked: Allowance;

  /** @param unpacked what all sections of the file may unpack to */
  constructor(index: number, cursor: Cursor, source: ByteSource, header: ElfHeader, unpacked: Allowance) {
    const { is64 } = header;
    this.index = index;
    this.nameOffset = cursor.u32();
    this.type = cursor.u32();
    this.flags = Number(cursor.address(is64));
    this.address = cursor.address(is64);
    this.offset = cursor.offset(is64);
    this.size = cursor.offset(is64);
    this.link = cursor.u32();
    this.info = cursor.u32();
    this.addralign = cursor.offset(is64);
    this.entsize = cursor.offset(is64);
    this.#source = source;
    this.#header = header;
    this.#unpacked = unpacked;
  }

  /** True for a section that is part of the running image. */
  get allocated(): boolean {
    return (this.flags & SHF.ALLOC) !== 0;
  }

  get compressed(): boolean {
    return (this.flags & SHF.COMPRESSED) !== 0;
  }

  /** `vmlinux: .symtab`, for messages. */
  get label(): string {
    return `${this.#source.name}: ${this.name || `section ${this.index}`}`;
  }

  /** The bytes as they are in the file; none for SHT_NOBITS. @throws FormatError `truncated` */
  stored(): Uint8Array {
    return this.type === SHT.NOBITS || this.type === SHT.NULL ? new Uint8Array(0) : this.storedRange(0, this.size);
  }

  /** `length` of the stored bytes, from `start` of the section. */
  storedRange(start: number, length: number): Uint8Array {
    this.#checkStored(start, length);
    return this.#source.read(this.offset + start, length);
  }

  /**
   * Fills `target` with the stored bytes from `start` of the section: for what goes over all of it once, piece by piece, and keeps none.
   */
  storedInto(start: number, target: Uint8Array): void {
    this.#checkStored(start, target.length);
    if (this.#source.readInto === undefined) target.set(this.#source.read(this.offset + start, target.length));
    else this.#source.readInto(this.offset + start, target);
  }

  #checkStored(start: number, length: number): void {
    if (start + length > this.size) {
      throw new FormatError(
        'out-of-range',
        { name: this.label, offset: start },
        `${length} bytes are needed here, the section has ${this.size}`,
      );
    }
    if (this.offset + this.size > this.#source.size) {
      throw new FormatError(
        'truncated',
        { name: this.label },
        `the section ends at ${this.offset + this.size}, the file at ${this.#source.size}`,
      );
    }
  }

  /** How a SHF_COMPRESSED section is packed; undefined for the others. @throws FormatError `truncated` */
  compression(): Compression | undefined {
    if (!this.compressed || this.type === SHT.NOBITS) return undefined;
    return readCompression(this.storedRange(0, Math.min(this.size, 24)), this.#header, this.label);
  }

  /** The bytes, unpacked where SHF_COMPRESSED. */
  data(): Uint8Array {
    const bytes = this.stored();
    return this.compressed ? decompressSection(bytes, this.#header, this.label, size => this.allowUnpacked(size)) : bytes;
  }

  /** Pays for what the section unpacks to, once. @throws FormatError `limit` where the sections of the file come to too much */
  allowUnpacked(size: number): void {
    this.#unpacked.account(this.index)(size);
  }

  /** Bytes of the file that it is in. */
  get fileSize(): number {
    return this.#source.size;
  }

  /** How many entries a table has. @throws FormatError `bad-value` for an entry size that is too small for the table's kind */
  entryCount(least: number): number {
    if (this.entsize < least)
      throw new FormatError('bad-value', { name: this.label }, `sh_entsize is ${this.entsize}, at least ${least} is needed`);
    return Math.floor(this.size / this.entsize);
  }
}

/** Reads all section headers, and their names where there is a table of names. */
export function readSections(source: ByteSource, header: ElfHeader): Section[] {
  const { shoff, shnum, shentsize, shstrndx } = header;
  const bytes = source.read(shoff, shnum * shentsize);
  const sections: Section[] = [];
  const unpacked = new Allowance(source.name, 'the unpacked sections', mostUnpacked(source.size));
  for (let index = 0; index < shnum; index++) {
    const at = index * shentsize;
    sections.push(
      new Section(
        index,
        new Cursor(bytes.subarray(at, at + shentsize), header.littleEndian, `${source.name}: section headers`, at),
        source,
        header,
        unpacked,
      ),
    );
  }
  const names = sections[shstrndx];
  if (names !== undefined && shstrndx !== 0 && names.type !== SHT.NOBITS) {
    const table = new StringTable(names.stored(), `${source.name}: section names`);
    expectShortNames(
      table.bytes,
      sections.map(({ nameOffset }) => nameOffset),
      `${source.name}: section names`,
    );
    for (const section of sections) section.name = table.get(section.nameOffset);
  }
  return sections;
}
