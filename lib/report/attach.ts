import type { AttachAnswer } from '../answers/attach/attaching.js';
import { ATTACH_FORMS, type Recipe } from '../answers/attach/recipe.js';
import type { Signature } from '../answers/attach/signature.js';
import { evidenceLines, functionCells, moduleCells, table, verdictRows } from './text.js';

/** An answer in text: for each function where it is, how it is called, and what attaches to it. */
export function attachLines({ name, functions, problem }: AttachAnswer): string[] {
  if (problem !== undefined) return [`${name}: ${problem}`, ''];
  const count = functions.length === 1 ? 'one function' : `${functions.length} functions`;
  const modules = functions.filter(({ function: row }) => 'module' in row).length;
  return [`${name}: ${count} of that name${modules === 0 ? '' : `, ${modules} in modules`}`, ...functions.flatMap(recipeLines), ''];
}

function recipeLines(recipe: Recipe): string[] {
  const { function: row, signature, notes, instead, entry } = recipe;
  const cells = 'module' in row ? moduleCells(row) : functionCells(row);
  const refused = (['entry', 'return'] as const).filter(kind => recipe[kind].outcome !== 'accepted');
  return [
    `  ${cells.filter(Boolean).join('  ')}`,
    ...(signature === undefined ? [] : [`    ${signature.prototype}`, ...argumentRows(signature)]),
    ...[...notes, ...(signature?.notes ?? [])].map(says => `    note: ${says}`),
    ...(refused.length === 0
      ? []
      : verdictRows(Object.fromEntries(refused.map(kind => [kind === 'entry' ? 'kprobe' : 'kretprobe', recipe[kind]])), '    ')),
    ...(entry.outcome === 'accepted' ? [] : evidenceLines([entry]).map(line => `      ${line}`)),
    ...instead.map(says => `    instead: ${says}`),
    ...ATTACH_FORMS.filter(form => form !== 'bpf-c').flatMap(form => {
      const lines = (['entry', 'return'] as const).flatMap(kind => recipe.attach(form, kind) ?? []);
      return lines.length === 0 ? [] : [`    ${form}`, ...lines.map(line => `      ${line}`)];
    }),
    ...(recipe.fentry === undefined ? [] : ['    fentry', ...recipe.fentry.map(line => `      ${line}`)]),
  ];
}

function argumentRows({ arguments: all, result, source }: Signature): string[] {
  const rows = all.map(({ name, fetch }) => [name, fetch.map(({ from, type }) => `${from}:${type}`).join('  ') || 'not read']);
  const returned = result.fetch.map(({ from, type }) => `${from}:${type}`).join('  ');
  return table([...rows, ...(returned === '' ? [] : [['returns', returned]]), ['from', source]], '      ');
}
