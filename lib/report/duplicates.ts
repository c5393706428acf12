import type { DuplicateName } from '../answers/describe-duplicate.js';
import type { KernelId, Report } from './report.js';
import { count, functionCells, functionCount, MOST_IN_MODULES, moduleCells, table } from './text.js';

export interface DuplicatesModel {
  readonly kernel: KernelId;
  readonly duplicates: readonly DuplicateName[];
}

/** `kelf duplicates`. @param names whether the text is the names alone */
export function duplicatesReport(names: boolean): Report<DuplicatesModel> {
  return {
    schema: 'kelf/duplicates',
    version: 1,
    lists: ['duplicates'],
    json: ({ kernel, duplicates }) => ({ kernel, duplicates: duplicates.map(({ unknownSites: _, ...group }) => group) }),
    text: ({ duplicates }) => (names ? duplicates.map(({ name }) => name) : duplicates.flatMap(groupLines)),
  };
}

function groupLines({ name, functions, dataSymbols, equalBytes, modules = [], byName, unknownSites }: DuplicateName): string[] {
  const same = equalBytes === undefined ? '' : equalBytes ? ' with the same code' : ' with different code';
  const data = dataSymbols === 0 ? '' : `, ${count(dataSymbols, 'data symbol')}`;
  const inModules = modules.length === 0 ? '' : `, ${modules.length} in modules`;
  const inBtf = functions.some(({ btf }) => btf.length > 0)
    ? 'the name is in BTF'
    : modules.some(({ btf }) => btf)
      ? 'the name is in the BTF of modules'
      : 'the name is not in BTF';
  const siteCell = (has: boolean, none = 'no ftrace site'): string => (has ? 'ftrace site' : none);
  const unknown = unknownSites ? 'ftrace site unknown' : undefined;
  const more = modules.length - MOST_IN_MODULES;
  return [
    `${name}: ${functionCount(functions.length)}${same}${data}${inModules}; ${inBtf}`,
    ...table(
      functions.map(row => [...functionCells(row), siteCell(row.site !== undefined, unknown)]),
      '  ',
    ),
    ...table(
      modules.slice(0, MOST_IN_MODULES).map(row => [...moduleCells(row), siteCell(row.site)]),
      '  ',
    ),
    ...(more > 0 ? [`  and ${more} more in modules`] : []),
    `  by name: ${Object.entries(byName)
      .map(([tool, does]) => `${tool} ${does}`)
      .join('; ')}`,
    '',
  ];
}
