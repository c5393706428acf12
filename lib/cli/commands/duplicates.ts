import { sourceOfFunction, sourceText } from '../../answers/address/source-place.js';
import type { DuplicateGroup } from '../../answers/duplicates.js';
import type { LoadedVerdicts } from '../../answers/trace/in-modules.js';
import { loadedVerdicts } from '../../answers/trace/in-modules.js';
import type { Verdict } from '../../evidence.js';
import type { Kernel } from '../../kernel.js';
import { toJson } from '../../report/json.js';
import { functionCells, moduleCells, table } from '../../report/text.js';
import type { Decision } from '../../rules/decision.js';
import { type Command, command, EXIT, type OptionSpec } from '../command.js';
import { KERNEL_OPTIONS, kernelId, MODULES_OPTION, withKernel } from '../kernel.js';

const OPTIONS: typeof KERNEL_OPTIONS & {
  readonly modules: typeof MODULES_OPTION;
  readonly names: OptionSpec & { readonly type: 'boolean' };
  readonly sources: OptionSpec & { readonly type: 'boolean' };
} = {
  ...KERNEL_OPTIONS,
  modules: MODULES_OPTION,
  names: { type: 'boolean', help: 'print the names alone, a line each' },
  sources: {
    type: 'boolean',
    help: 'source files from DWARF: with directory and line, and the file that was compiled where it is another',
  },
};

export const duplicates: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live [NAME…] [OPTION…]',
  arity: [0, 1000],
  about: `Lists every function name that stands for more than one address: each function's address, source file, letter, size, place on every boot,
ftrace site and BTF; whether their code is the same; and what each kind of tool does with the name on this kernel.
With --modules, names that functions of modules share with the kernel's or each other's too.`,
  options: OPTIONS,
  run: ({ args, options, out, note }) =>
    withKernel(args, options, note, (kernel, names) => {
      const wanted = new Set(names);
      const found = kernel.duplicates().filter(({ name }) => wanted.size === 0 || wanted.has(name));
      const groups = options.sources === true ? found.map(group => withSources(kernel, group)) : found;
      if (options.sources === true && kernel.dwarf() === undefined)
        note(`kelf: ${kernel.name}: no .debug_info: source files are those of .symtab`);
      if (options.json) {
        const named = groups.map(group => ({ ...group, byName: byName(kernel, group.name) }));
        out.line(toJson({ schema: 'kelf/duplicates', version: 1, kernel: kernelId(kernel), duplicates: named }));
      } else if (options.names) for (const { name } of groups) out.line(name);
      else for (const group of groups) for (const line of groupLines(kernel, group)) out.line(line);
      const listed = new Set(groups.map(({ name }) => name));
      const missing = names.filter(name => kernel.functions.find(name).length === 0 && (kernel.modules?.find(name) ?? []).length === 0);
      for (const name of names)
        if (!listed.has(name)) note(`kelf: ${name}: ${missing.includes(name) ? 'no function' : 'one function'} of that name`);
      return missing.length > 0 && missing.length === names.length ? EXIT.missing : EXIT.ok;
    }),
});

/** The group with the source of each function as its `file`, where DWARF tells it. */
function withSources(kernel: Kernel, group: DuplicateGroup): DuplicateGroup {
  const functions = group.functions.map(row => {
    const source = sourceOfFunction(kernel, row.address);
    return source === undefined ? row : { ...row, file: sourceText(source), source };
  });
  return { ...group, functions };
}

/** What each kind of tool does with the bare name. */
function byName(kernel: Kernel, name: string): Record<string, string> {
  const { tracing, functions } = kernel;
  // The decisions without their evidence: it is asked for hundreds of names.
  const says = ({ code, errno }: Decision, accepted: string): string => {
    if (code === 'accepted') return accepted;
    return errno === undefined ? `cannot be told (${code})` : `refused, ${errno} (${code})`;
  };
  const [id] = functions.btfIdsOf(name);
  const live = functions.find(name).filter(row => tracing.sites.hasLive(functions.symbolRow[row]!)).length;
  const none = hasUnknownSites(kernel, name) ? 'cannot be told (sites-unknown)' : 'matches none';
  return {
    kprobe: says(tracing.kprobes.byName(name), 'sets it in the first'),
    fentry: id === undefined ? withoutFunc(kernel, name) : says(tracing.trampolines.attach('fentry', id), 'attaches to the first'),
    'kprobe.multi': says(tracing.filters.kprobeMulti(name), 'attaches to the first that has an ftrace site'),
    ...(kernel.modules === undefined ? {} : loadedCells(loadedVerdicts(kernel, tracing, name))),
    ftrace: live === 0 ? none : `matches ${live === 1 ? 'the one' : live === 2 ? 'both' : `all ${live}`} with an ftrace site`,
  };
}

/** Of a running kernel: whether it can't be told which of the kernel's functions of a name has a site. */
function hasUnknownSites({ functions, tracing }: Kernel, name: string): boolean {
  return functions.find(name).some(row => tracing.sites.undecided(functions.symbolRow[row]!));
}

/** What fentry does where the kernel's own BTF lacks the name. */
function withoutFunc(kernel: Kernel, name: string): string {
  return (kernel.modules?.find(name) ?? []).some(({ btf }) => btf) ? 'goes by the BTF of a loaded module' : 'refused, not in BTF';
}

/** What a kprobe by the bare name comes to once modules that have it are loaded. */
function loadedCells(loaded: LoadedVerdicts | undefined): Record<string, string> {
  if (loaded === undefined) return {};
  const does = ({ outcome, errno }: Verdict): string => (outcome === 'accepted' ? 'is set' : `is refused, ${errno}`);
  const { one, several } = loaded;
  return {
    'kprobe with one of these modules loaded': does(one),
    ...(several === undefined ? {} : { 'kprobe with several of them loaded': does(several) }),
  };
}

/** More functions of modules than these are counted: every module has an init_module. */
const MOST_IN_MODULES = 8;

/** A name, its functions and what tools do with it. */
export function groupLines(kernel: Kernel, group: DuplicateGroup): string[] {
  const { name, functions, dataSymbols, equalBytes, modules = [] } = group;
  const same = equalBytes === undefined ? '' : equalBytes ? ', the same bytes' : ', other bytes';
  const data = dataSymbols === 0 ? '' : `, and ${dataSymbols} of data`;
  const inModules = modules.length === 0 ? '' : `, ${modules.length} in modules`;
  const inBtf = functions.some(({ btf }) => btf.length > 0)
    ? ', BTF has the name'
    : modules.some(({ btf }) => btf)
      ? ', BTF of modules has the name'
      : ', not in BTF';
  const siteCell = (has: boolean, none = 'no ftrace site'): string => (has ? 'ftrace site' : none);
  const unknown = hasUnknownSites(kernel, name) ? 'ftrace site not known' : undefined;
  const more = modules.length - MOST_IN_MODULES;
  return [
    `${name}: ${functions.length === 1 ? 'one function' : `${functions.length} functions`}${data}${same}${inModules}${inBtf}`,
    ...table(
      functions.map(row => [...functionCells(row), siteCell(row.site !== undefined, unknown)]),
      '  ',
    ),
    ...table(
      modules.slice(0, MOST_IN_MODULES).map(row => [...moduleCells(row), siteCell(row.site)]),
      '  ',
    ),
    ...(more > 0 ? [`  and in ${more} more`] : []),
    `  by name: ${Object.entries(byName(kernel, name))
      .map(([tool, does]) => `${tool} ${does}`)
      .join('; ')}`,
    '',
  ];
}
