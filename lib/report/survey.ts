import type { FunctionSurvey } from '../fleet/survey/function.js';
import type { GoneSurvey, GoneTable } from '../fleet/survey/gone.js';
import type { Among, ReleaseRange } from '../fleet/survey/kernels.js';
import type { MemberSurvey } from '../fleet/survey/member.js';
import type { ObjectSurvey } from '../fleet/survey/object.js';
import type { VerdictSurvey } from '../fleet/survey/verdict.js';
import { REASONS, type ReasonCode } from '../reasons.js';
import type { Report } from './report.js';
import type { ReportTable } from './tables.js';
import { count, objectPlace, table } from './text.js';

/** `kelf survey`: the text is the tables under a line of its own; of many ranges it counts the last. */
export const functionSurveyReport: Report<FunctionSurvey> = {
  schema: 'kelf/survey',
  version: 1,
  ...written(functionTables, ({ name, kernels, absent, untold }) => [
    `${name}: in ${kernels - (absent?.kernels ?? 0) - (untold?.kernels ?? 0)} of ${count(kernels, 'kernel')}`,
  ]),
};
export const memberSurveyReport: Report<MemberSurvey> = {
  schema: 'kelf/survey',
  version: 1,
  ...written(memberTables, ({ struct, path, kernels, variants }) => [
    `${struct}.${path}: in ${variants.reduce((sum, variant) => sum + variant.kernels, 0)} of ${count(kernels, 'kernel')}`,
  ]),
};
export const objectSurveyReport: Report<ObjectSurvey> = {
  schema: 'kelf/survey',
  version: 1,
  ...written(objectTables, ({ kernels, withoutBtf }) => [
    `${count(kernels, 'kernel')}${withoutBtf === 0 ? '' : `, ${withoutBtf} of them without BTF: not checked`}`,
  ]),
};
export const verdictSurveyReport: Report<VerdictSurvey> = {
  schema: 'kelf/survey',
  version: 1,
  ...written(verdictTables, ({ mechanism, code, among, functions, kernels }) => [
    `${mechanism}, ${reason(code)}: ${count(functions.length, 'function')}, in ${among.kernels} of ${count(kernels, 'kernel')}`,
  ]),
};
export const goneSurveyReport: Report<GoneSurvey> = {
  schema: 'kelf/survey',
  version: 1,
  ...written(goneTables, survey => [
    ...survey.machines.map(({ machine, old, new: recent, gone, untold }) => {
      const counts = Object.entries(gone).flatMap(([what, names]) => (untold.includes(what as GoneTable) ? [] : `${names.length} ${what}`));
      const more = untold.length === 0 ? '' : `; the new have no ${untold.join(', ')}`;
      return `${machine}: of ${rangesText(old.releases)}, ${rangesText(recent.releases)} lack ${counts.join(', ')}${more}`;
    }),
    ...(survey.machines.length === 0 ? [`no machine has kernels of both ${survey.old} and ${survey.new}`] : []),
  ]),
};

function written<M extends { readonly question: string }>(
  tables: (model: M, cells: Cells) => ReportTable[],
  head: (model: M) => readonly string[],
): Pick<Report<M>, 'tables' | 'text'> {
  const filled = (model: M, most?: number): ReportTable[] =>
    tables(model, ({ kernels, releases }) => [kernels, rangesText(releases, most)]).filter(({ rows }) => [...rows].length > 0);
  return {
    tables: model => filled(model, Number.POSITIVE_INFINITY),
    text: model => [...head(model), ...filled(model).flatMap(({ title, rows }) => [title, ...table([...rows], '  ')])],
  };
}

/** More ranges than these are counted in text. */
const MOST_RANGES = 6;

/** `x86-64 5.10.0-32-amd64 … 6.1.0-56-amd64 (9), AArch64 6.1.0-56-arm64` */
export function rangesText(ranges: readonly ReleaseRange[], most: number = MOST_RANGES): string {
  const shown = ranges.slice(0, most).map(({ machine, first, last, kernels }, i) => {
    const named = machine === '' || machine === ranges[i - 1]?.machine ? '' : `${machine} `;
    return `${named}${kernels === 1 ? first : `${first} … ${last} (${kernels})`}`;
  });
  const left = ranges.slice(most).reduce((sum, { kernels }) => sum + kernels, 0);
  return [...shown, ...(left === 0 ? [] : [`and ${left} more`])].join(', ');
}

