import { Btf } from '../../../btf/btf.js';
import { TypeDescriber } from '../../../btf/print/describe.js';
import { btfFindReport } from '../../report/btf.js';
import { BASE_OPTION, KIND_OPTION, kindsOf, openBtf } from '../btf-input.js';
import { type Command, command, EXIT } from '../command.js';

export const btfFind: Command = command({
  usage: 'FILE NAME [--kind KIND] [--base FILE] [--json]',
  arity: [2, 2],
  about:
    'Prints every type that is called NAME, one a line: id, kind, size or -, and what it is in C. Kernels have functions\n' +
    'and structs that share a name: programs that take the first may take the wrong one. Exit code 4 when there is none.',
  options: {
    base: BASE_OPTION,
    kind: KIND_OPTION,
    json: { type: 'boolean', help: 'print a JSON object, its "types" one for each candidate' },
  },
  run({ args, options, note, write }) {
    const btf = openBtf(args[0]!, options.base, Btf.parse);
    const kinds = kindsOf(options.kind);
    const ids = btf.find(args[1]!).filter(id => kinds === undefined || kinds.has(btf.kindOf(id)));
    const describer = new TypeDescriber(btf);
    write(btfFindReport, { file: args[0]!, types: ids.map(id => describer.describe(id)) });
    if (ids.length > 0) return EXIT.ok;
    note(`kelf: ${args[0]} has no ${options.kind ?? 'type'} called ${args[1]}`);
    return EXIT.missing;
  },
});
