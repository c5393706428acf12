import { Btf } from '../../../btf/btf.js';
import { FormatError } from '../../../elf/errors.js';
import type { Module } from '../../facts/module/module.js';
import { openModule } from '../../open/open-module.js';
import { hex, toJson } from '../../report/json.js';
import { table } from '../../report/text.js';
import { BASE_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, type OptionSpec, UsageError } from '../command.js';
import { printable } from '../elf.js';
import type { Output } from '../output.js';

type Switch = OptionSpec & { readonly type: 'boolean' };

const OPTIONS: {
  readonly base: typeof BASE_OPTION;
  readonly functions: Switch;
  readonly sites: Switch;
  readonly exports: Switch;
  readonly imports: Switch;
  readonly json: Switch;
} = {
  base: BASE_OPTION,
  functions: { type: 'boolean', help: 'list its functions: section and offset, size, letter, what holds of it, name' },
  sites: { type: 'boolean', help: 'list the places that ftrace patches' },
  exports: { type: 'boolean', help: 'list what it exports: table, checksum, place, namespace, name' },
  imports: { type: 'boolean', help: 'list what it takes from the kernel and other modules, with the checksums' },
  json: { type: 'boolean', help: 'print JSON; with a list too where one is asked for' },
};

/** The lists there are, and what prints one in text. */
const LISTS = { functions, sites, exports, imports } as const;

export const module: Command<typeof OPTIONS> = command({
  usage: 'FILE… [--base FILE] [--functions | --sites | --exports | --imports] [--json]',
  arity: [1, 100_000],
  about: `Prints what a kernel module (.ko, packed or not) says of itself: name, the kernel it was built for, what it needs, how many functions, ftrace
sites, exports and FUNCs of BTF it has. Its BTF is split over that of the kernel, which --base gives.`,
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const lists = (Object.keys(LISTS) as (keyof typeof LISTS)[]).filter(list => options[list] === true);
    if (lists.length > 1 && options.json !== true) throw new UsageError(`--${lists.join(' and --')}: one list at a time, or --json`);
    const base = options.base === undefined ? undefined : await openBtf(options.base, undefined, Btf.parse);
    const all: object[] = [];
    for (const path of args) {
      using opened = openModule(path, base === undefined ? {} : { base });
      if (options.json === true) {
        all.push({ ...summary(opened), ...Object.fromEntries(lists.map(list => [list, rowsOf(opened, list)])) });
      } else if (lists.length > 0) LISTS[lists[0]!](opened, out);
      else printSummary(opened, out, args.length > 1);
      for (const { message } of opened.diagnostics) note(`kelf: ${message}`);
    }
    if (options.json === true) out.line(toJson({ schema: 'kelf/module', version: 1, modules: all }));
    return EXIT.ok;
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
    return opened.btfBase === undefined ? "split: --base says what over, the kernel's vmlinux" : error.message;
  }
}

function summary(opened: Module): object {
  const { name, file, modinfo, buildId, signature, functions, mcount, exports, imports } = opened;
  const btf = btfOf(opened);
  const rows = rowsOf(opened, 'functions') as ReturnType<Module['function']>[];
  return {
    file: file.name,
    name,
    modinfo: Object.fromEntries([...new Set(modinfo.entries.map(([tag]) => tag))].map(tag => [tag, modinfo.all(tag)])),
    depends: modinfo.depends,
    ...(buildId === undefined ? {} : { buildId }),
    ...(signature === undefined ? {} : { signature }),
    counts: {
      functions: functions.count,
      sites: functions.sites?.ip.length ?? 0,
      blacklisted: rows.filter(({ blacklist }) => blacklist !== undefined).length,
      exports: exports.length,
      imports: imports.length,
    },
    ...(mcount === undefined ? {} : { siteSection: mcount.section }),
    ...(typeof btf === 'string' ? {} : { btf: { ...btf, ...(opened.btfBase === undefined ? {} : { base: opened.btfBase }) } }),
  };
}

function rowsOf(opened: Module, list: keyof typeof LISTS): readonly object[] {
  switch (list) {
    case 'functions':
      return Array.from({ length: opened.functions.count }, (_, row) => opened.function(row));
    case 'sites':
      return [...opened.sites()].map(({ row, ...site }) => ({
        ...site,
        ...(row === undefined ? {} : { function: opened.functions.name(row) }),
      }));
    case 'exports':
      return opened.exports;
    case 'imports':
      return opened.imports;
  }
}

