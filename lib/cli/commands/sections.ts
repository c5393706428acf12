import { SHT } from '../../../elf/constants.js';
import { isFormatError } from '../../../elf/errors.js';
import { sectionFlagLetters, sectionTypeName } from '../../../elf/names.js';
import type { Section } from '../../../elf/section.js';
import { ElfTables } from '../../../elf/tables.js';
import { sectionsReport } from '../../report/elf.js';
import { hex } from '../../report/json.js';
import { type Command, command, JSON_OPTION, NDJSON_OPTION } from '../command.js';
import { openElfSource } from '../elf-input.js';
import { noteDiagnostics } from '../elf-text.js';

export const sections: Command = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about: `Prints the section headers, one per line under a heading. Sizes, offsets and alignments are decimal; flags are readelf's letters; - means nothing. The
last column is the compression format of a compressed section and its unpacked size.`,
  examples: ['vmlinux', 'program.bpf.o --json'],
  options: { json: JSON_OPTION, ndjson: NDJSON_OPTION },
  run({ args, note, write }) {
    const elf = ElfTables.open(openElfSource(args[0]!));
    const { machine, is64 } = elf.header;
    const rows = elf.sections.map(section => {
      const { index, name, type, flags, address, offset, size, entsize, addralign, link, info } = section;
      const packed = compression(section, note);
      return {
        index,
        name,
        type: sectionTypeName(type, machine),
        flags: sectionFlagLetters(flags, machine),
        address: hex(address),
        offset,
        size,
        entsize,
        addralign,
        link,
        info,
        ...(packed === undefined ? {} : { compression: packed.format, unpackedSize: packed.size, unpackedAlign: packed.addralign }),
        ...(type === SHT.NOBITS ? { bits: false as const } : {}),
      };
    });
    write(sectionsReport(is64 ? 16 : 8), { file: elf.name, sections: rows });
    noteDiagnostics(elf, note);
  },
});

function compression(section: Section, note: (line: string) => void): ReturnType<Section['compression']> {
  try {
    return section.compression();
  } catch (error) {
    if (!isFormatError(error)) throw error;
    note(`kelf: ${error.message}`);
    return undefined;
  }
}
