import { segmentFlagLetters, segmentTypeName } from '../../../elf/names.js';
import { ElfTables } from '../../../elf/tables.js';
import { segmentsReport } from '../../report/elf.js';
import { exact, hex } from '../../report/json.js';
import { type Command, command, JSON_OPTION, NDJSON_OPTION } from '../command.js';
import { openElfSource } from '../elf-input.js';

export const segments: Command = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about: 'Prints the program headers, one per line under a heading. Sizes and offsets are decimal, addresses hexadecimal.',
  examples: ['vmlinux', 'vmlinux --json'],
  options: { json: JSON_OPTION, ndjson: NDJSON_OPTION },
  run({ args, write }) {
    const elf = ElfTables.open(openElfSource(args[0]!));
    const { machine, is64 } = elf.header;
    const rows = elf.segments.map(({ index, type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize, align }) => ({
      index,
      type: segmentTypeName(type, machine),
      flags: segmentFlagLetters(flags),
      offset,
      virtualAddress: hex(virtualAddress),
      physicalAddress: hex(physicalAddress),
      fileSize,
      memorySize: exact(memorySize),
      align: exact(align),
    }));
    write(segmentsReport(is64 ? 16 : 8), { file: elf.name, segments: rows });
  },
});
