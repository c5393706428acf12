import type { CodeComparison } from '../answers/oops/compare-code.js';
import type { OopsAnswer, OopsLine } from '../answers/oops/resolve.js';
import { flatAnswer, frameLines } from './addr.js';
import { hex } from './json.js';
import { type KernelId, type Line, linesOf, type Report } from './report.js';
import { offsetText, table } from './text.js';

export interface OopsModel {
  readonly kernel: KernelId;
  /** How far KASLR moved the kernel; absent where nothing says it. */
  readonly kernelOffset?: bigint;
  readonly lines: readonly OopsLine[];
}

/** `kelf oops`. */
export const oopsReport: Report<OopsModel> = {
  schema: 'kelf/oops',
  version: 1,
  lists: ['lines'],
  // The lines that name a place, by their numbers; the others are the log's own.
  json: ({ lines, ...model }) => ({
    ...model,
    lines: lines.flatMap(({ text, places, code }, i) =>
      places.length === 0 && code === undefined
        ? []
        : [{ line: i + 1, text, places: places.map(place => ({ ...place, answers: place.answers.map(flatAnswer) })), code }],
    ),
  }),
  *text({ lines }): Generator<Line> {
    for (const { text, places, code } of lines) {
      yield* linesOf(text);
      const answers = places.flatMap(place => place.answers);
      for (const answer of answers) yield* answerLines(answer, answers.length > 1);
      if (code !== undefined) yield* codeLines(code);
    }
  },
};

/** Frames, under what they are of where one log line has several answers, or where there are none. */
function answerLines(answer: OopsAnswer, several: boolean): string[] {
  if ('problem' in answer) return [`    not resolved: ${several ? `${answer.query}: ` : ''}${answer.problem}`];
  const { symbol } = answer;
  const lines = frameLines(answer, true).map(line => `  ${line}`);
  if (!several && answer.frames.length > 0) return lines;
  const at = 'module' in answer ? `${answer.module} ${offsetText(answer.section, answer.offset)}` : hex(answer.address);
  return [`    ${at}${symbol === undefined ? '' : ` ${offsetText(symbol.name, symbol.offset)}/${hex(symbol.size)}`}`, ...lines];
}

function codeLines({ query, length, differences }: CodeComparison): string[] {
  if (differences.length === 0) return [`    the code at ${query} is that of the image: ${length} bytes`];
  return [
    `    the code at ${query}, beside that of the image:`,
    ...table(
      differences.map(({ offset, log, image, patched }) => [
        offset < 0 ? `-0x${(-offset).toString(16)}` : `+0x${offset.toString(16)}`,
        log,
        `image: ${image}`,
        patched === undefined ? 'nothing of the image says that the kernel patches it' : `the kernel patches it: ${patched}`,
      ]),
      '      ',
    ),
  ];
}
