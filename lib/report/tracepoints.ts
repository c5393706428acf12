import type { Tracepoint } from '../facts/tracepoint-table.js';
import type { KernelId, Report } from './report.js';
import { table } from './text.js';

/** `kelf tracepoints`. */
export const tracepointsReport: Report<{ readonly kernel: KernelId; readonly tracepoints: readonly Tracepoint[] }> = {
  schema: 'kelf/tracepoints',
  version: 1,
  lists: ['tracepoints'],
  text: ({ tracepoints }) => table(tracepoints.map(cells)),
};

function cells({ name, system, raw, btf, event, prototype }: Tracepoint): string[] {
  const mark = (has: boolean | undefined, what: string): string => (has === undefined ? '?' : has ? what : '-');
  const full = system === undefined ? name : `${system}:${name}`;
  return [full, mark(raw, 'raw_tp'), mark(btf !== undefined, 'tp_btf'), mark(event, 'event'), prototype?.slice(name.length) ?? ''];
}
