import { ATTACH_FORMS, type AttachForm, type Recipe, recipeLine } from '../answers/attach/recipe.js';
import type { ProbeKind } from '../answers/attach/recipe-facts.js';
import type { Signature } from '../answers/attach/signature.js';
import { type KernelId, type Line, linesOf, type Report } from './report.js';
import { evidenceLines, functionCells, functionCount, moduleCells, table, verdictRows } from './text.js';

/** A recipe as plain data: with what attaches to the function in each form; nothing where the kernel refuses the probe. */
export interface WrittenRecipe extends Omit<Recipe, 'abi'> {
  readonly lines: Readonly<Partial<Record<AttachForm, Readonly<Record<ProbeKind, string | undefined>>>>>;
}

export interface AttachModel {
  readonly kernel: KernelId;
  /** All functions of a kernel are written one after the other. */
  readonly answers: Iterable<WrittenAttachAnswer>;
  /** One program for all functions. */
  readonly program?: string;
}

export interface WrittenAttachAnswer {
  readonly name: string;
  readonly functions: readonly WrittenRecipe[];
  readonly inside?: true;
  readonly problem?: string;
}

/** `kelf attach`. @param form where the text is the recipes in that form alone, of the probes of a kind */
export function attachReport(form: AttachForm | undefined, kind: ProbeKind): Report<AttachModel> {
  return {
    schema: 'kelf/attach',
    version: 2,
    lists: ['answers'],
    json: ({ kernel, answers }) => ({ kernel, answers: [...answers].map(({ name, functions }) => ({ name, functions })) }),
    verbatim: true,
    *text({ answers, program }): Generator<Line> {
      for (const answer of answers) {
        if (form === undefined) yield* answerLines(answer);
        else if (form !== 'bpf-c') for (const { lines } of answer.functions) yield* [lines[form]?.[kind] ?? []].flat();
      }
      if (program !== undefined) yield* linesOf(program);
    },
  };
}

export function writtenRecipe(recipe: Recipe, forms: readonly AttachForm[]): WrittenRecipe {
  const lines: WrittenRecipe['lines'] = {};
  // Written as they are read: the text has no use for the program in C, which takes as long as all others.
  for (const form of forms) {
    const get = (): object => ({ entry: recipeLine(recipe, form, 'entry'), return: recipeLine(recipe, form, 'return') });
    Object.defineProperty(lines, form, { enumerable: true, get });
  }
  const { abi: _, ...plain } = recipe;
  return { ...plain, lines };
}

/** For each function where it is, how it is called, and what attaches to it. */
function answerLines({ name, functions, inside, problem }: WrittenAttachAnswer): string[] {
  if (problem !== undefined) return [`${name}: ${problem}`, ''];
  const modules = functions.filter(({ function: row }) => 'module' in row).length;
  const inModules = modules === 0 ? '' : `, ${modules} in modules`;
  const bearers = inside === true ? `in ${functionCount(functions.length)}` : `${functionCount(functions.length)} with this name`;
  return [`${name}: ${bearers}${inModules}`, ...functions.flatMap(recipeLines), ''];
}

function recipeLines(recipe: WrittenRecipe): string[] {
  const { function: row, signature, notes, instead, entry, lines } = recipe;
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
      const { entry, return: returned } = lines[form]!;
      const written = [entry ?? [], returned ?? []].flat();
      return written.length === 0 ? [] : [`    ${form}`, ...written.map(line => `      ${line}`)];
    }),
    ...(recipe.fentry === undefined ? [] : ['    fentry', ...recipe.fentry.map(line => `      ${line}`)]),
  ];
}

function argumentRows({ arguments: all, result, source }: Signature): string[] {
  const rows = all.map(({ name, fetch }) => [name, fetch.map(({ from, type }) => `${from}:${type}`).join('  ') || 'not read']);
  const returned = result.fetch.map(({ from, type }) => `${from}:${type}`).join('  ');
  return table([...rows, ...(returned === '' ? [] : [['returns', returned]]), ['from', source]], '      ');
}
