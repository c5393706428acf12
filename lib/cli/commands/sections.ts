import { SHT } from '../../../elf/constants.js';
import { sectionFlagLetters, sectionTypeName } from '../../../elf/names.js';
import type { Section } from '../../../elf/section.js';
import { ElfTables } from '../../../elf/tables.js';
import { type Command, command } from '../command.js';
import { hex, JsonRows, noteDiagnostics, printTable, sectionName } from '../elf.js';
import { openElfSource } from '../elf-input.js';

const OPTIONS = { json: { type: 'boolean', help: 'print JSON' } } as const;

export const sections: Command<typeof OPTIONS> = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about:
    'Prints the section headers, a section a line under one line of headings. Sizes, offsets and alignments are decimal; flags are\n' +
    "readelf's letters; `-` stands for nothing. The last column is how a compressed section is packed, and its size unpacked.",
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const elf = ElfTables.open(await openElfSource(args[0]!));
    const { machine, is64 } = elf.header;
    const json = options.json === true ? new JsonRows(out, elf.name, 'sections') : undefined;
    const rows = elf.sections.map(section => {
      const { index, type, address, offset, size, entsize, addralign, link, info } = section;
      const typeName = sectionTypeName(type, machine);
      const flags = sectionFlagLetters(section.flags, machine);
      const packed = compression(section, note);
      json?.row({
        index,
        name: section.name,
        type: typeName,
        flags,
        address: hex(address),
        offset,
        size,
        entsize,
        addralign,
        link,
        info,
        ...(packed === undefined ? {} : { compression: packed.format, unpackedSize: packed.size, unpackedAlign: packed.addralign }),
        ...(type === SHT.NOBITS ? { bits: false } : {}),
      });
      return [
        String(index),
        sectionName(section) || '-',
        typeName,
        flags || '-',
        address.toString(16).padStart(is64 ? 16 : 8, '0'),
        String(offset),
        String(size),
        String(entsize),
        String(addralign),
        String(link),
        String(info),
        packed === undefined ? '-' : `${packed.format}:${packed.size}`,
      ];
    });
    if (json !== undefined) json.end();
    else
      printTable(
        out,
        HEADING,
        HEADING.map(title => RIGHT.has(title)),
        rows,
      );
    noteDiagnostics(elf, note);
  },
});

const HEADING = ['nr', 'name', 'type', 'flags', 'address', 'offset', 'size', 'entsize', 'align', 'link', 'info', 'unpacked'];
const RIGHT: ReadonlySet<string> = new Set(['nr', 'offset', 'size', 'entsize', 'align', 'link', 'info']);

function compression(section: Section, note: (line: string) => void): ReturnType<Section['compression']> {
  try {
    return section.compression();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'FormatError') throw error;
    note(`kelf: ${error.message}`);
    return undefined;
  }
}
