import { type Among, amongOf, type SurveyKernels } from './kernels.js';

/** The functions that a mechanism meets with a reason. */
export interface VerdictSurvey {
  readonly question: 'verdict';
  readonly mechanism: string;
  readonly code: string;
  readonly kernels: number;
  /** Kernels with such functions. */
  readonly among: Among;
  /** Most kernels first. */
  readonly functions: readonly (Among & { readonly name: string })[];
}

/** The names of functions, each with the kernels where it was found: what one set tells. */
export interface NamesOfKernels {
  readonly kernels: readonly string[];
  readonly names: readonly string[];
  /** For each name how many of `at` are its own; they follow each other. */
  readonly counts: Uint32Array;
  /** Indices of `kernels`. */
  readonly at: Uint32Array;
}

export function verdictSurvey(kernels: SurveyKernels, mechanism: string, code: string, parts: readonly NamesOfKernels[]): VerdictSurvey {
  const found = new Map<string, number[]>();
  for (const part of parts) {
    const ordinals = part.kernels.map(id => kernels.ordinal(id));
    let at = 0;
    for (const [i, name] of part.names.entries()) {
      let list = found.get(name);
      if (list === undefined) found.set(name, (list = []));
      for (let left = part.counts[i]!; left > 0; left--) list.push(ordinals[part.at[at++]!]!);
    }
  }
  const all = new Set<number>();
  for (const ordinals of found.values()) for (const ordinal of ordinals) all.add(ordinal);
  const functions = [...found].map(([name, ordinals]) => ({ name, ...amongOf(kernels, ordinals) }));
  return {
    question: 'verdict',
    mechanism,
    code,
    kernels: kernels.count,
    among: amongOf(kernels, all),
    functions: functions.sort((a, b) => b.kernels - a.kernels || (a.name < b.name ? -1 : 1)),
  };
}
