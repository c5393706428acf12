import { FormatError } from '../../elf/errors.js';
import type { Module, ModuleFunction, ModuleSite } from '../facts/module/module.js';
import type { ModuleExport } from '../facts/module/module-exports.js';
import type { ModuleImport } from '../facts/module/module-imports.js';
import type { ModuleSignature } from '../facts/module/module-signature.js';

/** What of a module there are lists of, where one asks for them. */
export interface ModuleLists {
  readonly functions: readonly ModuleFunction[];
  /** With the function's name in place of its row. */
  readonly sites: readonly (Omit<ModuleSite, 'row'> & { readonly function?: string })[];
  readonly exports: readonly ModuleExport[];
  readonly imports: readonly ModuleImport[];
}

/** What a module says of itself. */
export interface ModuleSummary {
  readonly file: string;
  readonly name: string;
  readonly modinfo: Readonly<Record<string, readonly string[]>>;
  readonly depends: readonly string[];
  readonly buildId?: string;
  readonly signature?: ModuleSignature;
  readonly counts: Readonly<Record<keyof ModuleLists | 'blacklisted', number>>;
  readonly siteSection?: string;
  readonly btf?: { readonly functions: number; readonly types: number; readonly base?: NonNullable<Module['btfBase']> };
  /** JSON has no place for it: functions of init and exit code, exports for GPL modules, why BTF can't be counted. */
  readonly more: { readonly init: number; readonly exit: number; readonly gpl: number; readonly noBtf: string };
}

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

/** A module in short. */
export function moduleSummary(opened: Module): ModuleSummary {
  const { name, file, modinfo, buildId, signature, functions, mcount, exports, imports, btfBase } = opened;
  const btf = btfOf(opened);
  const rows = moduleLists(opened).functions();
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

/** Makes each list of a module. */
export function moduleLists(opened: Module): { readonly [list in keyof ModuleLists]: () => ModuleLists[list] } {
  const { functions, exports, imports } = opened;
  return {
    functions: () => Array.from({ length: functions.count }, (_, row) => opened.function(row)),
    sites: () =>
      Array.from(opened.sites(), ({ row, ...site }) => ({ ...site, ...(row === undefined ? {} : { function: functions.name(row) }) })),
    exports: () => exports,
    imports: () => imports,
  };
}
