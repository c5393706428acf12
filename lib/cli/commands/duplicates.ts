import { describeDuplicate, withSources } from '../../answers/describe-duplicate.js';
import { noFunction } from '../../answers/no-function.js';
import { instancesNamed } from '../../answers/trace/in-modules.js';
import type { Kernel } from '../../kernel.js';
import { duplicatesReport } from '../../report/duplicates.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT, NDJSON_OPTION } from '../command.js';
import { isPattern } from '../glob.js';
import { expandedNames, functionOf, isThere } from '../names.js';
import { KERNEL_OPTIONS, MODULES_OPTION, withKernel } from '../with-kernel.js';

export const duplicates: Command = command({
  usage: 'FILE|--live [NAME…] [OPTION…]',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `Lists every function name that stands for more than one address. For each function: address, source file, letter, size, place on every boot, ftrace
site and BTF; whether the code is the same; and what each kind of tool does with the name on this kernel. --modules also covers names that
functions in modules share with the kernel's functions or with each other.`,
  examples: ['vmlinux --names', 'vmlinux may_create --sources'],
  options: {
    ...KERNEL_OPTIONS,
    kernel: EACH_KERNEL_OPTION,
    ndjson: NDJSON_OPTION,
    modules: MODULES_OPTION,
    names: { type: 'boolean', help: 'print only the names, one per line' },
    sources: {
      type: 'boolean',
      help: 'take source files from DWARF: with directory and line, and the compiled file if it is a different one',
    },
  },
  run: ({ args, options, note, write }) =>
    withKernel(args, options, note, (kernel, given) => {
      const names = expandedNames(kernel, given).map(functionOf);
      const wanted = new Set(names.map(name => bareName(kernel, name)));
      const found = kernel.duplicates().filter(({ name }) => wanted.size === 0 || wanted.has(name));
      const groups = options.sources === true ? found.map(group => withSources(kernel, group)) : found;
      if (options.sources === true && kernel.dwarf() === undefined)
        note(`kelf: ${kernel.name}: no .debug_info: source files come from .symtab`);
      const described = groups.map(group => describeDuplicate(kernel, group));
      write(duplicatesReport(options.names === true), { kernel: kernelId(kernel), duplicates: described });
      const listed = new Set(groups.map(({ name }) => name));
      const missing = names.filter(name => !isThere(kernel, name));
      // Of a pattern, that one of them is alone is no news.
      const told = given.some(isPattern) ? missing : names.filter(name => !listed.has(bareName(kernel, name)));
      for (const name of told)
        note(`kelf: ${name}: ${missing.includes(name) ? noFunction(kernel, name) : 'only one function has this name'}`);
      return missing.length > 0 && missing.length === names.length ? EXIT.missing : EXIT.ok;
    }),
});

/** The name that functions share, of MODULE:NAME too. */
function bareName(kernel: Kernel, name: string): string {
  return instancesNamed(kernel, name)[0]?.name ?? name;
}
