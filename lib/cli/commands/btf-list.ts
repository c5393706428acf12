import { Btf } from '../../../btf/btf.js';
import type { Kind } from '../../../btf/kinds.js';
import { btfListReport } from '../../report/btf.js';
import { BASE_OPTION, KIND_OPTION, kindsOf, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, JSON_OPTION, NDJSON_OPTION } from '../command.js';
import { glob } from '../glob.js';
import { noType } from '../type-names.js';

export const btfList: Command = command({
  usage: 'FILE [PATTERN] [--kind KIND] [--base FILE] [--json]',
  arity: [1, 2],
  about: `Lists the named types in FILE, one per line: id, kind, name. PATTERN is a glob such as tcp_* that must match the whole name. For split BTF, the
types of the base are not listed.`,
  examples: ["vmlinux 'tcp_*'", 'vmlinux --kind struct,union'],
  options: {
    base: BASE_OPTION,
    kind: KIND_OPTION,
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run({ args, options, note, write }) {
    const btf = openBtf(args[0]!, options.base, Btf.parse);
    const kinds = kindsOf(options.kind);
    const pattern = args[1] === undefined ? undefined : glob(args[1]);
    let count = 0;
    const counted = function* (): Generator<number> {
      for (const id of named(btf, kinds, pattern)) {
        count++;
        yield id;
      }
    };
    write(btfListReport, { file: args[0]!, btf, ids: counted() });
    if (count > 0 || args[1] === undefined) return EXIT.ok;
    note(`kelf: ${noType(args[0]!, btf, [args[1]], options.kind)}`);
    return EXIT.missing;
  },
});

function* named(btf: Btf, kinds: ReadonlySet<Kind> | undefined, pattern: ((name: string) => boolean) | undefined): Generator<number> {
  for (let id = btf.firstId; id < btf.count; id++) {
    if (btf.nameOffset(id) === 0) continue;
    if (kinds !== undefined && !kinds.has(btf.kindOf(id))) continue;
    if (pattern === undefined || pattern(btf.nameOf(id))) yield id;
  }
}
