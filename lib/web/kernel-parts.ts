import { TypeDescriber } from '../../btf/print/describe.js';
import { auditKernel } from '../answers/audit.js';
import { infoOf } from '../answers/info.js';
import type { MissingBtfOptions } from '../answers/missing-btf/missing-btf.js';
import { MissingError } from '../errors.js';
import { once } from '../facts/once.js';
import type { Coded } from '../fleet/rows/columns.js';
import { functionRows } from '../fleet/rows/functions.js';
import type { Mechanism } from '../fleet/rows/mechanisms.js';
import type { Kernel } from '../kernel.js';
import { auditReport } from '../report/audit.js';
import { infoRows } from '../report/info.js';
import { kernelId } from '../report/report.js';
import { functionAnswers, tried } from './function-answers.js';
import { jsonOf } from './json-of.js';
import type { AuditData, Column, FunctionData, KernelParts, Overview } from './page-data.js';
import { placesOf } from './places.js';
import { unitsOf } from './source-units.js';
import { structData, structRows } from './structs.js';

/** A part of a kernel by its name: {@link KernelParts}, `answers/NAME`, `struct/ID`. */
export type PartOf = (part: string) => unknown;

/** The parts of a kernel, each made when it is asked for. What several are made of is kept. */
export function partsOf(kernel: Kernel, options: MissingBtfOptions = {}): PartOf {
  const columns = once(() => functionColumns(kernel));
  const types = once(() => new TypeDescriber(btfOf(kernel)));
  const single: { readonly [K in keyof Omit<KernelParts, `functions/${string}`>]: () => unknown } = {
    overview: () => overviewOf(kernel),
    audit: () => auditOf(kernel, options),
    places: () => placesOf(kernel),
    structs: () => structRows(btfOf(kernel), types()),
  };
  return part => {
    const [, list, name] = /^(functions|answers|struct)\/(.*)$/s.exec(part) ?? [];
    if (list === 'functions') return tried(() => columns()[name as keyof FunctionData]());
    if (list === 'answers') return functionAnswers(kernel, name!, options);
    if (list === 'struct') return tried(() => structData(btfOf(kernel), types(), Number(name)));
    return tried(single[part as keyof typeof single]);
  };
}

function btfOf({ btf, name }: Kernel): NonNullable<Kernel['btf']> {
  if (btf === undefined) throw new MissingError(`${name} has no BTF`);
  return btf;
}

function overviewOf(kernel: Kernel): Overview {
  const { banner, name, pieces, diagnostics } = kernel;
  const facts = infoRows({ kernel: kernelId(kernel), ...infoOf(kernel) });
  return { banner: banner ?? kernel.release ?? name, notes: [...pieces.notes, ...diagnostics.map(({ message }) => message)], facts };
}

function auditOf(kernel: Kernel, options: MissingBtfOptions): AuditData {
  return jsonOf(auditReport, { kernel: kernelId(kernel), banner: kernel.banner, ...auditKernel(kernel, options) });
}

/** The columns of functions, each read when it is asked for. */
function functionColumns(kernel: Kernel): { readonly [K in keyof FunctionData]: () => FunctionData[K] } {
  kernel.needNames();
  const rows = functionRows(kernel);
  const verdict = (mechanism: Mechanism) => () => rows.verdicts[mechanism];
  return {
    name: () => rows.name,
    anchor: () => known(rows.anchor),
    size: () => known(rows.size),
    file: () => column(rows.file, file => file ?? null),
    unit: () => unitsOf(kernel, rows),
    kprobe: verdict('kprobe'),
    kretprobe: verdict('kretprobe'),
    fentry: verdict('fentry'),
    fexit: verdict('fexit'),
    fmodRet: verdict('fmodRet'),
    kprobeMulti: verdict('kprobeMulti'),
  };
}

/** JSON has no NaN. */
function known(values: Float64Array): Float64Array {
  return values.map(value => (Number.isNaN(value) ? -1 : value));
}

function column<T, U>({ codes, values }: Coded<T>, show: (value: T) => U): Column<U> {
  return { codes, values: values.map(show) };
}
