import type { Section } from '../../elf/section.js';
import type { KernelId, Report } from './report.js';
import { table } from './text.js';

// What ELF files, and kernels, have tables of.

type Texts<K extends string> = Readonly<Record<K, string>>;
type Numbers<K extends string> = Readonly<Record<K, number>>;

/** Flags are readelf's letters; a compressed section has what it is unpacked, and SHT_NOBITS no bits. */
export type SectionRow = Pick<Section, 'index' | 'name' | 'offset' | 'size' | 'entsize' | 'addralign' | 'link' | 'info'> &
  Texts<'type' | 'flags' | 'address'> &
  Partial<Texts<'compression'> & Numbers<'unpackedSize' | 'unpackedAlign'>> & { readonly bits?: false };

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
          ...sections.map(row => {
            const flagged = [row.index, row.name || '-', row.type, row.flags || '-', addressCell(row.address, digits)];
            const numbers = [row.offset, row.size, row.entsize, row.addralign, row.link, row.info];
            return [...flagged, ...numbers, row.compression === undefined ? '-' : `${row.compression}:${row.unpackedSize}`];
          }),
        ],
        '',
        [0, 5, 6, 7, 8, 9, 10],
      ),
  };
}

/** What a 64-bit word may be too large for is text then. */
export type SegmentRow = Numbers<'index' | 'offset' | 'fileSize'> &
  Readonly<Record<'memorySize' | 'align', number | string>> &
  Texts<'type' | 'flags' | 'virtualAddress' | 'physicalAddress'>;

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

/** `bytes` are the description's, in hexadecimal. */
export type NoteRow = Texts<'owner' | 'type' | 'description' | 'bytes'> & Numbers<'typeNumber' | 'offset'>;

/** `kelf notes`. */
export const notesReport: Report<{ readonly file: string; readonly notes: readonly NoteRow[] }> = {
  schema: 'kelf/notes',
  version: 1,
  rows: 'notes',
  text: ({ notes }) => table(notes.map(({ owner, type, description }) => [owner || '-', type, description])),
};

/** An address of JSON with the zeros that a column has in front. */
function addressCell(address: string, digits: number): string {
  return address.slice(2).padStart(digits, '0');
}

/** `size` is text where a number can't hold it; `section` is nm's for those that are none, such as `*UND*`. */
export type ListedSymbol = Numbers<'index' | 'sectionIndex'> &
  Texts<'name' | 'address' | 'type' | 'binding' | 'visibility' | 'section'> & { readonly size: number | string; readonly file?: string };

/** `kelf symbols`: a table of millions of rows, in JSON. Rows as objects take many times as long as bytes, as which the command writes the text. */
export const symbolsReport: Report<{ readonly file: string; readonly symbols: Iterable<ListedSymbol> }> = {
  schema: 'kelf/symbols',
  version: 1,
  rows: 'symbols',
  text: () => [],
};

/** Without `symbol` it has none; null: its index is out of the table. An addend is in hexadecimal, of a symbol's relocation signed. */
export type ListedRelocation = Texts<'section' | 'offset' | 'type'> &
  Partial<Numbers<'symbolIndex'> & Texts<'addend'>> & { readonly symbol?: string | null };

/** `kelf relocs`: the same. */
export const relocationsReport: Report<{ readonly file: string; readonly relocations: Iterable<ListedRelocation> }> = {
  schema: 'kelf/relocations',
  version: 1,
  rows: 'relocations',
  text: () => [],
};

/** A row of /proc/kallsyms. */
export type ListedKernelSymbol = Texts<'address' | 'type' | 'name'>;

/** `kelf kallsyms`: the same. */
export const kallsymsReport: Report<{ readonly kernel: KernelId; readonly symbols: Iterable<ListedKernelSymbol> }> = {
  schema: 'kelf/kallsyms',
  version: 1,
  rows: 'symbols',
  text: () => [],
};
