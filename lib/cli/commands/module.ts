import { Btf } from '../../../btf/btf.js';
import { FormatError } from '../../../elf/errors.js';
import type { Module, ModuleFunction } from '../../facts/module/module.js';
import { openModule } from '../../open/open-module.js';
import { type ModuleLists, type ModuleModel, moduleReport } from '../../report/module.js';
import { BASE_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, JSON_OPTION, UsageError } from '../command.js';

const LISTS = ['functions', 'sites', 'exports', 'imports'] as const;

export const module: Command = command({
  usage: 'FILE… [--base FILE] [--functions | --sites | --exports | --imports] [--json]',
  arity: [1, 100_000],
  about: `Describes a kernel module (.ko, compressed or not): its name, the kernel it was built for, its dependencies, and the number of functions, ftrace
sites, exports and BTF FUNCs. The BTF of a module is split over the kernel's BTF, which --base gives.`,
  options: {
    base: BASE_OPTION,
    functions: { type: 'boolean', help: 'list its functions: section and offset, size, letter, marks, name' },
    sites: { type: 'boolean', help: 'list its ftrace sites' },
    exports: { type: 'boolean', help: 'list its exports: table, GPL or not, checksum, place, namespace, name' },
    imports: { type: 'boolean', help: 'list the symbols it imports from the kernel and other modules, with checksums' },
    json: JSON_OPTION,
  },
  run({ args, options, note, write }) {
    const lists = LISTS.filter(list => options[list] === true);
    if (lists.length > 1 && options.json !== true) throw new UsageError(`--${lists.join(' and --')}: one list at a time, or --json`);
    const base = options.base === undefined ? undefined : openBtf(options.base, undefined, Btf.parse);
    const read = function* (): Generator<ModuleModel> {
      for (const path of args) {
        using opened = openModule(path, base === undefined ? {} : { base });
        yield { ...summary(opened), ...Object.fromEntries(lists.map(list => [list, rowsOf(opened)[list]()])) };
        for (const { message } of opened.diagnostics) note(`kelf: ${message}`);
      }
    };
    write(moduleReport(args.length > 1), { modules: read() });
  },
});

/** How many FUNCs its BTF has, or why that can't be told. */
function btfOf(opened: Module): { readonly functions: number; readonly types: number } | string {
  if (opened.file.section('.BTF') === undefined) return 'none';
  try {
    const btf = opened.btf!;
    return { functions: btf.functions().length, types: btf.count - btf.firstId };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return opened.btfBase === undefined ? "split: give the kernel's vmlinux as --base" : error.message;
  }
}

function summary(opened: Module): ModuleModel {
  const { name, file, modinfo, buildId, signature, functions, mcount, exports, imports, btfBase } = opened;
  const btf = btfOf(opened);
  const rows = rowsOf(opened).functions();
  const count = (what: (row: ModuleFunction) => boolean): number => rows.filter(what).length;
  return {
    file: file.name,
    name,
    modinfo: Object.fromEntries(modinfo.entries.map(([tag]) => [tag, modinfo.all(tag)])),
    depends: modinfo.depends,
    ...(buildId === undefined ? {} : { buildId }),
    ...(signature === undefined ? {} : { signature }),
    counts: {
      functions: functions.count,
      sites: functions.sites?.ip.length ?? 0,
      blacklisted: count(({ blacklist }) => blacklist !== undefined),
      exports: exports.length,
      imports: imports.length,
    },
    ...(mcount === undefined ? {} : { siteSection: mcount.section }),
    ...(typeof btf === 'string' ? {} : { btf: { ...btf, ...(btfBase === undefined ? {} : { base: btfBase }) } }),
    more: {
      init: count(({ phase }) => phase === 'init'),
      exit: count(({ phase }) => phase === 'exit'),
      gpl: exports.filter(({ gpl }) => gpl).length,
      noBtf: typeof btf === 'string' ? btf : '',
    },
  };
}

function rowsOf(opened: Module): { readonly [list in keyof ModuleLists]: () => ModuleLists[list] } {
  const { functions, exports, imports } = opened;
  return {
    functions: () => Array.from({ length: functions.count }, (_, row) => opened.function(row)),
    sites: () =>
      Array.from(opened.sites(), ({ row, ...site }) => ({ ...site, ...(row === undefined ? {} : { function: functions.name(row) }) })),
    exports: () => exports,
    imports: () => imports,
  };
}