function reason(code: string): string {
  return code === 'accepted' ? code : `${code}: ${REASONS[code as ReasonCode] ?? 'a reason that this kelf does not know'}`;
}

/** How many kernels, and which. */
type Cells = (among: Among) => [number, string];

const WHERE = ['kernels', 'releases'];

function functionTables({ prototypes, noBtf, several, verdicts, absent, untold, clones }: FunctionSurvey, cells: Cells): ReportTable[] {
  return [
    { title: 'prototypes', columns: ['prototype', ...WHERE], rows: prototypes.map(each => [each.prototype, ...cells(each)]) },
    {
      title: 'no BTF',
      columns: ['reason', 'certainty', ...WHERE],
      rows: noBtf.map(each => [reason(each.code), each.certainty, ...cells(each)]),
    },
    {
      title: 'not to be traced',
      columns: ['mechanisms', 'outcome', 'errno', 'reason', ...WHERE],
      rows: verdicts.map(each => [each.mechanisms.join(', '), each.outcome, each.errno ?? '', reason(each.code), ...cells(each)]),
    },
    {
      title: 'several functions of the name',
      columns: WHERE,
      rows: several === undefined ? [] : [cells(several)],
    },
    { title: 'no function of the name', columns: WHERE, rows: absent === undefined ? [] : [cells(absent)] },
    { title: 'BTF alone, without a FUNC of the name: it may be there', columns: WHERE, rows: untold === undefined ? [] : [cells(untold)] },
    { title: 'clones in their place', columns: ['name', ...WHERE], rows: clones.map(each => [each.name, ...cells(each)]) },
  ];
}

function memberTables({ variants, without, instead, absent }: MemberSurvey, cells: Cells): ReportTable[] {
  return [
    {
      title: 'places',
      columns: ['byte', 'bits', 'type', ...WHERE],
      rows: variants.map(each => [placeText(each.bitOffset), each.bitSize ?? '', each.type, ...cells(each)]),
    },
    { title: 'the struct has no such member', columns: WHERE, rows: without === undefined ? [] : [cells(without)] },
    {
      title: 'members of that name elsewhere in it',
      columns: ['path', 'type', ...WHERE],
      rows: instead.map(each => [each.path, each.type, ...cells(each)]),
    },
    { title: 'no such struct, or no BTF', columns: WHERE, rows: absent === undefined ? [] : [cells(absent)] },
  ];
}

/** `16`, of a bit-field `16:3` */
function placeText(bits: number): string {
  return bits % 8 === 0 ? String(bits / 8) : `${Math.floor(bits / 8)}:${bits % 8}`;
}

function objectTables({ objects }: ObjectSurvey, cells: Cells): ReportTable[] {
  return objects.map(({ path, offset, programs }) => ({
    title: objectPlace({ path, offset }),
    columns: ['program', 'section', 'outcome', 'reasons', ...WHERE],
    rows: programs.flatMap(({ program, section, autoload, outcomes }) =>
      outcomes.map(each => {
        const outcome = autoload ? each.outcome : `(${each.outcome})`;
        return [program, section, outcome, each.codes.join(', '), ...cells(each)];
      }),
    ),
  }));
}

function verdictTables({ functions }: VerdictSurvey, cells: Cells): ReportTable[] {
  return [{ title: 'functions', columns: ['name', ...WHERE], rows: functions.map(each => [each.name, ...cells(each)]) }];
}

function goneTables({ machines }: GoneSurvey): ReportTable[] {
  return machines.map(({ machine, gone }) => ({
    title: `gone on ${machine}`,
    columns: ['table', 'name'],
    rows: Object.entries(gone).flatMap(([what, names]) => names.map(name => [what, name])),
  }));
}
