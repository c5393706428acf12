import type { Kernel } from '../../kernel.js';
import { hex, toJson } from '../../report/json.js';
import { table } from '../../report/text.js';
import { type Command, command, EXIT, MissingError, type OptionSpec } from '../command.js';
import { KERNEL_OPTIONS, kernelId, withKernel } from '../kernel.js';

const OPTIONS: Pick<typeof KERNEL_OPTIONS, 'json'> & { readonly list: OptionSpec & { readonly type: 'boolean' } } = {
  list: { type: 'boolean', help: 'print every word: its place, as stored, as relocated, and its function' },
  json: KERNEL_OPTIONS.json,
} as const;

export const mcount: Command<typeof OPTIONS> = command({
  usage: 'FILE [--list] [--json]',
  arity: [1, 1],
  about: `Prints what ftrace's table between __start_mcount_loc and __stop_mcount_loc holds: how many words, how many of them are zero in the file
and which relocations fill them, and where the words stand to their functions.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, {}, note, kernel => {
      const found = kernel.mcount;
      if (found === undefined)
        throw new MissingError(`${kernel.name} has no __start_mcount_loc: it was built without CONFIG_DYNAMIC_FTRACE`);
      const { start, stop, count, wordSize, zeroStored, zeroRelocated, fills, relocationSections } = found;
      const { mode } = kernel.functions.sites!;
      const slots = options.list ? [...listSlots(kernel)] : [];
      if (options.json) {
        const summary = { start, stop, count, wordSize, zeroStored, zeroRelocated, fills, relocationSections, ...mode };
        out.line(toJson({ schema: 'kelf/mcount', version: 1, kernel: kernelId(kernel), ...summary, ...(options.list ? { slots } : {}) }));
        return EXIT.ok;
      }
      if (options.list) {
        for (const { place, stored, relocated, at } of slots)
          out.line(`${hex(place)}  ${word(stored, wordSize)}  ${word(relocated, wordSize)}  ${at ?? '-'}`);
        return EXIT.ok;
      }
      const filled = [...fills].map(([type, count]) => `${count} ${type} in ${relocationSections.join(', ')}`).join('; ');
      const rows: (string | number)[][] = [
        ['words', count, `of ${wordSize} bytes, ${hex(start)} to ${hex(stop)}`],
        ['zero in the file', zeroStored, zeroStored === 0 ? 'the words are final' : filled || 'no relocation fills them'],
        ['zero after relocation', zeroRelocated, zeroRelocated === 0 ? '' : 'skipped by the kernel'],
        ...[...mode!.offsets].map(([offset, count]) => [`at function${signed(offset)}`, count, '']),
        ['elsewhere', mode!.elsewhere, mode!.elsewhere === 0 ? '' : 'inside of another function: left by overridden weak functions'],
      ];
      for (const line of table(rows)) out.line(line);
      if (mode!.adjust !== 0) out.line(`ftrace patches at word${signed(mode!.adjust)}`);
      return EXIT.ok;
    }),
});

interface Slot {
  readonly place: bigint;
  readonly stored: bigint;
  readonly relocated: bigint;
  /** `tty_write+0x0` */
  readonly at?: string;
}

function* listSlots(kernel: Kernel): Generator<Slot> {
  const { start, count, stored, relocated, wordSize } = kernel.mcount!;
  const { symbols } = kernel;
  for (let i = 0; i < count; i++) {
    const place = start + BigInt(i * wordSize);
    const value = relocated.big[i]!;
    const row = value === 0n ? undefined : symbols.containing(value);
    const slot = { place, stored: stored.big[i]!, relocated: value };
    yield row === undefined ? slot : { ...slot, at: `${symbols.name(row)}+0x${(value - symbols.address.big[row]!).toString(16)}` };
  }
}

function word(value: bigint, size: number): string {
  return value.toString(16).padStart(size * 2, '0');
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}
