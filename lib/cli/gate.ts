import { type KnownFailure, passes } from '../report/gate.js';
import type { Report } from '../report/report.js';
import { type Baseline, judge, readBaseline } from './baseline.js';
import { type OptionTable, UsageError } from './command.js';
import { MOST_OF_LIST, textOf } from './text-file.js';

/** The formats of a gate. */
const NAMES = ['text', 'json', 'junit', 'sarif', 'github', 'markdown'];

/** How the gates are written, and what they expect to fail. */
export const GATE_OPTIONS = {
  format: { type: 'string', value: 'NAME', help: 'print as NAME: text, json, junit, sarif, github or markdown' },
  out: { type: 'string', multiple: true, value: 'NAME=FILE', help: 'also write it in the format NAME to FILE; repeatable' },
  junit: { type: 'string', value: 'FILE', help: 'as --out junit=FILE; - writes it to stdout instead of the text' },
  baseline: { type: 'string', value: 'FILE', help: 'known failures, each with a reason and an expiry date: they do not fail the check' },
} as const;

export function isGate(options: OptionTable): boolean {
  return options['format'] === GATE_OPTIONS.format;
}

/** The options with `--format` and `--out` as the switches and files of each format, which handOver() reads. @throws UsageError */
export function formatsOfGate(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { format, out = [] } = options as { readonly format?: string; readonly out?: readonly string[] };
  const asked: Record<string, unknown> = { ...options };
  const ask = (name: string, option: string, to: string | true): void => {
    if (!NAMES.includes(name)) throw new UsageError(`${option}: no format '${name}'; there are ${NAMES.join(', ')}`);
    if (typeof to === 'string' && asked[name] !== undefined) throw new UsageError(`${option}: ${name} is asked for twice`);
    asked[name] = to;
  };
  for (const one of out) {
    const at = one.indexOf('=');
    if (at <= 0 || at === one.length - 1) throw new UsageError(`--out: '${one}' is not of the form NAME=FILE, as sarif=kelf.sarif`);
    ask(one.slice(0, at), '--out', one.slice(at + 1));
  }
  if (format !== undefined) ask(format, '--format', true);
  return asked;
}

/** What `--baseline` names; it is read before the kernels are. @throws RequirementsError */
export async function baselineOf(path: string | undefined): Promise<Baseline | undefined> {
  return path === undefined ? undefined : readBaseline(textOf(path, MOST_OF_LIST), path);
}

/** Whether the gate is passed, but for what a baseline expects. */
export function judged<M extends object>(
  { gate }: Report<M>,
  model: M,
  baseline: Baseline | undefined,
  note: (line: string) => void,
): { readonly known: { readonly known?: readonly KnownFailure[] }; readonly passed: boolean } {
  if (baseline === undefined) return { known: {}, passed: passes(gate!(model)) };
  const { known, notes } = judge(gate!(model), baseline, new Date().toISOString().slice(0, 10));
  for (const line of notes) note(`kelf: ${line}`);
  return { known: { known }, passed: passes(gate!({ ...model, known })) };
}
