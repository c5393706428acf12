import { type Among, amongOf, type SurveyKernels } from './kernels.js';

/** What a table calls its rows by: names that may go. */
export const GONE_KEYS = {
  tracepoints: ['name'],
  syscalls: ['name'],
  kfuncs: ['name'],
  exports: ['name'],
  functions: ['name'],
  members: ['struct', 'path'],
  enumerators: ['enum', 'name'],
} as const;
export type GoneTable = keyof typeof GONE_KEYS;

/** What BTF alone has whole. */
const OF_BTF: readonly GoneTable[] = ['members', 'enumerators'];

/** What kernels of one release have and those of another have not, on the same machine. */
export interface GoneSurvey {
  readonly question: 'gone-between';
  readonly old: string;
  readonly new: string;
  readonly machines: readonly {
    readonly machine: string;
    readonly old: Among;
    readonly new: Among;
    /** Names by table; of members `STRUCT.PATH`, of enumerators `ENUM.NAME`. */
    readonly gone: Readonly<Record<GoneTable, readonly string[]>>;
    /** Tables that the new kernels have no row of, or of BTF alone not all: nothing can be said of these. */
    readonly untold: readonly GoneTable[];
  }[];
}

/** Kernels of a release as it is asked for: `6.1` is all of 6.1, `6.1.0-56-amd64` that one. */
export function kernelsOf({ list }: SurveyKernels, release: string): number[] {
  return list.flatMap((kernel, ordinal) => {
    const rest = kernel.release.startsWith(release) ? kernel.release.slice(release.length) : undefined;
    return rest !== undefined && !/^\d/.test(rest) ? [ordinal] : [];
  });
}

/** @param namesOf the names of a kernel's table */
export function goneSurvey(
  kernels: SurveyKernels,
  [old, recent]: readonly [string, string],
  namesOf: (ordinal: number, table: GoneTable) => readonly string[],
): GoneSurvey {
  const [before, after] = [kernelsOf(kernels, old), kernelsOf(kernels, recent)];
  const machineOf = (ordinal: number): string => kernels.list[ordinal]!.machine;
  const machines = [...new Set(before.map(machineOf))].filter(machine => after.some(ordinal => machineOf(ordinal) === machine));
  return {
    question: 'gone-between',
    old,
    new: recent,
    machines: machines.map(machine => {
      const [from, to] = [before, after].map(list => list.filter(ordinal => machineOf(ordinal) === machine)) as [number[], number[]];
      const gone = {} as Record<GoneTable, readonly string[]>;
      const untold: GoneTable[] = [];
      for (const table of Object.keys(GONE_KEYS) as GoneTable[]) {
        const telling = OF_BTF.includes(table) ? to : to.filter(ordinal => kernels.list[ordinal]!.hasSymbols);
        const left = new Set(telling.flatMap(ordinal => [...namesOf(ordinal, table)]));
        const had = new Set(from.flatMap(ordinal => [...namesOf(ordinal, table)]));
        if (left.size === 0 && had.size > 0) untold.push(table);
        gone[table] = left.size === 0 ? [] : [...had].filter(name => !left.has(name)).sort();
      }
      return { machine, old: amongOf(kernels, from), new: amongOf(kernels, to), gone, untold };
    }),
  };
}
