import type { Report } from './report.js';
import { printable, table } from './text.js';

// What ELF files have tables of: sections, segments, notes. Relocations and symbols are millions: their text is written where they are read.

export interface SectionRow {
  readonly index: number;
  readonly name: string;
  readonly type: string;
  /** readelf's letters. */
  readonly flags: string;
  readonly address: string;
  readonly offset: number;
  readonly size: number;
  readonly entsize: number;
  readonly addralign: number;
  readonly link: number;
  readonly info: number;
  readonly compression?: string;
  readonly unpackedSize?: number;
  readonly unpackedAlign?: number;
  /** False for SHT_NOBITS. */
  readonly bits?: false;
}

/** `kelf sections`. @param digits of an address */
export function sectionsReport(digits: number): Report<{ readonly file: string; readonly sections: readonly SectionRow[] }> {
  return {
    schema: 'kelf/sections',
    version: 1,
    rows: 'sections',
    text: ({ sections }) =>
      table(
        [
          ['nr', 'name', 'type', 'flags', 'address', 'offset', 'size', 'entsize', 'align', 'link', 'info', 'unpacked'],
          ...sections.map(
            ({ index, name, type, flags, address, offset, size, entsize, addralign, link, info, compression, unpackedSize }) => [
              index,
              printable(name) || '-',
              type,
              flags || '-',
              addressCell(address, digits),
              offset,
              size,
              entsize,
              addralign,
              link,
              info,
              compression === undefined ? '-' : `${compression}:${unpackedSize}`,
            ],
          ),
        ],
        '',
        [0, 5, 6, 7, 8, 9, 10],
      ),
  };
}

export interface SegmentRow {
  readonly index: number;
  readonly type: string;
  readonly flags: string;
  readonly offset: number;
  readonly virtualAddress: string;
  readonly physicalAddress: string;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** `kelf segments`. @param digits of an address */
export function segmentsReport(digits: number): Report<{ readonly file: string; readonly segments: readonly SegmentRow[] }> {
  return {
    schema: 'kelf/segments',
    version: 1,
    rows: 'segments',
    text: ({ segments }) =>
      table(
        [
          ['nr', 'type', 'flags', 'vaddr', 'paddr', 'offset', 'filesize', 'memsize', 'align'],
          ...segments.map(({ index, type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize, align }) => {
            const addresses = [addressCell(virtualAddress, digits), addressCell(physicalAddress, digits)];
            return [index, type, flags, ...addresses, offset, fileSize, memorySize, align];
          }),
        ],
        '',
        [0, 5, 6, 7, 8],
      ),
  };
}

export interface NoteRow {
  readonly owner: string;
  readonly type: string;
  readonly typeNumber: number;
  readonly description: string;
  /** Of the description, in hexadecimal. */
  readonly bytes: string;
  readonly offset: number;
}

/** `kelf notes`. */
export const notesReport: Report<{ readonly file: string; readonly notes: readonly NoteRow[] }> = {
  schema: 'kelf/notes',
  version: 1,
  rows: 'notes',
  text: ({ notes }) => table(notes.map(({ owner, type, description }) => [printable(owner) || '-', type, description])),
};

/** An address of JSON with the zeros that a column has in front. */
function addressCell(address: string, digits: number): string {
  return address.slice(2).padStart(digits, '0');
}
