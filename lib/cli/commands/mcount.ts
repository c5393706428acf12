import { mcountSlots } from '../../answers/mcount.js';
import { mcountReport } from '../../report/mcount.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JSON_OPTION, MissingError } from '../command.js';
import { withKernel } from '../with-kernel.js';

export const mcount: Command = command({
  usage: 'FILE [--list] [--json]',
  arity: [1, 1],
  about: `Prints the contents of ftrace's table between __start_mcount_loc and __stop_mcount_loc: the number of words, how many are zero in the file and
which relocations fill them, and where the words point relative to their functions.`,
  examples: ['vmlinux', 'vmlinux --json'],
  options: {
    list: { type: 'boolean', help: 'print every word: address, stored value, relocated value, function' },
    json: JSON_OPTION,
  },
  run: ({ args, options, note, write }) =>
    withKernel(args, {}, note, kernel => {
      const found = kernel.mcount;
      if (found === undefined && kernel.symbolsMissing !== undefined) throw new MissingError(kernel.symbolsMissing);
      if (found === undefined)
        throw new MissingError(`${kernel.name} has no __start_mcount_loc: it was built without CONFIG_DYNAMIC_FTRACE`);
      const { start, stop, count, wordSize, zeroStored, zeroRelocated, fills, relocationSections } = found;
      const { mode } = kernel.functions.sites!;
      const summary = { start, stop, count, wordSize, zeroStored, zeroRelocated, fills, relocationSections, ...mode! };
      write(mcountReport, { kernel: kernelId(kernel), ...summary, ...(options.list ? { slots: mcountSlots(kernel) } : {}) });
      return EXIT.ok;
    }),
});
