import { kernelExports } from '../../facts/exports.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';

/** A symbol that modules may use. */
export interface ExportRow {
  readonly name: string;
  readonly gpl: boolean;
  readonly crc?: number;
  readonly namespace?: string;
}

/** The exports of a kernel by name; none where the tables are not found. */
export function exportRows(kernel: KernelFacts): ExportRow[] {
  return (kernelExports(kernel) ?? [])
    .map(({ address: _, ...row }) => row)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
