import type { Finding, ObjectCheck, ProgramCheck } from '../bpf/preflight/preflight.js';
import { REASONS } from '../reasons.js';
import { evidenceLine, OUTCOME_WORDS, table } from './text.js';

/** What was checked on one kernel. */
export interface KernelColumn {
  /** The file, or `the running kernel`. */
  readonly kernel: string;
  readonly release?: string;
  /** Why nothing can be said, where the object, or the kernel, can't be read. */
  readonly check: ObjectCheck | Unreadable;
}

/** In the place of an answer: a message that names the file and the damage. */
export interface Unreadable {
  readonly unreadable: string;
}

export function isUnreadable(check: ObjectCheck | Unreadable): check is Unreadable {
  return 'unreadable' in check;
}

/** The findings that are no plain yes. */
function remarkable(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ verdict }) => verdict.code !== 'accepted');
}

/** `fails: ambiguous-name`, `open`, `passes`, `passes: needs-module`; in parentheses where the program is not loaded by itself. */
function cell({ outcome, autoload, findings }: ProgramCheck, object: readonly Finding[]): string {
  const wanted = outcome === 'fails' ? 'refused' : 'open';
  const codes = new Set(
    [...findings, ...object]
      .map(({ verdict }) => verdict)
      .filter(verdict => (outcome === 'passes' ? verdict.code === 'needs-module' : verdict.outcome === wanted))
      .map(({ code }) => code),
  );
  const text = codes.size === 0 ? outcome : `${outcome}: ${[...codes].join(', ')}`;
  return autoload ? text : `(${text})`;
}

/** A row for each program, a column for each kernel. */
export function matrixLines(columns: readonly KernelColumn[]): string[] {
  const checks = columns.map(({ check }) => check);
  const programs = checks.find((check): check is ObjectCheck => !isUnreadable(check))?.programs ?? [];
  const rows = programs.map(({ program, section }, i) => [
    program,
    section,
    ...checks.map(check => (isUnreadable(check) ? 'unreadable' : cell(check.programs[i]!, check.findings))),
  ]);
  const heads = columns.map(({ kernel, release }) => release ?? kernel);
  return table([...(columns.length > 1 && rows.length > 0 ? [['program', 'section', ...heads]] : []), ...rows], '  ');
}

/** What is refused or can't be told, with what it rests on. */
export function findingLines(check: ObjectCheck | Unreadable): string[] {
  if (isUnreadable(check)) return [`  unreadable: ${check.unreadable}`];
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
