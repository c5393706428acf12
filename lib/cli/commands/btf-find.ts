import { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { TypeDescriber, type TypeDescription } from '../../../btf/print/describe.js';
import { btfFindReport } from '../../report/btf.js';
import { BASE_OPTION, KIND_OPTION, kindsOf, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, JSON_OPTION, NDJSON_OPTION } from '../command.js';
import { noType, typesNamed } from '../type-names.js';

export const btfFind: Command = command({
  usage: 'FILE NAME [--kind KIND] [--base FILE] [--json]',
  arity: [2, 2],
  about: `Prints every type named NAME, one per line: id, kind, size or -, and its declaration in C. In a kernel a function and a struct may share a name: a
program that takes the first match may take the wrong one. Exit code 4: no type has the name.`,
  examples: ['vmlinux task_struct', 'vmlinux pid --kind struct'],
  options: {
    base: BASE_OPTION,
    kind: KIND_OPTION,
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run({ args, options, note, write }) {
    const btf = openBtf(args[0]!, options.base, Btf.parse);
    const kinds = kindsOf(options.kind);
    const ids = typesNamed(btf, args[1]!, kinds);
    const describer = new TypeDescriber(btf);
    write(btfFindReport, { file: args[0]!, types: described(ids, describer) });
    if (ids.length > 0) return EXIT.ok;
    note(`kelf: ${noType(args[0]!, btf, [args[1]!], options.kind)}`);
    return EXIT.missing;
  },
});

/** While they are written: a file may have a hundred thousand types of one name. */
function* described(ids: readonly TypeId[], describer: TypeDescriber): Generator<TypeDescription> {
  for (const id of ids) yield describer.describe(id);
}
