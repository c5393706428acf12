import { ElfFile } from '../../../elf/file.js';
import { describeNote } from '../../../elf/note-description.js';
import { notesReport } from '../../report/elf.js';
import { bytesText } from '../../report/text.js';
import { type Command, command, JSON_OPTION, NDJSON_OPTION } from '../command.js';
import { openElfSource } from '../elf-input.js';
import { noteDiagnostics } from '../elf-text.js';

export const notes: Command = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about:
    'Prints the notes, one per line: owner, type, and the description, decoded if its type is known (GNU, Linux, Xen), else in hexadecimal.',
  examples: ['vmlinux', 'xfs.ko --json'],
  options: { json: JSON_OPTION, ndjson: NDJSON_OPTION },
  run({ args, note, write }) {
    const elf = ElfFile.open(openElfSource(args[0]!));
    const rows = elf.notes.map(found => {
      const { type, text } = describeNote(found, elf.littleEndian);
      return {
        owner: found.owner,
        type,
        typeNumber: found.type,
        description: text,
        bytes: bytesText(found.description),
        offset: found.offset,
      };
    });
    write(notesReport, { file: elf.name, notes: rows });
    noteDiagnostics(elf, note);
  },
});
