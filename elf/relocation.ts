import { EM, SHT } from './constants.js';
import { crelCount, readCrel } from './crel.js';
import { FormatError } from './errors.js';
import type { ElfHeader } from './header.js';
import type { RelocationRows } from './relocation-rows.js';
import { relativeType } from './relocation-rules.js';
import { RelrTable } from './relr.js';
import type { Section } from './section.js';
import { hostWords, Words } from './words.js';

/** One relocation section: SHT_REL, SHT_RELA, SHT_RELR or Android's SHT_RELR, SHT_CREL. Nothing is read until rows are requested. */
export class RelocationTable {
  readonly section: Section;
  readonly kind: 'REL' | 'RELA' | 'RELR' | 'CREL';
  readonly #header: ElfHeader;
  #relr: RelrTable | undefined;
  #crel: RelocationRows | undefined;

  constructor(section: Section, header: ElfHeader) {
    this.section = section;
    this.kind = KINDS[section.type] ?? 'REL';
    this.#header = header;
  }

  /** How many relocations it holds: for RELR, how many its bitmaps stand for. */
  get count(): number {
    if (this.kind === 'CREL') return crelCount(this.section.stored(), this.section.label);
    return this.kind === 'RELR' ? this.#relrTable().count : this.section.entryCount(this.#entrySize());
  }

  /** The rows from `start`, at most `most` of them: 13 million relocations of a debug kernel are read in pieces. */
  rows(start = 0, most: number = Number.POSITIVE_INFINITY): RelocationRows {
    if (this.kind === 'RELR') return this.#relrRows(start, most);
    if (this.kind === 'CREL') return this.#crelRows(start, most);
    const count = Math.max(0, Math.min(most, this.count - start));
    const { is64, littleEndian, machine } = this.#header;
    const { entsize } = this.section;
    const bytes = this.section.storedRange(start * entsize, count * entsize);
    const offset = new Words(count);
    const type = new Uint32Array(count);
    const symbol = new Uint32Array(count);
    const addend = this.kind === 'RELA' ? new Words(count) : undefined;
    // What arm64 kernels and amd64's emitted relocations are: rows of Elf64_Rela as 32-bit words of the host.
    const words = is64 && addend !== undefined && entsize === 24 && machine !== EM.MIPS ? hostWords(bytes, littleEndian) : undefined;
    if (words !== undefined) {
      for (let i = 0, at = 0; i < count; i++, at += 6) {
        offset.set(i, words[at]!, words[at + 1]!);
        type[i] = words[at + 2]!;
        symbol[i] = words[at + 3]!;
        addend!.set(i, words[at + 4]!, words[at + 5]!);
      }
      return { count, offset, type, symbol, addend: addend! };
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const low = littleEndian ? 0 : 4;
    const mips = machine === EM.MIPS;
    const mips64el = mips && littleEndian;
    for (let i = 0, at = 0; i < count; i++, at += entsize) {
      if (is64) {
        offset.set(i, view.getUint32(at + low, littleEndian), view.getUint32(at + 4 - low, littleEndian));
        const infoLow = view.getUint32(at + 8 + low, littleEndian);
        const infoHigh = view.getUint32(at + 12 - low, littleEndian);
        // r_info of MIPS64 ends in three types and a second symbol, of which the first type is taken (64-bit ELF object file specification,
        // §2.9). It is a struct of bytes: in a little-endian file the symbol is in the first word, and the type in the last byte.
        type[i] = mips64el ? infoHigh >>> 24 : mips ? infoLow & 0xff : infoLow;
        symbol[i] = mips64el ? infoLow : infoHigh;
        addend?.set(i, view.getUint32(at + 16 + low, littleEndian), view.getUint32(at + 20 - low, littleEndian));
      } else {
        offset.set(i, view.getUint32(at, littleEndian), 0);
        const info = view.getUint32(at + 4, littleEndian);
        type[i] = info & 0xff;
        symbol[i] = info >>> 8;
        if (addend !== undefined) {
          const value = view.getInt32(at + 8, littleEndian);
          addend.set(i, value, value >> 31);
        }
      }
    }
    return { count, offset, type, symbol, ...(addend === undefined ? {} : { addend }) };
  }

  #entrySize(): number {
    const words = this.kind === 'RELA' ? 3 : 2;
    return words * (this.#header.is64 ? 8 : 4);
  }

  #relrTable(): RelrTable {
    this.#relr ??= new RelrTable(this.section.stored(), this.#header, this.section);
    return this.#relr;
  }

  /** Each entry is told by the one before it: they are decoded together, and kept. */
  #crelRows(start: number, most: number): RelocationRows {
    this.#crel ??= readCrel(this.section.stored(), this.#header.is64, this.section.label);
    const { offset, type, symbol, addend } = this.#crel;
    const count = Math.max(0, Math.min(most, this.#crel.count - start));
    if (start === 0 && count === this.#crel.count) return this.#crel;
    const part = (words: Words): Words => {
      const rows = new Words(count);
      rows.big.set(words.big.subarray(start, start + count));
      return rows;
    };
    const rows = { count, offset: part(offset), type: type.subarray(start, start + count), symbol: symbol.subarray(start, start + count) };
    return addend === undefined ? rows : { ...rows, addend: part(addend) };
  }

  #relrRows(start: number, most: number): RelocationRows {
    const offset = this.#relrTable().read(start, most);
    const type = new Uint32Array(offset.length).fill(relativeType(this.#header.machine));
    return { count: offset.length, offset, type, symbol: new Uint32Array(offset.length) };
  }
}

const KINDS: Readonly<Record<number, RelocationTable['kind']>> = {
  [SHT.REL]: 'REL',
  [SHT.RELA]: 'RELA',
  [SHT.RELR]: 'RELR',
  [SHT.ANDROID_RELR]: 'RELR',
  [SHT.CREL]: 'CREL',
};

/** True for the section types that {@link RelocationTable} reads. */
export function isRelocationSection(section: Section): boolean {
  return section.type in KINDS;
}

/** The first type that the gABI does not give a meaning. */
const FIRST_UNKNOWN = 20;

/** Whether a section's name says that it holds relocations, and its type none that is read: those of arm64's pointer authentication. */
export function isUnreadRelocationSection(section: Section): boolean {
  return section.type >= FIRST_UNKNOWN && !isRelocationSection(section) && /^\.c?rel/.test(section.name);
}

/** Refuses Android's packed REL and RELA ("APS2"), which kelf does not read. */
export function expectReadable(section: Section): void {
  if (section.type !== SHT.ANDROID_REL && section.type !== SHT.ANDROID_RELA) return;
  throw new FormatError('unsupported', { name: section.label }, "Android's packed relocations (APS2) are not read");
}
