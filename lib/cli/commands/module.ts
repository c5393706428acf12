import { Btf } from '../../../btf/btf.js';
import { moduleLists, moduleSummary } from '../../answers/module.js';
import { openModule } from '../../open/open-module.js';
import { type ModuleModel, moduleReport } from '../../report/module.js';
import { BASE_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, JSON_OPTION, NDJSON_OPTION, UsageError } from '../command.js';

const LISTS = ['functions', 'sites', 'exports', 'imports'] as const;

export const module: Command = command({
  usage: 'FILE… [--base FILE] [--functions | --sites | --exports | --imports] [--json]',
  arity: [1, 100_000],
  about: `Describes a kernel module (.ko, compressed or not): its name, the kernel it was built for, its dependencies, and the number of functions, ftrace
sites, exports and BTF FUNCs. The BTF of a module is split over the kernel's BTF, which --base gives.`,
  examples: ['xfs.ko.xz', 'xfs.ko --json'],
  options: {
    base: BASE_OPTION,
    functions: { type: 'boolean', help: 'list its functions: section and offset, size, letter, marks, name' },
    sites: { type: 'boolean', help: 'list its ftrace sites' },
    exports: { type: 'boolean', help: 'list its exports: table, GPL or not, checksum, place, namespace, name' },
    imports: { type: 'boolean', help: 'list the symbols it imports from the kernel and other modules, with checksums' },
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run({ args, options, note, write }) {
    const lists = LISTS.filter(list => options[list] === true);
    if (lists.length > 1 && options.json !== true) throw new UsageError(`--${lists.join(' and --')}: one list at a time, or --json`);
    const base = options.base === undefined ? undefined : openBtf(options.base, undefined, Btf.parse);
    const read = function* (): Generator<ModuleModel> {
      for (const path of args) {
        using opened = openModule(path, base === undefined ? {} : { base });
        yield { ...moduleSummary(opened), ...Object.fromEntries(lists.map(list => [list, moduleLists(opened)[list]()])) };
        for (const { message } of opened.diagnostics) note(`kelf: ${message}`);
      }
    };
    write(moduleReport(args.length > 1), { modules: read() });
  },
});
