import { Btf } from '../../../btf/btf.js';
import { TypeDescriber } from '../../../btf/print/describe.js';
import { BASE_OPTION, KIND_OPTION, kindsOf, openBtf } from '../btf-input.js';
import { type Command, command, type OptionSpec } from '../command.js';
import { glob } from '../glob.js';

const options: { base: typeof BASE_OPTION; kind: typeof KIND_OPTION; json: OptionSpec & { type: 'boolean' } } = {
  base: BASE_OPTION,
  kind: KIND_OPTION,
  json: { type: 'boolean', help: 'print a JSON object, its "types" with id, kind, name and size' },
};

export const btfList: Command<typeof options> = command({
  usage: 'FILE [PATTERN] [--kind KIND] [--base FILE] [--json]',
  arity: [1, 2],
  about:
    'Lists the named types of FILE, one a line: id, kind, name. PATTERN is a glob, such as tcp_*, that the whole name\n' +
    'has to match. Of split BTF, the types of its base are not listed.',
  options,
  async run({ args, options, out }) {
    const btf = await openBtf(args[0]!, options.base, Btf.parse);
    const kinds = kindsOf(options.kind);
    const pattern = args[1] === undefined ? undefined : glob(args[1]);
    const describer = new TypeDescriber(btf);
    let separator = `{"schema":"kelf/btf-list","version":1,"file":${JSON.stringify(args[0])},"types":[\n`;
    const head = separator;
    for (let id = btf.firstId; id < btf.count; id++) {
      if (btf.nameOffset(id) === 0) continue;
      const kind = btf.kindOf(id);
      if (kinds !== undefined && !kinds.has(kind)) continue;
      if (pattern !== undefined && !pattern(btf.nameOf(id))) continue;
      if (options.json) {
        out.text(separator).text(JSON.stringify(describer.summary(id)));
        separator = ',\n';
      } else out.decimal(id).byte(9).text(kind).byte(9).copy(btf.nameBytes(id)).byte(10);
    }
    if (options.json) out.line(separator === head ? `${head.trimEnd()}]}` : '\n]}');
    return 0;
  },
});
