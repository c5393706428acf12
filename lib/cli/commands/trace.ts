import { isFound, traceQuestion } from '../../answers/trace/question.js';
import { kernelId } from '../../report/report.js';
import { traceReport } from '../../report/trace.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT, NDJSON_OPTION } from '../command.js';
import { expandedNames } from '../names.js';
import { expectNames, KERNEL_OPTIONS, MODULES_OPTION, withKernel } from '../with-kernel.js';

export const trace: Command = command({
  usage: 'FILE|--live NAME… [OPTION…]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Tells for each function whether kprobes, return probes, fentry, fexit, fmod_ret, kprobe.multi, fprobe and ftrace can trace it on this kernel: by
its name, and by the address of each function that shares the name. A refusal comes with its errno and its evidence.
NAME may also be a place (do_exit+0x12, 0xffffffff81000000), a tracepoint (tracepoint:sched_switch), or a system call (execve or
syscall:execve), which stands for its entry functions.
--modules also covers functions in modules, and tells what a name means once these are loaded.`,
  examples: ['vmlinux do_unlinkat vfs_read+0x4', "vmlinux 'tty_*' --modules /lib/modules/6.1.0"],
  options: { ...KERNEL_OPTIONS, kernel: EACH_KERNEL_OPTION, ndjson: NDJSON_OPTION, modules: MODULES_OPTION },
  run: ({ args, options, note, write }) =>
    withKernel(args, options, note, (kernel, names) => {
      expectNames(names);
      const questions = expandedNames(kernel, names).map(name => traceQuestion(kernel, name));
      write(traceReport, { kernel: kernelId(kernel), questions });
      return questions.some(isFound) ? EXIT.ok : EXIT.missing;
    }),
});
