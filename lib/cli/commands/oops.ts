import { kernelOfLog } from '../../answers/oops/parse-log.js';
import { resolveLog } from '../../answers/oops/resolve.js';
import { oopsReport } from '../../report/oops.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JSON_OPTION, NDJSON_OPTION, UsageError } from '../command.js';
import { textOf } from '../text-file.js';
import { given, MODULES_OPTION, withKernel } from '../with-kernel.js';
import { movedBy, withoutLines } from './addr.js';

/** Bytes of a log. */
const MOST_OF_LOG = 1 << 24;

export const oops: Command = command({
  usage: 'KERNEL [LOG|-] [--modules DIR] [--stext ADDRESS] [--json]',
  arity: [1, 2],
  about: `Prints a kernel log with the file and line of every place in it, inlined functions first, indented under its line. LOG is the output of dmesg, a
serial console, the journal or kdump, of any architecture; without it, or with -, stdin. If several functions share a name and a size, all of them
are listed. A size or a build id that KERNEL does not have is from another build, and is reported.
Addresses without a name need the distance by which KASLR moved the kernel: the log's "Kernel Offset:", or --stext. The bytes of a Code: line are
compared with the image; what the kernel patches at boot or for tracing is told apart.`,
  examples: ['vmlinux dmesg.txt --modules /lib/modules/6.1.0', 'vmlinux --json < console.log'],
  options: {
    modules: MODULES_OPTION,
    stext: {
      type: 'string',
      value: 'ADDRESS',
      help: 'the address of _stext in the kernel that wrote the log, for addresses without a name',
    },
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run: ({ args: [file, log = '-'], options: { modules, stext }, note, write }) => {
    if (file === '-' && log === '-') throw new UsageError('KERNEL and LOG are both stdin');
    return withKernel([file!], given({ modules }), note, kernel => {
      const lines = textOf(log, MOST_OF_LOG)
        .split('\n')
        .map(line => line.replace(/\r$/, ''));
      if (lines.at(-1) === '') lines.pop();
      const { offsets, buildIds, releases } = kernelOfLog(lines);
      const moved = stext !== undefined ? movedBy(kernel, stext) : offsets.length === 1 ? offsets[0] : undefined;
      const resolved = resolveLog(kernel, lines, moved);
      write(oopsReport, { kernel: kernelId(kernel), ...(moved === undefined ? {} : { kernelOffset: moved }), lines: resolved });
      for (const id of buildIds)
        if (kernel.buildId !== undefined && id !== kernel.buildId)
          note(`kelf: the log is of the kernel with build id ${id}, but ${kernel.name} has ${kernel.buildId}: lines may be wrong`);
      for (const release of releases)
        if (kernel.release !== undefined && release !== kernel.release)
          note(`kelf: the log is of ${release}, but ${kernel.name} is ${kernel.release}: lines may be wrong`);
      const places = resolved.flatMap(line => line.places);
      const lost = places.filter(({ answers }) => answers.every(answer => 'problem' in answer)).length;
      if (lost > 0) note(`kelf: ${lost} of ${places.length} places in the log are not resolved`);
      if (places.length === 0) note('kelf: no line of the log names a place in the kernel');
      if (lost === places.length) return EXIT.missing;
      const hint = withoutLines(kernel);
      if (hint !== undefined) note(hint);
      return EXIT.ok;
    });
  },
});
