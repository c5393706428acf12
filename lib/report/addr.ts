import type { Frame } from '../../elf/dwarf/frames.js';
import type { SourcePlace } from '../../elf/dwarf/line.js';
import type { AddressAnswer, AddressProblem } from '../answers/address/symbolize.js';
import { hex } from './json.js';
import type { KernelId, Report } from './report.js';
import { offsetText } from './text.js';

export interface AddrModel {
  readonly kernel: KernelId;
  readonly answers: readonly (AddressAnswer | AddressProblem)[];
}

/** `kelf addr`. @param inlines whether inlined functions have lines in the text */
export function addrReport(inlines: boolean): Report<AddrModel> {
  return {
    schema: 'kelf/addr',
    version: 1,
    lists: ['answers'],
    json: ({ kernel, answers }) => ({ kernel, answers: answers.map(flatAnswer) }),
    text: ({ answers }) => answers.flatMap(answer => ('problem' in answer ? [] : answerLines(answer, inlines))),
  };
}

/** An answer in JSON: the places of its frames have no level of their own. */
export type FlatAnswer<A> = A extends { readonly frames: readonly Frame[] }
  ? Omit<A, 'frames'> & { readonly frames: readonly (Omit<Frame, 'place'> & Partial<SourcePlace>)[] }
  : A;

export function flatAnswer<A extends { readonly frames: readonly Frame[] } | AddressProblem>(answer: A): FlatAnswer<A> {
  const flat = 'frames' in answer ? { ...answer, frames: answer.frames.map(({ place, ...frame }) => ({ ...frame, ...place })) } : answer;
  return flat as FlatAnswer<A>;
}

function answerLines(answer: AddressAnswer, inlines: boolean): string[] {
  const { address, symbol } = answer;
  const at = symbol === undefined ? '' : ` ${offsetText(symbol.name, symbol.offset)}/${hex(symbol.size)}`;
  return [`${hex(address)}${at}`, ...frameLines(answer, inlines)];
}

/** The lines under an address: frames, the innermost first, and what is odd about it. */
export function frameLines(
  { symbol, frames, file, remark }: Pick<AddressAnswer, 'symbol' | 'frames' | 'file' | 'remark'>,
  inlines: boolean,
): string[] {
  // Without inlined functions: the function with a symbol, and where in it the outermost call stands.
  const shown = inlines ? frames : frames.slice(-1);
  const lines = shown.map((frame, i) => `  ${i === 0 ? '' : '(inlined by) '}${frameText(frame, symbol?.name)}`);
  if (lines.length === 0 && file !== undefined) lines.push(`  ${file}, by STT_FILE`);
  if (remark !== undefined) lines.push(`  ${remark}`);
  return lines;
}

/** `do_sys_openat2 at fs/open.c:1306:1`; assembly has no name but that of the symbol. */
function frameText({ name, place, unit, inlined }: Frame, symbol = '?'): string {
  const what = name ?? (inlined ? '?' : symbol);
  if (place === undefined) return what;
  const { file, line, column } = place;
  const compiled = unit === undefined || unit === file || unit.endsWith('.S') ? '' : `, in ${unit}`;
  return `${what} at ${file}:${line}${column === 0 ? '' : `:${column}`}${compiled}`;
}
