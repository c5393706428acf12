import type { FoundObject } from '../bpf/preflight/inputs.js';
import { InputError, MissingError } from '../errors.js';
import { isMerged } from '../fleet/dataset/format.js';
import { FUNCTION_COLUMNS, type FunctionSurvey, functionSurvey } from '../fleet/survey/function.js';
import { GONE_KEYS, type GoneSurvey, type GoneTable, goneSurvey, kernelsOf } from '../fleet/survey/gone.js';
import { SurveyKernels } from '../fleet/survey/kernels.js';
import { MEMBER_COLUMNS, type MemberSurvey, memberSurvey } from '../fleet/survey/member.js';
import { ObjectMatrix, type ObjectSurvey } from '../fleet/survey/object.js';
import { type VerdictSurvey, verdictSurvey } from '../fleet/survey/verdict.js';
import { setsIn } from '../node/sets.js';
import { inThreads } from '../node/threads.js';
import { mergedKernels, withTable } from './folder.js';
import { type Ask, type Part, READ_SETS } from './read-sets.js';

/** Options of every question. */
export interface SurveyOptions {
  /** How many threads read; as many as there are processors where not given. */
  readonly jobs?: number | undefined;
  /** Called whenever some more sets were read. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called for each set that is left out, with the reason. */
  readonly onProblem?: ((message: string) => void) | undefined;
}

/** A function across the kernels of a dataset. */
export async function surveyFunction(folder: string, name: string, options: SurveyOptions = {}): Promise<FunctionSurvey> {
  // Clones follow the name: `.` is before all characters of names but `$`.
  const ask: Ask = { kind: 'rows', table: 'functions', column: 'name', from: name, to: `${name}/`, columns: FUNCTION_COLUMNS };
  const { kernels, parts } = await readSets(folder, ask, options);
  const rows = parts.flatMap(part => part.rows ?? []).filter(row => row['name'] === name || String(row['name']).startsWith(`${name}.`));
  return functionSurvey(kernels, name, rows);
}

/** A member of a struct across the kernels of a dataset. */
export async function surveyMember(folder: string, struct: string, path: string, options: SurveyOptions = {}): Promise<MemberSurvey> {
  const ask: Ask = { kind: 'rows', table: 'members', column: 'struct', from: struct, to: `${struct}\0`, columns: MEMBER_COLUMNS };
  const { kernels, parts } = await readSets(folder, ask, options);
  return memberSurvey(
    kernels,
    struct,
    path,
    parts.flatMap(part => part.rows ?? []),
  );
}

/** The functions that a mechanism meets with a reason. @param column what the mechanism is called in the tables */
export async function surveyVerdict(folder: string, column: string, code: string, options: SurveyOptions = {}): Promise<VerdictSurvey> {
  const ask: Ask = { kind: 'names', table: 'functions', column: `${column}_code`, value: code };
  const { kernels, parts } = await readSets(folder, ask, options);
  return verdictSurvey(
    kernels,
    column,
    code,
    parts.flatMap(part => part.names ?? []),
  );
}

/** BPF objects across the kernels of a dataset, by the BTF of these and what the tables say of attaching. */
export async function surveyObjects(
  folder: string,
  found: readonly FoundObject[],
  loader: string,
  options: SurveyOptions = {},
): Promise<ObjectSurvey> {
  const objects = found.flatMap(({ path, offset, object }) => (object === undefined ? [] : [{ path, offset, object }]));
  const ask: Ask = { kind: 'objects', paths: [...new Set(objects.map(({ path }) => path))], loader };
  const { kernels, parts } = await readSets(folder, ask, options);
  const matrices = objects.map(
    ({ object }) =>
      new ObjectMatrix(object.programs.map(({ name, section, meaning }) => ({ program: name, section, autoload: meaning.autoload }))),
  );
  const seen = new Set<string>();
  for (const { kernel, cells } of parts.flatMap(part => part.objects ?? [])) {
    if (seen.has(kernel)) continue;
    seen.add(kernel);
    for (const [i, matrix] of matrices.entries()) matrix.add(cells[i]!, kernels.ordinal(kernel));
  }
  return {
    question: 'object',
    loader,
    kernels: kernels.count,
    withoutBtf: kernels.count - seen.size,
    objects: objects.map(({ path, offset }, i) => ({ path, offset, programs: matrices[i]!.survey(kernels) })),
  };
}

/** What the kernels of one release have and those of another have not. @throws MissingError for a release that no kernel has */
export async function surveyGone(folder: string, releases: readonly [string, string], options: SurveyOptions = {}): Promise<GoneSurvey> {
  const { kernels, parts } = await readSets(folder, { kind: 'kernels' }, options);
  const sets = new Map(parts.flatMap(part => part.kernels.map(({ id }) => [id, part.set] as const)));
  const names = new Map<string, readonly string[]>();
  for (const release of releases) {
    const ordinals = kernelsOf(kernels, release);
    if (ordinals.length === 0) throw new MissingError(`${folder}: no kernel of release ${release}`);
    for (const ordinal of ordinals) {
      const { id } = kernels.list[ordinal]!;
      for (const table of Object.keys(GONE_KEYS) as GoneTable[])
        names.set(`${id} ${table}`, await namesIn(folder, sets.get(id)!, id, table));
    }
  }
  return goneSurvey(kernels, releases, (ordinal, table) => names.get(`${kernels.list[ordinal]!.id} ${table}`)!);
}

/** What one kernel's table calls its rows. */
async function namesIn(folder: string, set: string, id: string, table: GoneTable): Promise<string[]> {
  const keys = GONE_KEYS[table];
  const names = new Set<string>();
  await withTable(folder, set, table, file =>
    file.eachGroup(['kernel', ...keys], ([ids, ...cells], rows) => {
      for (let row = 0; row < rows; row++) if (ids![row] === id) names.add(cells.map(cell => cell[row]).join('.'));
    }),
  );
  return [...names];
}

/** Sets that a thread is handed at a time. */
const BATCH = 16;

async function readSets(
  folder: string,
  ask: Ask,
  { jobs, onProgress, onProblem }: SurveyOptions,
): Promise<{ kernels: SurveyKernels; parts: readonly Part[] }> {
  const all = setsIn(folder);
  // A kernel of a set with others counts once.
  const known = all.some(isMerged) && !all.every(isMerged) ? await mergedKernels(folder) : new Set<string>();
  const sets = all.filter(set => !known.has(set));
  if (sets.length === 0) throw new InputError(folder, 'no-dataset', "has no kernel: 'kelf index' makes a dataset");
  // What takes long is shared out one by one.
  const size = ask.kind === 'rows' || ask.kind === 'kernels' ? BATCH : 1;
  const batches = Array.from({ length: Math.ceil(sets.length / size) }, (_, i) => sets.slice(i * size, (i + 1) * size));
  let done = 0;
  const answers = await inThreads(READ_SETS, batches, {
    data: { folder, ask },
    threads: batches.length <= 2 ? 0 : jobs,
    onDone: index => {
      done += batches[index]!.length;
      onProgress?.(done, sets.length);
    },
  });
  const parts = answers.flat();
  for (const { problem } of parts) if (problem !== undefined) onProblem?.(problem);
  return { kernels: new SurveyKernels(parts.flatMap(part => part.kernels)), parts };
}