function printSummary(opened: Module, out: Output, several: boolean): void {
  const { name, file, modinfo, buildId, signature, functions, mcount, exports, imports } = opened;
  const all = rowsOf(opened, 'functions') as ReturnType<Module['function']>[];
  const count = (what: (row: ReturnType<Module['function']>) => boolean): number => all.filter(what).length;
  const btf = btfOf(opened);
  const namespaces = modinfo.all('import_ns');
  const sites = functions.sites?.ip.length ?? 0;
  const code = [
    [count(({ phase }) => phase === 'init'), 'of init code'],
    [count(({ phase }) => phase === 'exit'), 'of exit code'],
    [count(({ blacklist }) => blacklist !== undefined), 'on the kprobe blacklist'],
  ].filter(([number]) => number !== 0);
  const rows: [string, string | undefined][] = [
    ['file', file.name],
    ['name', name],
    ['description', modinfo.get('description')],
    ['version', modinfo.get('version')],
    ['license', modinfo.get('license')],
    ['vermagic', modinfo.get('vermagic')],
    ['depends', modinfo.depends.join(', ') || '-'],
    ['aliases', String(modinfo.all('alias').length)],
    ['namespaces', namespaces.join(', ') || undefined],
    ['retpoline', modinfo.get('retpoline')],
    ['build id', buildId],
    ['signature', signature === undefined ? 'none' : `${signature.form}, ${signature.length} bytes`],
    ['functions', [String(functions.count), ...code.map(([number, what]) => `${number} ${what}`)].join(', ')],
    ['ftrace sites', mcount === undefined ? 'none' : `${sites}, of ${mcount.section}`],
    ['BTF', typeof btf === 'string' ? btf : `${btf.functions} FUNCs, ${btf.types} types, ${BASES[opened.btfBase ?? 'none']}`],
    ['exports', `${exports.length}, ${exports.filter(({ gpl }) => gpl).length} of them GPL`],
    ['imports', String(imports.length)],
  ];
  for (const line of table(rows.flatMap(([what, value]) => (value === undefined ? [] : [[what, printable(value)]])))) out.line(line);
  if (several) out.line();
}

const BASES: Readonly<Record<string, string>> = {
  kernel: 'split over the base that was given',
  distilled: 'over the distilled base it brings along',
  relocated: 'relocated from its distilled base onto the one that was given',
  none: 'of its own',
};

function functions(opened: Module, out: Output): void {
  for (let row = 0; row < opened.functions.count; row++) {
    const { name, section, offset, size, extent, binding, phase, site, blacklist, btf } = opened.function(row);
    const marks = [
      ...(phase === 'core' ? [] : [phase]),
      ...(site === undefined ? [] : ['site']),
      ...(btf.length === 0 ? [] : ['btf']),
      ...(blacklist === undefined ? [] : ['noprobe']),
    ];
    const letter = binding === 'local' ? 't' : binding === 'weak' ? 'W' : 'T';
    out.line(
      [`${section}+${hex(BigInt(offset))}`, size || extent, letter, marks.join(',') || '-', name]
        .map(cell => printable(String(cell)))
        .join('\t'),
    );
  }
}

function sites(opened: Module, out: Output): void {
  for (const { section, offset, phase, row } of opened.sites()) {
    const name = row === undefined ? '-' : opened.functions.name(row);
    out.line([`${section}+${hex(BigInt(offset))}`, phase, name].map(printable).join('\t'));
  }
}

function exports(opened: Module, out: Output): void {
  for (const { name, table, gpl, namespace, crc, section, offset } of opened.exports) {
    const cells = [table, gpl ? 'GPL' : '-', crcText(crc), `${section}+${hex(BigInt(offset))}`, namespace ?? '-', name];
    out.line(cells.map(printable).join('\t'));
  }
}

function imports(opened: Module, out: Output): void {
  for (const { name, weak, crc } of opened.imports) out.line([crcText(crc), weak ? 'weak' : '-', printable(name)].join('\t'));
}

function crcText(crc: number | undefined): string {
  return crc === undefined ? '-' : `0x${crc.toString(16).padStart(8, '0')}`;
}
