import type { ModuleLists, ModuleSummary } from '../answers/module.js';
import type { ModuleFunction } from '../facts/module/module.js';
import type { Report } from './report.js';
import { crcText, offsetText, table } from './text.js';

/** A module, with the lists of it that were asked for. */
export interface ModuleModel extends ModuleSummary, Partial<ModuleLists> {}

/** `kelf module`. @param several whether the text keeps modules apart */
export function moduleReport(several: boolean): Report<{ readonly modules: Iterable<ModuleModel> }> {
  return {
    schema: 'kelf/module',
    version: 1,
    lists: ['modules'],
    json: ({ modules }) => ({ modules: Array.from(modules, ({ more: _, ...module }) => module) }),
    *text({ modules }) {
      for (const module of modules) {
        const rows = listOf(module);
        if (rows !== undefined) yield* rows.map(cells => cells.map(String));
        else yield* [...summaryLines(module), ...(several ? [''] : [])];
      }
    },
  };
}

/** The list that was asked for, where one was: the text has no more than one. */
function listOf({ functions, sites, exports, imports }: ModuleModel): (string | number)[][] | undefined {
  return (
    functions?.map(functionCells) ??
    sites?.map(({ section, offset, phase, function: name = '-' }) => [offsetText(section, offset), phase, name]) ??
    exports?.map(({ name, table, gpl, namespace = '-', crc, section, offset }) => {
      return [table, gpl ? 'GPL' : '-', crcText(crc), offsetText(section, offset), namespace, name];
    }) ??
    imports?.map(({ name, weak, crc }) => [crcText(crc), weak ? 'weak' : '-', name])
  );
}

function functionCells({ name, section, offset, size, extent, binding, phase, site, blacklist, btf }: ModuleFunction): (string | number)[] {
  const marks = [
    ...(phase === 'core' ? [] : [phase]),
    ...(site === undefined ? [] : ['site']),
    ...(btf.length === 0 ? [] : ['btf']),
    ...(blacklist === undefined ? [] : ['noprobe']),
  ];
  const letter = binding === 'local' ? 't' : binding === 'weak' ? 'W' : 'T';
  return [offsetText(section, offset), size || extent, letter, marks.join(',') || '-', name];
}

function summaryLines({ file, name, modinfo, depends, buildId, signature, counts, siteSection, btf, more }: ModuleModel): string[] {
  const code = [
    [more.init, 'in init code'],
    [more.exit, 'in exit code'],
    [counts.blacklisted, 'on the kprobe blacklist'],
  ].filter(([number]) => number !== 0);
  const rows: [string, string | undefined][] = [
    ['file', file],
    ['name', name],
    ['description', modinfo['description']?.[0]],
    ['version', modinfo['version']?.[0]],
    ['license', modinfo['license']?.[0]],
    ['vermagic', modinfo['vermagic']?.[0]],
    ['depends', depends.join(', ') || '-'],
    ['aliases', String(modinfo['alias']?.length ?? 0)],
    ['namespaces', modinfo['import_ns']?.join(', ')],
    ['retpoline', modinfo['retpoline']?.[0]],
    ['build id', buildId],
    ['signature', signature === undefined ? 'none' : `${signature.form}, ${signature.length} bytes`],
    ['functions', [String(counts.functions), ...code.map(([number, what]) => `${number} ${what}`)].join(', ')],
    ['ftrace sites', siteSection === undefined ? 'none' : `${counts.sites}, from ${siteSection}`],
    ['BTF', btf === undefined ? more.noBtf : `${btf.functions} FUNCs, ${btf.types} types, ${BASES[btf.base ?? 'none']}`],
    ['exports', `${counts.exports}, ${more.gpl} of them GPL`],
    ['imports', String(counts.imports)],
  ];
  return table(rows.flatMap(([what, value]) => (value === undefined ? [] : [[what, value]])));
}

const BASES = {
  kernel: 'split over the given base',
  distilled: 'split over its own distilled base',
  relocated: 'relocated from its distilled base to the given one',
  none: 'not split',
};
