import { Btf } from '../../btf/btf.js';
import { isFormatError } from '../../elf/errors.js';
import type { BpfObject } from '../bpf/object/object.js';
import { LOADERS } from '../bpf/preflight/loaders.js';
import { Preflight } from '../bpf/preflight/preflight.js';
import { InputError } from '../errors.js';
import type { Outcome } from '../evidence.js';
import { piecesOfBtf } from '../facts/pieces-of-btf.js';
import type { Table } from '../fleet/dataset/format.js';
import type { Row } from '../fleet/dataset/read.js';
import { releaseName, type SurveyKernel } from '../fleet/survey/kernels.js';
import { type ObjectCells, objectCells, type TableVerdict, targetsOf } from '../fleet/survey/object.js';
import type { NamesOfKernels } from '../fleet/survey/verdict.js';
import { Kernel } from '../kernel.js';
import { type Job, workerBeside } from '../node/threads.js';
import { objectsOf } from '../open/bpf-objects.js';
import type { ReasonCode } from '../reasons.js';
import { withTable } from './folder.js';

/** What is read of each set. */
export type Ask =
  | { readonly kind: 'kernels' }
  /** Rows whose sorted column is from one text up to another. */
  | {
      readonly kind: 'rows';
      readonly table: Table;
      readonly column: string;
      readonly from: string;
      readonly to: string;
      readonly columns: readonly string[];
    }
  /** The names of rows that have a value in a column, by kernel. */
  | { readonly kind: 'names'; readonly table: Table; readonly column: string; readonly value: string }
  /** What the BTF of kernels says of objects. */
  | { readonly kind: 'objects'; readonly paths: readonly string[]; readonly loader: string };

/** What a set tells. */
export interface Part {
  readonly set: string;
  readonly kernels: readonly SurveyKernel[];
  readonly rows?: readonly Row[];
  readonly names?: NamesOfKernels;
  /** For each kernel, of each object. */
  readonly objects?: readonly { readonly kernel: string; readonly cells: readonly ObjectCells[] }[];
  /** Why the set can't be read: what else is here is then empty. */
  readonly problem?: string;
}

interface SetsData {
  readonly folder: string;
  readonly ask: Ask;
}

/** Reads sets: a batch is some of them. */
export const READ_SETS: Job<SetsData, readonly string[], Part[]> = {
  script: workerBeside(import.meta.url, './read-sets-worker.js'),
  start: ({ folder, ask }) => {
    const read = readerOf(folder, ask);
    return async sets => {
      const parts: Part[] = [];
      for (const set of sets) {
        try {
          parts.push({ set, ...(await read(set)) });
        } catch (error) {
          // One that is damaged, or lacks a file, is left out; a dataset of another version is not asked.
          if (!(error instanceof InputError) && (!isFormatError(error) || error.code === 'unsupported')) throw error;
          parts.push({ set, kernels: [], problem: error.message });
        }
      }
      return parts;
    };
  },
};

type Told = Omit<Part, 'set' | 'problem'>;

function readerOf(folder: string, ask: Ask): (set: string) => Promise<Told> {
  switch (ask.kind) {
    case 'kernels':
      return async set => ({ kernels: await kernelsOf(folder, set) });
    case 'rows':
      return async set => ({
        kernels: await kernelsOf(folder, set),
        rows: await withTable(folder, set, ask.table, file => file.rowsBetween(ask.column, ask.from, ask.to, ask.columns)),
      });
    case 'names':
      return async set => ({ kernels: await kernelsOf(folder, set), names: await namesOf(folder, set, ask) });
    case 'objects': {
      // What can't be read was told before.
      const objects = ask.paths.flatMap(path => objectsOf(path).objects.flatMap(({ object }) => object ?? []));
      return async set => {
        const kernels = await kernelsOf(folder, set);
        return { kernels, objects: await checksOf(folder, set, kernels, { objects, loader: ask.loader }) };
      };
    }
  }
}

