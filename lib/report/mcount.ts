import type { McountSlot } from '../answers/mcount.js';
import type { SiteMode } from '../facts/ftrace-sites.js';
import type { McountTable } from '../facts/mcount.js';
import { hex } from './json.js';
import type { KernelId, Report } from './report.js';
import { table } from './text.js';

export interface McountModel
  extends Pick<McountTable, 'start' | 'stop' | 'count' | 'wordSize' | 'zeroStored' | 'zeroRelocated' | 'fills' | 'relocationSections'>,
    SiteMode {
  readonly kernel: KernelId;
  /** Where all words were asked for: the text is these then. */
  readonly slots?: Iterable<McountSlot>;
}

/** `kelf mcount`. */
export const mcountReport: Report<McountModel> = {
  schema: 'kelf/mcount',
  version: 1,
  text: model => (model.slots === undefined ? summaryLines(model) : slotLines(model.slots, model.wordSize)),
};

function* slotLines(slots: Iterable<McountSlot>, wordSize: number): Generator<string> {
  const word = (value: bigint): string => value.toString(16).padStart(wordSize * 2, '0');
  for (const { place, stored, relocated, at } of slots) yield `${hex(place)}  ${word(stored)}  ${word(relocated)}  ${at ?? '-'}`;
}

function summaryLines(model: McountModel): string[] {
  const { start, stop, count, wordSize, zeroStored, zeroRelocated, fills, relocationSections, offsets, elsewhere, adjust } = model;
  const filled = [...fills].map(([type, count]) => `${count} ${type} in ${relocationSections.join(', ')}`).join('; ');
  const rows: (string | number)[][] = [
    ['words', count, `of ${wordSize} bytes, ${hex(start)} to ${hex(stop)}`],
    ['zero in the file', zeroStored, zeroStored === 0 ? 'the words are final' : filled || 'no relocation fills them'],
    ['zero after relocation', zeroRelocated, zeroRelocated === 0 ? '' : 'skipped by the kernel'],
    ...[...offsets].map(([offset, count]) => [`at function${signed(offset)}`, count, '']),
    ['elsewhere', elsewhere, elsewhere === 0 ? '' : 'inside another function: left by overridden weak functions'],
  ];
  return [...table(rows), ...(adjust === 0 ? [] : [`ftrace patches at word${signed(adjust)}`])];
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}
