import { readFileSync } from 'node:fs';
import type { Frame } from '../../../elf/dwarf/frames.js';
import type { AddressAnswer, AddressProblem } from '../../answers/address/symbolize.js';
import type { Kernel } from '../../kernel.js';
import { hex, toJson } from '../../report/json.js';
import { type Command, command, EXIT, type OptionSpec, UsageError } from '../command.js';
import { KERNEL_OPTIONS, kernelId, withKernel } from '../kernel.js';

const OPTIONS: Pick<typeof KERNEL_OPTIONS, 'json'> & { readonly 'no-inlines': OptionSpec & { readonly type: 'boolean' } } = {
  'no-inlines': { type: 'boolean', help: 'leave out inlined functions: the function that has a symbol, and the line in it' },
  json: KERNEL_OPTIONS.json,
};

export const addr: Command<typeof OPTIONS> = command({
  usage: 'FILE ADDRESS|NAME+OFFSET… [OPTION…]',
  arity: [2, 100_000],
  about: `Says what stands at an address: the symbol and the offset in it, as kernels print them, and from DWARF the file and line, of inlined functions
first. An address is one of the image, as linked; NAME+OFFSET holds on every boot, and may have the size behind it, as in an oops: NAME+0x1c/0x20.
A name that several symbols bear gives an answer for each. With - in place of addresses they are read from stdin, one a line.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, {}, note, (kernel, given) => {
      const queries = given.flatMap(query => (query === '-' ? linesOfStdin() : [query]));
      if (queries.length === 0) throw new UsageError('stdin gave no address');
      const answers = kernel.symbolize(...queries);
      if (options.json) out.line(toJson({ schema: 'kelf/addr', version: 1, kernel: kernelId(kernel), answers: answers.map(jsonOf) }));
      else
        for (const answer of answers)
          for (const line of 'problem' in answer ? [] : answerLines(answer, options['no-inlines'] === true)) out.line(line);
      for (const answer of answers) if ('problem' in answer) note(`kelf: ${answer.query}: ${answer.problem}`);
      const hint = answers.every(answer => 'problem' in answer) ? undefined : withoutLines(kernel);
      if (hint !== undefined) note(hint);
      return answers.every(answer => 'problem' in answer) ? EXIT.missing : EXIT.ok;
    }),
});

function linesOfStdin(): string[] {
  return readFileSync(0, 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
}

function answerLines({ address, symbol, frames, file, remark }: AddressAnswer, noInlines: boolean): string[] {
  const at = symbol === undefined ? '' : ` ${symbol.name}+0x${symbol.offset.toString(16)}/0x${symbol.size.toString(16)}`;
  // Without inlined functions: the function with a symbol, and where in it the outermost call stands.
  const shown = noInlines ? frames.slice(-1) : frames;
  const lines = shown.map((frame, i) => `  ${i === 0 ? '' : '(inlined by) '}${frameText(frame, symbol?.name)}`);
  if (lines.length === 0 && file !== undefined) lines.push(`  ${file}, by STT_FILE`);
  if (remark !== undefined) lines.push(`  ${remark}`);
  return [`${hex(address)}${at}`, ...lines];
}

/** `do_sys_openat2 at fs/open.c:1306:1`; assembly has no name but that of the symbol. */
function frameText({ name, place, unit, inlined }: Frame, symbol = '?'): string {
  const what = name ?? (inlined ? '?' : symbol);
  if (place === undefined) return what;
  const { file, line, column } = place;
  const compiled = unit === undefined || unit === file || unit.endsWith('.S') ? '' : `, in ${unit}`;
  return `${what} at ${file}:${line}${column === 0 ? '' : `:${column}`}${compiled}`;
}

/** Places without a level of their own. */
function jsonOf(answer: AddressAnswer | AddressProblem): unknown {
  if ('problem' in answer) return answer;
  return { ...answer, frames: answer.frames.map(({ place, ...frame }) => ({ ...frame, ...place })) };
}

/** Which file would give lines, where this one does not. */
function withoutLines(kernel: Kernel): string | undefined {
  if (kernel.dwarf() !== undefined) return undefined;
  const { release, buildId } = kernel;
  const which = buildId === undefined ? '' : ` with build id ${buildId}`;
  const path = release === undefined ? '' : `, such as /usr/lib/debug/boot/vmlinux-${release} of a distribution's debug package`;
  return `kelf: ${kernel.name}: no .debug_info: files and lines are in the vmlinux${which} that was not stripped${path}`;
}
