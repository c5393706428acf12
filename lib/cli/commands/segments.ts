import { segmentFlagLetters, segmentTypeName } from '../../../elf/names.js';
import { ElfTables } from '../../../elf/tables.js';
import { type Command, command } from '../command.js';
import { hex, JsonRows, printTable } from '../elf.js';
import { openElfSource } from '../elf-input.js';

const OPTIONS = { json: { type: 'boolean', help: 'print JSON' } } as const;

export const segments: Command<typeof OPTIONS> = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about: 'Prints the program headers, a segment a line under one line of headings. Sizes and offsets are decimal, addresses hexadecimal.',
  options: OPTIONS,
  async run({ args, options, out }) {
    const elf = ElfTables.open(await openElfSource(args[0]!));
    const { machine, is64 } = elf.header;
    const digits = is64 ? 16 : 8;
    if (options.json === true) {
      const json = new JsonRows(out, elf.name, 'segments');
      for (const { index, type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize, align } of elf.segments) {
        json.row({
          index,
          type: segmentTypeName(type, machine),
          flags: segmentFlagLetters(flags),
          offset,
          virtualAddress: hex(virtualAddress),
          physicalAddress: hex(physicalAddress),
          fileSize,
          memorySize: Number(memorySize),
          align: Number(align),
        });
      }
      json.end();
      return;
    }
    printTable(
      out,
      ['nr', 'type', 'flags', 'vaddr', 'paddr', 'offset', 'filesize', 'memsize', 'align'],
      [true, false, false, false, false, true, true, true, true],
      elf.segments.map(segment => [
        String(segment.index),
        segmentTypeName(segment.type, machine),
        segmentFlagLetters(segment.flags),
        segment.virtualAddress.toString(16).padStart(digits, '0'),
        segment.physicalAddress.toString(16).padStart(digits, '0'),
        String(segment.offset),
        String(segment.fileSize),
        String(segment.memorySize),
        String(segment.align),
      ]),
    );
  },
});
