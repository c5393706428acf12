import { type CheckOutcome, type Finding, type ObjectCheck, outcomeOf, type ProgramCheck } from '../../bpf/preflight/preflight.js';
import { type Among, Groups, type SurveyKernels } from './kernels.js';

/** How a program fares on some kernels. */
export interface ProgramOutcome extends Among {
  readonly outcome: CheckOutcome | 'unreadable';
  /** The reasons of what fails or is open. */
  readonly codes: readonly string[];
}

/** A program of an object across kernels. */
export interface ProgramSurvey {
  readonly program: string;
  readonly section: string;
  readonly autoload: boolean;
  readonly outcomes: readonly ProgramOutcome[];
}

/** BPF objects across kernels: what `kelf bpf check` says of each. */
export interface ObjectSurvey {
  readonly question: 'object';
  readonly loader: string;
  readonly kernels: number;
  /** Kernels that nothing is said of. */
  readonly withoutBtf: number;
  readonly objects: readonly { readonly path: string; readonly offset: number; readonly programs: readonly ProgramSurvey[] }[];
}

/** What one kernel says of one object, of its programs in their order. */
export type ObjectCells = readonly Pick<ProgramOutcome, 'outcome' | 'codes'>[];

/** What the tables say of attaching to a function by a mechanism; undefined where they do not have it. */
export type TableVerdict = (mechanism: string, name: string) => Pick<Finding['verdict'], 'outcome' | 'code'> | undefined;

/** `kprobe on do_exit`, `fentry for do_exit`, `fexit.s on do_exit` */
const TARGET = /^(kprobe|kretprobe|kprobe\.multi|kprobe\.session|fentry|fexit|fmod_ret)(?:\.s)? (?:on|for) ([\w.$]+)$/;

/** The functions that programs of an object are attached to, by what its check is about. */
export function targetsOf({ programs }: ObjectCheck): string[] {
  return programs.flatMap(({ findings }) => findings.flatMap(({ subject }) => TARGET.exec(subject)?.[2] ?? []));
}

/** A kernel's BTF leaves open whether programs can be attached: the verdicts of the tables are in for that. */
export function objectCells({ programs, findings }: ObjectCheck, verdictOf: TableVerdict): ObjectCells {
  return programs.map(program => {
    const told = program.findings.map(finding => toldBy(finding, verdictOf));
    const all = [...told, ...findings];
    const outcome = outcomeOf(all);
    const wanted = outcome === 'fails' ? 'refused' : 'open';
    const codes = all.flatMap(({ verdict }) => (outcome !== 'passes' && verdict.outcome === wanted ? [verdict.code] : []));
    return { outcome, codes: [...new Set(codes)].sort() };
  });
}

function toldBy(finding: Finding, verdictOf: TableVerdict): Finding {
  const [, mechanism, name] = TARGET.exec(finding.subject) ?? [];
  if (finding.verdict.code !== 'symbols-unknown' || mechanism === undefined) return finding;
  const verdict = verdictOf(mechanism.replace(/^kprobe\..*/, 'kprobe_multi'), name!);
  return verdict === undefined ? finding : { ...finding, verdict: { ...finding.verdict, ...verdict } };
}

/** Gathers what kernels say of objects. */
export class ObjectMatrix {
  readonly #programs: readonly Pick<ProgramCheck, 'program' | 'section' | 'autoload'>[];
  readonly #groups: readonly Groups<Pick<ProgramOutcome, 'outcome' | 'codes'>>[];

  constructor(programs: readonly Pick<ProgramCheck, 'program' | 'section' | 'autoload'>[]) {
    this.#programs = programs;
    this.#groups = programs.map(() => new Groups());
  }

  add(cells: ObjectCells, ordinal: number): void {
    for (const [i, cell] of cells.entries()) this.#groups[i]!.add(`${cell.outcome} ${cell.codes}`, cell, ordinal);
  }

  survey(kernels: SurveyKernels): ProgramSurvey[] {
    return this.#programs.map(({ program, section, autoload }, i) => ({
      ...{ program, section, autoload },
      outcomes: this.#groups[i]!.list(kernels),
    }));
  }
}