async function kernelsOf(folder: string, set: string): Promise<SurveyKernel[]> {
  const kernels: SurveyKernel[] = [];
  await withTable(folder, set, 'kernels', file =>
    file.eachGroup(['kernel', 'release', 'machine', 'source', 'symbols'], ([id, release, machine, source, symbols], rows) => {
      for (let row = 0; row < rows; row++)
        kernels.push({
          id: String(id![row]),
          release: releaseName(release![row] as string | null, String(source![row])),
          machine: String(machine![row] ?? ''),
          hasSymbols: symbols![row] !== null,
        });
    }),
  );
  return kernels;
}

async function namesOf(folder: string, set: string, { table, column, value }: Ask & { kind: 'names' }): Promise<NamesOfKernels> {
  const found = new Map<string, number[]>();
  const kernels = new Map<string, number>();
  await withTable(folder, set, table, file =>
    file.eachGroup(['kernel', 'name', column], ([ids, names, cells], rows) => {
      for (let row = 0; row < rows; row++) {
        if (cells![row] !== value) continue;
        const [id, name] = [ids![row] as string, names![row] as string];
        let kernel = kernels.get(id);
        if (kernel === undefined) kernels.set(id, (kernel = kernels.size));
        const list = found.get(name);
        if (list === undefined) found.set(name, [kernel]);
        // Functions of one name follow each other.
        else if (list.at(-1) !== kernel) list.push(kernel);
      }
    }),
  );
  return {
    kernels: [...kernels.keys()],
    names: [...found.keys()],
    counts: Uint32Array.from(found.values(), list => list.length),
    at: Uint32Array.from([...found.values()].flat()),
  };
}

/** Columns of `functions` that tell whether programs can be attached. */
const ATTACHING = ['kprobe', 'kretprobe', 'fentry', 'fexit', 'fmod_ret', 'kprobe_multi'].flatMap(name => [name, `${name}_code`]);

async function checksOf(
  folder: string,
  set: string,
  kernels: readonly SurveyKernel[],
  { objects, loader: loaderName }: { readonly objects: readonly BpfObject[]; readonly loader: string },
): Promise<{ kernel: string; cells: ObjectCells[] }[]> {
  const loader = LOADERS.find(({ name }) => name === loaderName)!;
  const known = new Map(kernels.map(kernel => [kernel.id, kernel]));
  const targets = new Map<string, Map<string, Row>>();
  const lookUp = async (name: string): Promise<void> => {
    if (targets.has(name)) return;
    const rows = await withTable(folder, set, 'functions', file => file.rowsBetween('name', name, `${name}\0`, ['kernel', ...ATTACHING]));
    targets.set(name, new Map(rows.map(row => [String(row['kernel']), row])));
  };
  const checkOn = async (id: string, bytes: Uint8Array): Promise<ObjectCells[]> => {
    // BTF alone has its release from the name of its file.
    const source = `${folder}/${set}/${known.get(id)?.release ?? id}.btf`;
    const preflight = new Preflight(
      new Kernel(piecesOfBtf({ btf: Btf.parse(bytes, { name: source }), source }, { form: ['dataset'] })),
      loader,
    );
    const cells: ObjectCells[] = [];
    for (const object of objects) {
      const check = preflight.check(object);
      for (const name of targetsOf(check)) await lookUp(name);
      cells.push(
        objectCells(check, (mechanism, name) => verdictIn(targets.get(name)?.get(id), mechanism, known.get(id)?.hasSymbols === true)),
      );
    }
    return cells;
  };
  const found: { kernel: string; cells: ObjectCells[] }[] = [];
  await withTable(folder, set, 'btf', file =>
    file.eachGroup(['kernel', 'btf'], async ([ids, blobs], rows) => {
      for (let row = 0; row < rows; row++) {
        const kernel = String(ids![row]);
        found.push({ kernel, cells: await checkOn(kernel, blobs![row] as Uint8Array) });
      }
    }),
  );
  return found;
}

/** What the row of a function says; a kernel whose symbols were read, and that has no such row, has no such function. */
function verdictIn(row: Row | undefined, mechanism: string, hasSymbols: boolean): ReturnType<TableVerdict> {
  if (row !== undefined) return { outcome: row[mechanism] as Outcome, code: row[`${mechanism}_code`] as ReasonCode };
  return hasSymbols ? { outcome: 'refused', code: 'no-symbol' } : undefined;
}
