import type { DuplicateGroup } from '../../answers/duplicates.js';
import type { Decision } from '../../answers/traceability.js';
import type { Kernel } from '../../kernel.js';
import { toJson } from '../../report/json.js';
import { functionCells, table } from '../../report/text.js';
import { type Command, command, EXIT, type OptionSpec } from '../command.js';
import { KERNEL_OPTIONS, kernelId, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & { readonly names: OptionSpec & { readonly type: 'boolean' } } = {
  ...KERNEL_OPTIONS,
  names: { type: 'boolean', help: 'print the names alone, a line each' },
};

export const duplicates: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live [NAME…] [OPTION…]',
  arity: [0, 1000],
  about: `Lists every function name that stands for more than one address: each function's address, source file, letter, size, place on every boot,
ftrace site and BTF; whether their code is the same; and what each kind of tool does with the name on this kernel.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, options, note, (kernel, names) => {
      const wanted = new Set(names);
      const groups = kernel.duplicates().filter(({ name }) => wanted.size === 0 || wanted.has(name));
      if (options.json) {
        const named = groups.map(group => ({ ...group, byName: byName(kernel, group.name) }));
        out.line(toJson({ schema: 'kelf/duplicates', version: 1, kernel: kernelId(kernel), duplicates: named }));
      } else if (options.names) for (const { name } of groups) out.line(name);
      else for (const group of groups) for (const line of groupLines(kernel, group)) out.line(line);
      const found = new Set(groups.map(({ name }) => name));
      const missing = names.filter(name => kernel.functions.find(name).length === 0);
      for (const name of names)
        if (!found.has(name)) note(`kelf: ${name}: ${missing.includes(name) ? 'no function' : 'one function'} of that name`);
      return missing.length > 0 && missing.length === names.length ? EXIT.missing : EXIT.ok;
    }),
});

/** What each kind of tool does with the bare name. */
function byName(kernel: Kernel, name: string): Record<string, string> {
  const { tracing, functions, btf } = kernel;
  // The decisions without their evidence: it is asked for hundreds of names.
  const says = ({ code, errno }: Decision, accepted: string): string => {
    if (code === 'accepted') return accepted;
    return errno === undefined ? `cannot be told (${code})` : `refused, ${errno} (${code})`;
  };
  const [id] = btf?.find(name, 'FUNC') ?? [];
  const live = functions.find(name).filter(row => tracing.rules.hasLiveSite(functions.symbolRow[row]!)).length;
  return {
    kprobe: says(tracing.kprobeByName(name), 'sets it in the first'),
    fentry: id === undefined ? 'refused, not in BTF' : says(tracing.fentryAttach(id), 'attaches to the first'),
    'kprobe.multi': says(tracing.kprobeMultiByName(name), 'attaches to the first that has an ftrace site'),
    ftrace: live === 0 ? 'matches none' : `matches ${live === 1 ? 'the one' : live === 2 ? 'both' : `all ${live}`} with an ftrace site`,
  };
}

function groupLines(kernel: Kernel, group: DuplicateGroup): string[] {
  const { name, functions, dataSymbols, equalBytes } = group;
  const same = equalBytes === undefined ? '' : equalBytes ? ', the same code' : ', different code';
  const data = dataSymbols === 0 ? '' : `, and ${dataSymbols} of data`;
  return [
    `${name}: ${functions.length} functions${data}${same}${functions[0]!.btf.length > 0 ? ', BTF has the name' : ', not in BTF'}`,
    ...table(
      functions.map(row => [...functionCells(row), row.site === undefined ? 'no ftrace site' : 'ftrace site']),
      '  ',
    ),
    `  by name: ${Object.entries(byName(kernel, name))
      .map(([tool, does]) => `${tool} ${does}`)
      .join('; ')}`,
    '',
  ];
}
