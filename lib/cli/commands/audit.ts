import { auditKernel } from '../../answers/audit.js';
import { auditReport } from '../../report/audit.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT } from '../command.js';
import { KERNEL_OPTIONS, oneKernel, PAHOLE_OPTION, paholeOptions, withKernel } from '../with-kernel.js';

export const audit: Command = command({
  usage: '[FILE] [OPTION…]',
  arity: [0, 1],
  about: `Summarises a kernel: how many functions share a name, how many each mechanism can trace and why not the rest, how many have no BTF and why.
Without FILE it reads the running kernel.`,
  examples: ['vmlinux', '--live --json'],
  options: { ...KERNEL_OPTIONS, kernel: EACH_KERNEL_OPTION, ...PAHOLE_OPTION },
  run({ args, options, note, write }) {
    oneKernel(args, options);
    return withKernel(args, { ...options, live: args.length === 0 }, note, kernel => {
      const figures = auditKernel(kernel, paholeOptions(options['pahole-version']));
      write(auditReport, { kernel: kernelId(kernel), banner: kernel.banner, ...figures });
      return EXIT.ok;
    });
  },
});
