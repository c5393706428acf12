import { printable } from '../../elf/escape.js';
import { auditKernel } from '../answers/audit.js';
import type { MissingBtfOptions } from '../answers/missing-btf/missing-btf.js';
import type { Coded } from '../fleet/rows/columns.js';
import { functionRows, MECHANISMS } from '../fleet/rows/functions.js';
import type { Kernel } from '../kernel.js';
import { REASONS } from '../reasons.js';
import { auditReport } from '../report/audit.js';
import { toJson } from '../report/json.js';
import { kernelId } from '../report/report.js';
import type { AuditData, Column, PageData } from './page-data.js';

/** What a report of a kernel shows: what `kelf audit --json` prints, and each function with its verdicts. */
export function kernelPage(kernel: Kernel, options: MissingBtfOptions = {}): PageData {
  const rows = functionRows(kernel);
  const { banner } = kernel;
  const audit = auditReport.json!({ kernel: kernelId(kernel), banner, ...auditKernel(kernel, options) });
  return {
    banner: printable(banner ?? kernel.name),
    notes: kernel.pieces.notes.map(printable),
    audit: JSON.parse(toJson(audit), (_key, value: unknown) => (typeof value === 'string' ? printable(value) : value)) as AuditData,
    functions: {
      name: rows.name.map(printable),
      anchor: numbers(rows.anchor),
      size: numbers(rows.size),
      file: column(rows.file, file => (file === undefined ? null : printable(file))),
      prototype: column(rows.prototype, prototype => (prototype === undefined ? null : printable(prototype.text))),
      absence: column(rows.absence, absence => absence ?? null),
      verdicts: Object.fromEntries(MECHANISMS.map(mechanism => [mechanism, column(rows.verdicts[mechanism], verdict => verdict)])),
    },
    reasons: REASONS,
  };
}

/** JSON has no NaN. */
function numbers(values: Float64Array): (number | null)[] {
  return Array.from(values, value => (Number.isNaN(value) ? null : value));
}

function column<T, U>({ codes, values }: Coded<T>, show: (value: T) => U): Column<U> {
  return { codes: Array.from(codes), values: values.map(show) };
}
