import { Btf } from '../../../btf/btf.js';
import { TypeDescriber, type TypeDescription } from '../../../btf/print/describe.js';
import { BASE_OPTION, KIND_OPTION, kindsOf, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, type OptionSpec } from '../command.js';

const options: { base: typeof BASE_OPTION; kind: typeof KIND_OPTION; json: OptionSpec & { type: 'boolean' } } = {
  base: BASE_OPTION,
  kind: KIND_OPTION,
  json: { type: 'boolean', help: 'print a JSON object, its "types" one for each candidate' },
};

export const btfFind: Command<typeof options> = command({
  usage: 'FILE NAME [--kind KIND] [--base FILE] [--json]',
  arity: [2, 2],
  about:
    'Prints every type that is called NAME, one a line: id, kind, size or -, and what it is in C. Kernels have functions\n' +
    'and structs that share a name: programs that take the first may take the wrong one. Exit code 4 when there is none.',
  options,
  async run({ args, options, out, note }) {
    const btf = await openBtf(args[0]!, options.base, Btf.parse);
    const kinds = kindsOf(options.kind);
    const ids = btf.find(args[1]!).filter(id => kinds === undefined || kinds.has(btf.kindOf(id)));
    const describer = new TypeDescriber(btf);
    const types = ids.map(id => describer.describe(id));
    if (options.json) out.line(JSON.stringify({ schema: 'kelf/btf-find', version: 1, file: args[0], types }));
    else for (const type of types) out.line(`${type.id}\t${type.kind}\t${type.size ?? '-'}\t${inC(type)}`);
    if (ids.length > 0) return EXIT.ok;
    note(`kelf: ${args[0]} has no ${options.kind ?? 'type'} called ${args[1]}`);
    return EXIT.missing;
  },
});

function inC({ kind, name, declaration }: TypeDescription): string {
  switch (kind) {
    case 'STRUCT':
    case 'UNION':
      return `${kind.toLowerCase()} ${name}`;
    case 'ENUM':
    case 'ENUM64':
      return `enum ${name}`;
    case 'TYPEDEF':
      return `typedef ${declaration} ${name}`;
    default:
      return declaration ?? name;
  }
}
