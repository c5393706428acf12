import type { Kernel } from '../../kernel.js';
import { kernelId } from '../../report/report.js';
import { tracepointsReport } from '../../report/tracepoints.js';
import { nearTracepoints } from '../../rules/near-names.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT, NDJSON_OPTION } from '../command.js';
import { glob, isPattern } from '../glob.js';
import { KERNEL_OPTIONS, withKernel } from '../with-kernel.js';

export const tracepoints: Command = command({
  usage: 'FILE|--live [PATTERN…] [OPTION…]',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `Lists the tracepoints and tracefs events of a kernel: SYSTEM:NAME; which of raw_tp, tp_btf and event can attach; the arguments. PATTERN is a name or
SYSTEM:NAME, with * and ? as in a shell.`,
  examples: ["vmlinux 'sched:*'", 'vmlinux sched_switch --json'],
  options: { ...KERNEL_OPTIONS, kernel: EACH_KERNEL_OPTION, ndjson: NDJSON_OPTION },
  run: ({ args, options, note, write }) =>
    withKernel(args, options, note, (kernel, patterns) => {
      const wanted = patterns.map(glob);
      const rows = kernel.tracepoints
        .all()
        .filter(row => wanted.length === 0 || wanted.some(pattern => pattern(row.name) || pattern(`${row.system ?? ''}:${row.name}`)));
      write(tracepointsReport, { kernel: kernelId(kernel), tracepoints: rows });
      if (rows.length > 0) return EXIT.ok;
      note(`kelf: ${nothing(kernel, patterns)}`);
      return EXIT.missing;
    }),
});

/** Why the list is empty. */
function nothing(kernel: Kernel, patterns: readonly string[]): string {
  const { tracepoints: table, symbolsMissing } = kernel;
  if (symbolsMissing !== undefined)
    return `BTF has no typedef btf_trace_NAME for it (5.5 and later have one of each tracepoint); ${symbolsMissing}`;
  if (table.all().length === 0)
    return 'neither symbols nor tables show tracepoints: use the debug vmlinux of a kernel with CONFIG_TRACEPOINTS';
  const unknown = table.listsEvents ? '' : '; this image does not show the systems of events: give the name alone';
  const near = patterns.filter(pattern => !isPattern(pattern)).flatMap(name => nearTracepoints(kernel, name.replace(/^.*:/, '')));
  return [`no tracepoint or event matches ${patterns.join(' or ')}${unknown}`, ...near.map(({ says }) => says)].join('; ');
}
