import type { Row } from '../dataset/read.js';
import { columnOf } from '../dataset/tables.js';
import { MECHANISMS } from '../rows/mechanisms.js';
import { type Among, amongOf, Groups, type SurveyKernels } from './kernels.js';

/** A prototype that some kernels have. */
export interface PrototypeVariant extends Among {
  readonly prototype: string;
}

/** Why BTF lacks the function in some kernels. */
export interface BtfLack extends Among {
  readonly code: string;
  readonly certainty: string;
}

/** What mechanisms meet on some kernels. */
export interface SurveyVerdict extends Among {
  /** `kprobe`, `fmod_ret` */
  readonly mechanisms: readonly string[];
  readonly outcome: string;
  readonly code: string;
  readonly errno?: string;
}

/** A function across kernels. */
export interface FunctionSurvey {
  readonly question: 'function';
  readonly name: string;
  /** All of the dataset. */
  readonly kernels: number;
  readonly prototypes: readonly PrototypeVariant[];
  readonly noBtf: readonly BtfLack[];
  /** Where several functions have the name. */
  readonly several?: Among;
  /** What is refused or open, by what is the same: mechanisms that fare alike on the same kernels share a line. */
  readonly verdicts: readonly SurveyVerdict[];
  /** Kernels that have no function of the name; where they have a clone of it, under that. */
  readonly absent?: Among;
  /** Kernels of which there is the BTF alone, without a FUNC of the name: it may be there all the same. */
  readonly untold?: Among;
  readonly clones: readonly (Among & { readonly name: string })[];
}

/** Columns of `functions` that the answer is made of. */
export const FUNCTION_COLUMNS: readonly string[] = [
  ...['kernel', 'name', 'prototype', 'no_btf', 'no_btf_certainty'],
  ...MECHANISMS.map(columnOf).flatMap(name => [name, `${name}_code`, `${name}_errno`]),
];

/** @param rows of the name, and of its clones: `NAME.isra.0` */
export function functionSurvey(kernels: SurveyKernels, name: string, rows: readonly Row[]): FunctionSurvey {
  const prototypes = new Groups<{ prototype: string }>();
  const noBtf = new Groups<{ code: string; certainty: string }>();
  const clones = new Groups<{ name: string }>();
  const verdicts = new Map(
    MECHANISMS.map(columnOf).map(mechanism => [mechanism, new Groups<Omit<SurveyVerdict, 'mechanisms' | keyof Among>>()]),
  );
  const counts = new Map<number, number>();
  const own = rows.filter(row => row['name'] === name);
  for (const row of own) {
    const ordinal = kernels.ordinal(String(row['kernel']));
    const count = (counts.get(ordinal) ?? 0) + 1;
    counts.set(ordinal, count);
    // The others of the name share all of this.
    if (count > 1) continue;
    const prototype = row['prototype'];
    if (typeof prototype === 'string') prototypes.add(prototype, { prototype }, ordinal);
    else {
      const [code, certainty] = [String(row['no_btf']), String(row['no_btf_certainty'])];
      noBtf.add(`${code} ${certainty}`, { code, certainty }, ordinal);
    }
    for (const [mechanism, groups] of verdicts) {
      const outcome = String(row[mechanism]);
      if (outcome === 'accepted') continue;
      const code = String(row[`${mechanism}_code`]);
      const errno = row[`${mechanism}_errno`];
      groups.add(`${outcome} ${code} ${errno}`, { outcome, code, ...(typeof errno === 'string' ? { errno } : {}) }, ordinal);
    }
  }
  for (const row of rows) {
    const ordinal = kernels.ordinal(String(row['kernel']));
    if (row['name'] !== name && !counts.has(ordinal)) clones.add(String(row['name']), { name: String(row['name']) }, ordinal);
  }
  const several = [...counts].flatMap(([ordinal, count]) => (count > 1 ? [ordinal] : []));
  const without = (hasSymbols: boolean): number[] =>
    kernels.list.flatMap((kernel, ordinal) => (counts.has(ordinal) || kernel.hasSymbols !== hasSymbols ? [] : [ordinal]));
  const [absent, untold] = [without(true), without(false)];
  return {
    question: 'function',
    name,
    kernels: kernels.count,
    prototypes: prototypes.list(kernels),
    noBtf: noBtf.list(kernels),
    ...(several.length === 0 ? {} : { several: amongOf(kernels, several) }),
    verdicts: merged(
      [...verdicts].flatMap(([mechanism, groups]) => groups.list(kernels).map(group => ({ mechanisms: [mechanism], ...group }))),
    ),
    ...(absent.length === 0 ? {} : { absent: amongOf(kernels, absent) }),
    ...(untold.length === 0 ? {} : { untold: amongOf(kernels, untold) }),
    clones: clones.list(kernels),
  };
}

/** One line for the mechanisms that fare alike. */
function merged(verdicts: readonly SurveyVerdict[]): SurveyVerdict[] {
  const lines = new Map<string, SurveyVerdict>();
  for (const verdict of verdicts) {
    const { mechanisms, ...rest } = verdict;
    const key = JSON.stringify(rest);
    const same = lines.get(key);
    lines.set(key, same === undefined ? verdict : { ...same, mechanisms: [...same.mechanisms, ...mechanisms] });
  }
  return [...lines.values()];
}
