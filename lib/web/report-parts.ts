import type { MissingBtfOptions } from '../answers/missing-btf/missing-btf.js';
import type { Kernel } from '../kernel.js';
import { shortAnswers } from './function-answers.js';
import { partsOf } from './kernel-parts.js';
import { packAnswers } from './packed-answers.js';
import { FUNCTION_COLUMNS, type Json, type StructRows, type Subject } from './page-data.js';

/** Functions and structs that are packed together: a page unpacks so many to show one. */
export const FUNCTIONS_AT_ONCE = 1024;
export const STRUCTS_AT_ONCE = 512;

/** What a report has inlined, each with its id. */
export type ReportPart = readonly [id: string, value: unknown];

/** A report of one thing that is one document, as `kelf diff` and `bpf check` print it. */
export function documentParts(kind: 'diff' | 'check', title: string, document: Json): ReportPart[] {
  const subject: Subject = { id: '1', kind, title };
  return [
    ['subjects', [subject]],
    ['1/document', document],
  ];
}

/** A report of a kernel: its parts, and the answers about each of its functions and structs, many to a part. */
export function* kernelReportParts(
  kernel: Kernel,
  options: MissingBtfOptions,
  onProgress: (done: number, total: number) => void,
): Generator<ReportPart> {
  const subject: Subject = { id: '1', kind: 'kernel', title: kernel.release ?? kernel.name };
  const part = partsOf(kernel, options);
  yield ['subjects', [subject]];
  for (const name of ['overview', 'audit', 'places', 'structs', ...FUNCTION_COLUMNS.map(column => `functions/${column}`)])
    yield [`1/${name}`, plain(part(name))];
  yield* answerParts(kernel, part('functions/name') as readonly string[], options, onProgress);
  const structs = part('structs');
  if (!isProblem(structs)) {
    const { id } = structs as StructRows;
    for (let at = 0; at < id.length; at += STRUCTS_AT_ONCE)
      yield [`1/structs/${at / STRUCTS_AT_ONCE}`, id.slice(at, at + STRUCTS_AT_ONCE).map(each => part(`struct/${each}`))];
  }
}

/**
 * The answers about all functions, in the order of their places: those of one source file are read from the same unit of debug information. Which pack
 * has those of a row of functions is a part too.
 */
function* answerParts(
  kernel: Kernel,
  rows: readonly string[],
  options: MissingBtfOptions,
  onProgress: (done: number, total: number) => void,
): Generator<ReportPart> {
  const { count } = kernel.symbolsMissing === undefined ? kernel.functions : { count: 0 };
  const names = [...new Set([...Array.from({ length: count }, (_, row) => kernel.functions.name(row)), ...rows])];
  const packOf = new Map<string, number>();
  for (let at = 0; at < names.length; at += FUNCTIONS_AT_ONCE) {
    onProgress(at, names.length);
    const pack = at / FUNCTIONS_AT_ONCE;
    const list = names.slice(at, at + FUNCTIONS_AT_ONCE).map(name => {
      packOf.set(name, pack);
      const [row] = count === 0 ? [] : kernel.functions.find(name);
      const origin = row === undefined ? '0x0' : `0x${kernel.functions.address(row).toString(16)}`;
      return { name, origin, answer: shortAnswers(kernel, name, options) as unknown as Json };
    });
    yield [`1/answers/${pack}`, packAnswers(list)];
  }
  onProgress(names.length, names.length);
  yield ['1/answers', rows.map(name => packOf.get(name)!)];
}

function isProblem(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'problem' in value;
}

/** JSON has lists for typed arrays. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint32Array);
  if (typeof value !== 'object' || value === null || !('codes' in value)) return value;
  return { ...value, codes: Array.from(value.codes as ArrayLike<number>) };
}
