import { infoOf } from '../../answers/info.js';
import { kernelExports } from '../../facts/exports.js';
import { exportsReport, infoReport } from '../../report/info.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT, MissingError } from '../command.js';
import { KERNEL_OPTIONS, oneKernel, withKernel } from '../with-kernel.js';

export const info: Command = command({
  usage: 'FILE|--live [OPTION…]',
  arity: [0, 1],
  about:
    'Shows what is known about a kernel and where each fact comes from: form, release, compiler, build id, configuration, tables and BTF.',
  examples: ['vmlinuz', '- < vmlinux'],
  options: {
    ...KERNEL_OPTIONS,
    kernel: EACH_KERNEL_OPTION,
    exports: {
      type: 'boolean',
      help: 'list the symbols that the kernel exports to modules: address, checksum, GPL or not, name, namespace',
    },
  },
  run({ args, options, note, write }) {
    oneKernel(args, options);
    return withKernel(args, options, note, kernel => {
      if (options.exports === true) {
        const exports = kernelExports(kernel);
        if (exports === undefined) throw new MissingError(`${kernel.name}: __ksymtab was not found`);
        write(exportsReport, { kernel: kernelId(kernel), exports });
      } else write(infoReport, { kernel: kernelId(kernel), ...infoOf(kernel) });
      return EXIT.ok;
    });
  },
});
