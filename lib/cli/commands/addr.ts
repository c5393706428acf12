import { readFileSync } from 'node:fs';
import { symbolize } from '../../answers/address/symbolize.js';
import { MissingError } from '../../errors.js';
import type { Kernel } from '../../kernel.js';
import { addrReport } from '../../report/addr.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JSON_OPTION, NDJSON_OPTION, UsageError } from '../command.js';
import { withKernel } from '../with-kernel.js';

export const addr: Command = command({
  usage: 'FILE ADDRESS|NAME+OFFSET… [OPTION…]',
  arity: [2, 100_000],
  about: `Shows what is at an address: the symbol and the offset in it, as the kernel prints them, and from DWARF the file and line, inlined functions
first. ADDRESS is an address in the image as linked. NAME+OFFSET is valid on every boot and may include the size, as in an oops:
NAME+0x1c/0x20. If several symbols share NAME, each of them gets an answer. - reads the addresses from stdin, one per line.`,
  examples: ['vmlinux do_exit+0x1c/0xb90', 'vmlinux 0xffffffff81000000'],
  options: {
    stext: {
      type: 'string',
      value: 'ADDRESS',
      help: 'the address of _stext in the running kernel, from its /proc/kallsyms: ADDRESS is then one of that kernel, moved by KASLR',
    },
    'no-inlines': { type: 'boolean', help: 'leave out inlined functions: print only the function that has a symbol, and the line in it' },
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run: ({ args, options, note, write }) =>
    withKernel(args, {}, note, (kernel, given) => {
      const queries = given.flatMap(query => (query === '-' ? linesOfStdin() : [query]));
      if (queries.length === 0) throw new UsageError('no address on stdin');
      const answers = symbolize(kernel, queries, movedBy(kernel, options.stext));
      write(addrReport(options['no-inlines'] !== true), { kernel: kernelId(kernel), answers });
      for (const answer of answers) if ('problem' in answer) note(`kelf: ${answer.query}: ${answer.problem}`);
      if (answers.every(answer => 'problem' in answer)) return EXIT.missing;
      const hint = withoutLines(kernel);
      if (hint !== undefined) note(hint);
      return EXIT.ok;
    }),
});

/** How far the running kernel is from where the image is linked. */
export function movedBy(kernel: Kernel, stext: string | undefined): bigint {
  if (stext === undefined) return 0n;
  if (!/^(?:0x)?[0-9a-f]{1,16}$/i.test(stext)) throw new UsageError(`--stext: '${stext}' is not an address`);
  const linked = kernel.symbols.addressOf('_stext') ?? kernel.pieces.labels('_stext');
  if (linked === undefined) throw new MissingError(`${kernel.name}: no _stext: how far the running kernel moved is not known`);
  return BigInt(`0x${stext.replace(/^0x/i, '')}`) - linked;
}

function linesOfStdin(): string[] {
  return readFileSync(0, 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
}

/** Which file would give lines, where this one does not. */
export function withoutLines(kernel: Kernel): string | undefined {
  if (kernel.dwarf() !== undefined) return undefined;
  const { release, buildId } = kernel;
  const which = buildId === undefined ? '' : ` with build id ${buildId}`;
  const path = release === undefined ? '' : `, e.g. /usr/lib/debug/boot/vmlinux-${release} from a distribution's debug package`;
  return `kelf: ${kernel.name}: no .debug_info: the unstripped vmlinux${which} has files and lines${path}`;
}
