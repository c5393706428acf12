import { describeNote } from '../../../elf/note-description.js';
import { openElf } from '../../image/elf.js';
import { type Command, command } from '../command.js';
import { JsonRows, noteDiagnostics, printable, widest } from '../elf.js';
import { openElfSource } from '../elf-input.js';

const OPTIONS = { json: { type: 'boolean', help: 'print JSON' } } as const;

export const notes: Command<typeof OPTIONS> = command({
  usage: '[OPTION…] FILE',
  arity: [1, 1],
  about:
    'Prints the notes, a note a line: owner, type, and the description decoded where it is known (GNU, Linux, Xen), else in hexadecimal.',
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const elf = openElf(await openElfSource(args[0]!));
    const rows = elf.notes.map(found => ({ found, ...describeNote(found, elf.littleEndian) }));
    if (options.json === true) {
      const json = new JsonRows(out, elf.name, 'notes');
      for (const { found, type, text } of rows) {
        const bytes = Array.from(found.description, byte => byte.toString(16).padStart(2, '0')).join('');
        json.row({ owner: found.owner, type, typeNumber: found.type, description: text, bytes, offset: found.offset });
      }
      json.end();
    } else {
      const owners = rows.map(({ found }) => printable(found.owner) || '-');
      const ownerWidth = widest(owners, owner => owner);
      const typeWidth = widest(rows, ({ type }) => type);
      rows.forEach(({ type, text }, row) => {
        out.line(`${owners[row]!.padEnd(ownerWidth)}  ${type.padEnd(typeWidth)}  ${text}`.trimEnd());
      });
    }
    noteDiagnostics(elf, note);
  },
});
