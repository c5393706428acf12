import type { ReportTable } from './tables.js';

// A gate is an answer that a build passes or not: cases in suites. JUnit, SARIF, the annotations of GitHub and a summary in Markdown are all written
// from this one model.

export interface Gate {
  readonly name: string;
  readonly suites: readonly Suite[];
}

export interface Suite {
  readonly name: string;
  readonly properties: Readonly<Record<string, string | undefined>>;
  readonly cases: readonly Case[];
}

/** One that has neither a failure nor an error and is not skipped has passed. */
export interface Case {
  /** GitLab shows it as the suite. */
  readonly classname: string;
  readonly name: string;
  readonly failure?: Fault;
  /** What the files don't tell. It does not pass the gate either. */
  readonly error?: Fault;
  readonly skipped?: Fault;
  /** What asks for it: a line of a list, or an object. */
  readonly at?: CasePlace;
}

export interface Fault {
  /** A reason code where there is one. */
  readonly type: string;
  readonly message: string;
  /** A line each. */
  readonly lines?: readonly string[];
}

export interface CasePlace {
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

/** A failure that a baseline expects. */
export interface KnownFailure {
  readonly classname: string;
  readonly name: string;
  readonly reason: string;
  /** The last day on which it is accepted: `2027-01-31`. */
  readonly until: string;
}

/** Failures that are known do not close the gate: they are skipped, with the reason. */
export function withKnown(gate: Gate, known: readonly KnownFailure[] = []): Gate {
  if (known.length === 0) return gate;
  const byName = new Map(known.map(one => [JSON.stringify([one.classname, one.name]), one]));
  const skip = (one: Case): Case => {
    const { failure, error, ...rest } = one;
    const fault = failure ?? error;
    const found = byName.get(JSON.stringify([one.classname, one.name]));
    if (fault === undefined || found === undefined) return one;
    return { ...rest, skipped: { ...fault, message: `known until ${found.until}, ${found.reason}: ${fault.message}` } };
  };
  return { ...gate, suites: gate.suites.map(suite => ({ ...suite, cases: suite.cases.map(skip) })) };
}

/** What closes the gate. */
export function faultOfCase({ failure, error }: Case): Fault | undefined {
  return failure ?? error;
}

export function passes({ suites }: Gate): boolean {
  return suites.every(({ cases }) => cases.every(one => faultOfCase(one) === undefined));
}

const OUTCOMES = { failure: 'failed', error: 'open', skipped: 'skipped' } as const;

/** `failed`, `open`, `skipped`, with what is said of it; undefined for one that has passed. */
export function outcomeOf(one: Case): { readonly outcome: (typeof OUTCOMES)[keyof typeof OUTCOMES]; readonly fault: Fault } | undefined {
  for (const key of ['failure', 'error', 'skipped'] as const) {
    const fault = one[key];
    if (fault !== undefined) return { outcome: OUTCOMES[key], fault };
  }
  return undefined;
}

/** `ci/tools.yaml:12`. */
export function placeText({ file, line }: CasePlace): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** `3 of 5 passed, 1 failed, 1 open`. */
export function countsText(cases: readonly Case[]): string {
  const outcomes = cases.map(one => outcomeOf(one)?.outcome ?? 'passed');
  const others = Object.values(OUTCOMES).flatMap(outcome => {
    const count = outcomes.filter(each => each === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  return [`${outcomes.filter(outcome => outcome === 'passed').length} of ${cases.length} passed`, ...others].join(', ');
}

/** How many passed in each suite, and a table of the others for each that has some. */
export function* gateTables({ name, suites }: Gate): Generator<ReportTable> {
  yield {
    title: name,
    columns: ['suite', 'cases'],
    rows: suites.map(suite => [suite.name, countsText(suite.cases)]),
  };
  for (const suite of suites) {
    const rows = suite.cases.flatMap(one => {
      const found = outcomeOf(one);
      if (found === undefined) return [];
      const { outcome, fault } = found;
      return [[outcome, one.name, fault.type, fault.message, one.at === undefined ? '' : placeText(one.at)]];
    });
    if (rows.length > 0) yield { title: suite.name, columns: ['outcome', 'case', 'reason', 'message', 'asked by'], rows };
  }
}
