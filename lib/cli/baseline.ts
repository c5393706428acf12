import { RequirementsError, type RequirementsProblem } from '../answers/check/problems.js';
import { type ListPlace, type ListValue, readYaml } from '../answers/check/yaml.js';
import { faultOfCase, type Gate, type KnownFailure } from '../report/gate.js';
import { glob } from './glob.js';

/** A failure that is expected, and for how long. */
interface Expected {
  /** A pattern for the name of the case, as the reports have it: `tty_write: fentry`. */
  readonly case: string;
  /** A pattern for the suite: which object, which kernel. */
  readonly suite: string;
  /** The reason code; any where it is not given. */
  readonly code?: string;
  readonly reason: string;
  readonly until: string;
  readonly at: ListPlace;
}

/** A list of known failures, and the file that it was read from. */
export interface Baseline {
  readonly file: string;
  readonly entries: readonly Expected[];
}

/** The failures of a gate that a baseline knows, and what is to be said of its entries. */
interface Judged {
  readonly known: readonly KnownFailure[];
  /** Entries that have expired, or match nothing any more. */
  readonly notes: readonly string[];
}

const KEYS = ['case', 'suite', 'code', 'reason', 'until'] as const;
const REQUIRED = ['case', 'reason', 'until'] as const;

/** What a baseline knows of the failures of a gate. @param today `2026-12-01` */
export function judge(gate: Gate, { file, entries }: Baseline, today: string): Judged {
  const known: KnownFailure[] = [];
  const notes: string[] = [];
  for (const entry of entries) {
    const { reason, until, at } = entry;
    const found = failuresOf(gate, entry);
    const place = `${file}:${at.line}:${at.column}`;
    if (found.length === 0) notes.push(`${place}: '${entry.case}' matches no failure: remove it`);
    else if (until < today) notes.push(`${place}: '${entry.case}' expired on ${until}`);
    else known.push(...found.map(({ classname, name }) => ({ classname, name, reason, until })));
  }
  return { known, notes };
}

function failuresOf({ suites }: Gate, entry: Expected): { readonly classname: string; readonly name: string }[] {
  const [isCase, isSuite] = [glob(entry.case), glob(entry.suite)];
  return suites
    .filter(({ name }) => isSuite(name))
    .flatMap(({ cases }) => cases)
    .filter(one => {
      const fault = faultOfCase(one);
      return fault !== undefined && isCase(one.name) && (entry.code ?? fault.type) === fault.type;
    });
}

/** @throws RequirementsError for a malformed one, with every problem of it */
export async function readBaseline(text: string, file: string): Promise<Baseline> {
  const list = await readYaml(text, file);
  const problems: RequirementsProblem[] = [];
  const problem = (at: ListPlace, message: string): void => void problems.push({ ...at, message });
  if (list.kind !== 'list') problem(list.at, 'a list of known failures is expected');
  const entries = list.kind !== 'list' ? [] : list.items.map(item => readEntry(item, problem));
  if (problems.length > 0) throw new RequirementsError(file, problems);
  return { file, entries: entries as Expected[] };
}

function readEntry(item: ListValue, problem: (at: ListPlace, message: string) => void): Expected | undefined {
  if (item.kind !== 'map') return void problem(item.at, "a map with 'case', 'reason' and 'until' is expected");
  const values: Record<string, string> = {};
  for (const { key, keyAt, value } of item.entries) {
    if (!KEYS.some(known => known === key)) problem(keyAt, `unknown key '${key}': there are ${KEYS.join(', ')}`);
    else if (value.kind !== 'scalar' || value.value === null || value.value === '') problem(value.at, `'${key}' has to be a text`);
    else values[key] = String(value.value);
  }
  for (const key of REQUIRED) if (values[key] === undefined) problem(item.at, `a known failure without '${key}'`);
  const { until = '' } = values;
  if (until !== '' && !isDay(until)) problem(item.at, `'until' has to be a day as 2027-01-31, not '${until}'`);
  return { case: '', reason: '', until, suite: '*', ...values, at: item.at };
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}
