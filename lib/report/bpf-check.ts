import { type Finding, type ObjectCheck, objectFails, type ProgramCheck, programFails } from '../bpf/preflight/preflight.js';
import type { Unreadable } from '../open/bpf-objects.js';
import { REASONS, type ReasonCode } from '../reasons.js';
import { type Case, type Fault, type Gate, type KnownFailure, type Suite, withKnown } from './gate.js';
import type { KernelId, Report } from './report.js';
import { evidenceLine, knownLines, OUTCOME_WORDS, objectPlace, table } from './text.js';

/** What one kernel says of an object. */
export type KernelCheck = { readonly kernel: KernelId } & (ObjectCheck | Unreadable);

/** An object, and what was checked of it on each kernel. */
export interface CheckedObject {
  readonly path: string;
  readonly offset: number;
  readonly kernels: readonly KernelCheck[];
}

export interface BpfCheckModel {
  /** Whose rules counted before the kernel saw the objects: `libbpf`, `cilium`, `aya`. */
  readonly loader: string;
  readonly objects: readonly CheckedObject[];
  /** What files do not tell. */
  readonly notTold: string;
  /** The failures that a baseline expects. */
  readonly known?: readonly KnownFailure[];
}

/** `kelf bpf check`. */
export const bpfCheckReport: Report<BpfCheckModel> = {
  schema: 'kelf/bpf-check',
  version: 2,
  text: ({ objects, known = [] }) => [...objects.flatMap(objectLines), ...knownLines(known)],
  gate: checkGate,
};

export function isRead<T extends object>(check: T | Unreadable): check is Exclude<T, Unreadable> {
  return !('unreadable' in check);
}

function objectLines(object: CheckedObject): string[] {
  const { kernels } = object;
  const place = objectPlace(object);
  const name = ({ kernel: { name, release } }: KernelCheck): string => (release === undefined ? name : `${name} (${release})`);
  const head = kernels.length === 1 ? `${place} on ${name(kernels[0]!)}` : place;
  const problems = new Set(kernels.map(check => (isRead(check) ? undefined : check.unreadable)));
  const [problem] = problems;
  // An object that can't be read is so for every kernel.
  if (problem !== undefined && problems.size === 1) return [head, `  unreadable: ${problem}`];
  return [
    head,
    ...matrixLines(kernels),
    ...kernels.flatMap(check => {
      const lines = findingLines(check);
      return kernels.length === 1 || lines.length === 0 ? lines : [`  on ${name(check)}`, ...lines.map(line => `  ${line}`)];
    }),
  ];
}

/** The findings that are no plain yes. */
function remarkable(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ verdict }) => verdict.code !== 'accepted');
}

/** What goes with `passes`: conditions of it. */
const CONDITIONS: readonly ReasonCode[] = ['needs-module', 'lsm-not-active'];

/** `fails: ambiguous-name`, `open`, `passes`, `passes: needs-module`; in parentheses if the program is not autoloaded. */
function cell({ outcome, autoload, findings }: ProgramCheck, object: readonly Finding[]): string {
  const wanted = outcome === 'fails' ? 'refused' : 'open';
  const codes = new Set(
    [...findings, ...object]
      .map(({ verdict }) => verdict)
      .filter(verdict => (outcome === 'passes' ? CONDITIONS.includes(verdict.code) : verdict.outcome === wanted))
      .map(({ code }) => code),
  );
  const text = codes.size === 0 ? outcome : `${outcome}: ${[...codes].join(', ')}`;
  return autoload ? text : `(${text})`;
}

/** A row for each program, a column for each kernel. */
function matrixLines(checks: readonly KernelCheck[]): string[] {
  const programs = checks.find(isRead)?.programs ?? [];
  const rows = programs.map(({ program, section }, i) => [
    program,
    section,
    ...checks.map(check => (isRead(check) ? cell(check.programs[i]!, check.findings) : 'unreadable')),
  ]);
  const heads = checks.map(({ kernel }) => kernel.release ?? kernel.name);
  return table([...(checks.length > 1 && rows.length > 0 ? [['program', 'section', ...heads]] : []), ...rows], '  ');
}

/** What is refused or can't be told, with what it rests on. */
function findingLines(check: KernelCheck): string[] {
  if (!isRead(check)) return [`  unreadable: ${check.unreadable}`];
  const lines = (list: readonly Finding[]): string[] =>
    remarkable(list).flatMap(({ subject, verdict, usedBy }) => {
      const answer = OUTCOME_WORDS[verdict.outcome];
      const doubt = verdict.certainty === 'likely' ? ' (likely)' : '';
      const errno = verdict.errno === undefined ? '' : ` ${verdict.errno}`;
      const by = usedBy === undefined || usedBy.length === 0 ? '' : `; used by ${usedBy.join(', ')}`;
      return [
        `    ${subject}: ${answer}${doubt}${errno}  ${verdict.code}: ${REASONS[verdict.code]}${by}`,
        ...verdict.because.map(evidence => `      ${evidenceLine(evidence)}`),
      ];
    });
  const ofObject = lines(check.findings);
  return [
    ...(ofObject.length === 0 ? [] : ['  the object', ...ofObject]),
    ...check.programs.flatMap(program => {
      const own = lines(program.findings);
      return own.length === 0 ? [] : [`  ${program.program}`, ...own];
    }),
  ];
}

/** A suite for each object and kernel, a case for each program. What can't be told, and what is not autoloaded, is skipped. */
function checkGate({ objects, known }: BpfCheckModel): Gate {
  const suites = objects.flatMap(object => object.kernels.map(check => suiteOf(object, check)));
  return withKnown({ name: 'kelf bpf check', suites }, known);
}

function suiteOf(object: CheckedObject, check: KernelCheck): Suite {
  const { kernel } = check;
  const place = objectPlace(object);
  const name = `${place} on ${kernel.release ?? kernel.name}`;
  const suite = (cases: readonly Case[]): Suite => {
    const at = { file: object.path };
    return { name, properties: { object: place, kernel: kernel.name }, cases: cases.map(one => ({ ...one, at })) };
  };
  if (!isRead(check)) return suite([{ classname: name, name: 'read', error: { type: 'unreadable', message: check.unreadable } }]);
  const cases = check.programs.map(program => caseOf(name, program, check.findings));
  if (!objectFails(check) || check.programs.some(programFails)) return suite(cases);
  // No program tells of it.
  const refused = check.findings.filter(({ verdict }) => verdict.outcome === 'refused');
  return suite([{ classname: name, name: 'the object', failure: faultOf(refused) }, ...cases]);
}

function caseOf(classname: string, check: ProgramCheck, ofObject: readonly Finding[]): Case {
  const { program, section, outcome, autoload, findings } = check;
  const testcase = { classname, name: `${program} (${section})` };
  if (outcome === 'passes') return testcase;
  const wanted = outcome === 'fails' ? 'refused' : 'open';
  const fault = faultOf([...findings, ...ofObject].filter(({ verdict }) => verdict.outcome === wanted));
  if (programFails(check)) return { ...testcase, failure: fault };
  return { ...testcase, skipped: { type: outcome, message: autoload ? fault.message : `not autoloaded: ${fault.message}` } };
}

function faultOf(against: readonly Finding[]): Fault {
  const says = against.map(({ subject, verdict }) => `${subject}: ${verdict.code}: ${REASONS[verdict.code]}`);
  const lines = against.flatMap(({ verdict }) => verdict.because.map(evidenceLine));
  return { type: against[0]?.verdict.code ?? '', message: says.join('; '), lines };
}
