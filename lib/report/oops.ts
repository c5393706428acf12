import type { OopsAnswer, OopsLine } from '../answers/oops/resolve.js';
import { flatAnswer, frameLines } from './addr.js';
import { hex } from './json.js';
import { type KernelId, type Line, linesOf, type Report } from './report.js';
import { offsetText } from './text.js';

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
    lines: lines.flatMap(({ text, places }, i) =>
      places.length === 0
        ? []
        : [{ line: i + 1, text, places: places.map(place => ({ ...place, answers: place.answers.map(flatAnswer) })) }],
    ),
  }),
  *text({ lines }): Generator<Line> {
    for (const { text, places } of lines) {
      yield* linesOf(text);
      const answers = places.flatMap(place => place.answers);
      for (const answer of answers) yield* answerLines(answer, answers.length > 1);
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
