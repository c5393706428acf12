import { Btf } from '../../../btf/btf.js';
import type { Kind } from '../../../btf/kinds.js';
import { btfShowReport } from '../../report/btf.js';
import { BASE_OPTION, KIND_OPTION, kindsOf, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, JSON_OPTION } from '../command.js';
import { noType, typesNamed } from '../type-names.js';
import { namesOf } from '../with-kernel.js';

export const btfShow: Command = command({
  usage: 'FILE NAME… [--kind KIND] [--base FILE] [--json]',
  arity: [2, Number.POSITIVE_INFINITY],
  about: `Prints types by name: structs and unions with offsets, sizes, holes and 64-byte cache lines, like pahole; enums with their values; typedefs; and
function prototypes. If several types share a name, it prints all of them.`,
  examples: ['vmlinux task_struct', "vmlinux 'bpf_*_aux' --kind struct"],
  options: {
    base: BASE_OPTION,
    kind: KIND_OPTION,
    json: JSON_OPTION,
  },
  run({ args, options, note, write }) {
    const [path, ...given] = args;
    const names = namesOf(given);
    const btf = openBtf(path!, options.base, Btf.parse);
    const kinds = kindsOf(options.kind);
    const found = names.map(name => candidates(btf, name, kinds));
    const missing = names.filter((_, i) => found[i]!.length === 0);
    write(btfShowReport, { file: path!, btf, ids: found.flat(), missing });
    if (missing.length === 0) return EXIT.ok;
    note(`kelf: ${noType(path!, btf, missing, options.kind)}`);
    return EXIT.missing;
  },
});

/** The types of a name, without declarations of what is also defined. */
function candidates(btf: Btf, name: string, kinds: ReadonlySet<Kind> | undefined): number[] {
  const ids = typesNamed(btf, name, kinds);
  const defined = ids.some(id => btf.kindOf(id) === 'STRUCT' || btf.kindOf(id) === 'UNION');
  return defined ? ids.filter(id => btf.kindOf(id) !== 'FWD') : ids;
}
