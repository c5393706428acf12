import { FormatError } from '../errors.js';
import { ByteReader } from './byte-reader.js';
import type { DebugFile, Origin } from './debug-file.js';
import { type StringHandle, stringHandle } from './debug-strings.js';
import { type Encoding, formSize } from './form.js';
import type { DebugSection } from './sections.js';
import type { UnitHeader } from './unit-header.js';

/** Where the tables of a unit begin that its values index: what its first entry says, or where the tables of the only unit do. */
export interface UnitBases {
  /** In .debug_str_offsets. */
  readonly stringsBase: number;
  /** In .debug_addr. */
  readonly addressBase: number;
  readonly rnglistsBase: number;
  readonly loclistsBase: number;
}

/** The bases of a unit that says nothing of them: after the headers of the tables, §7.26 to §7.29. */
export function defaultBases({ offsetSize }: Encoding): UnitBases {
  const header = offsetSize === 4 ? 8 : 16;
  return { stringsBase: header, addressBase: header, rnglistsBase: header + 4, loclistsBase: header + 4 };
}

/**
 * What the values of a unit are read with: how wide they are, what the sections that they refer to hold at an index. It knows of no entry.
 */
export class UnitContext implements Encoding {
  readonly file: DebugFile;
  readonly header: UnitHeader;
  readonly bases: UnitBases;
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  readonly littleEndian: boolean;
  readonly origin: Origin;
  readonly #sizes = new Int8Array(0x40).fill(-2);

  constructor(file: DebugFile, header: UnitHeader, bases: UnitBases) {
    this.file = file;
    this.header = header;
    this.bases = bases;
    this.version = header.version;
    this.addressSize = header.addressSize;
    this.offsetSize = header.offsetSize;
    this.littleEndian = file.littleEndian;
    this.origin = file.origin;
  }

  /** Bytes of a value of a form; negative where the value tells. @throws FormatError for forms that are unknown */
  sizeOf(form: number): number {
    const known = this.#sizes[form];
    if (known !== undefined && known !== -2) return known;
    const size = formSize(form, this);
    if (size === undefined) {
      const place = { name: this.file.info.label, offset: this.header.offset };
      throw new FormatError('unsupported', place, `form 0x${form.toString(16)} is unknown`);
    }
    if (form < this.#sizes.length) this.#sizes[form] = size;
    return size;
  }

  /** The address at an index of .debug_addr, as a distance. */
  addressAt(index: number): number {
    const { low, high } = this.origin;
    return this.word('addr', this.bases.addressBase, index, this.addressSize).distance(this.addressSize, low, high);
  }

  /** The string at an index of .debug_str_offsets. */
  stringAt(index: number): StringHandle {
    return stringHandle('str', this.word('str_offsets', this.bases.stringsBase, index, this.offsetSize).unsigned(this.offsetSize));
  }

  /** The offset of a list by its index: in the table of offsets at DW_AT_rnglists_base or DW_AT_loclists_base, §7.28. */
  listOffset(name: 'rnglists' | 'loclists', index: number): number {
    const base = name === 'rnglists' ? this.bases.rnglistsBase : this.bases.loclistsBase;
    return base + this.word(name, base, index, this.offsetSize).unsigned(this.offsetSize);
  }

  /** A section that the unit refers to, by its name without `.debug_`. @throws FormatError where the file has none */
  section(name: string): DebugSection {
    return this.file.sections.get(name) ?? this.fail(`the unit uses .debug_${name}, but the file has no such section`);
  }

  /** The word at an index of a table of a section. */
  word(name: string, base: number, index: number, size: number): ByteReader {
    const section = this.section(name);
    const at = base + index * size;
    return new ByteReader(section.read(at, size), this.littleEndian, section.label, at);
  }

  /** @throws FormatError that names the unit */
  fail(message: string): never {
    throw new FormatError('out-of-range', { name: this.file.info.label, offset: this.header.offset }, message);
  }
}
