import { sourceOfFunction, sourceText } from '../../answers/address/source-place.js';
import type { DuplicateGroup } from '../../answers/duplicates.js';
import { type LoadedVerdicts, loadedVerdicts } from '../../answers/trace/in-modules.js';
import type { Verdict } from '../../evidence.js';
import type { Kernel } from '../../kernel.js';
import { type DuplicateName, duplicatesReport } from '../../report/duplicates.js';
import { kernelId } from '../../report/report.js';
import type { Decision } from '../../rules/decision.js';
import { type Command, command, EXIT } from '../command.js';
import { KERNEL_OPTIONS, MODULES_OPTION, withKernel } from '../kernel.js';

export const duplicates: Command = command({
  usage: 'FILE|--live [NAME…] [OPTION…]',
  arity: [0, 1000],
  about: `Lists every function name that stands for more than one address. For each function: address, source file, letter, size, place on every boot, ftrace
site and BTF; whether the code is the same; and what each kind of tool does with the name on this kernel. --modules also covers names that
functions in modules share with the kernel's functions or with each other.`,
  options: {
    ...KERNEL_OPTIONS,
    modules: MODULES_OPTION,
    names: { type: 'boolean', help: 'print only the names, one per line' },
    sources: {
      type: 'boolean',
      help: 'take source files from DWARF: with directory and line, and the compiled file if it is a different one',
    },
  },
  run: ({ args, options, note, write }) =>
    withKernel(args, options, note, (kernel, names) => {
      const wanted = new Set(names);
      const found = kernel.duplicates().filter(({ name }) => wanted.size === 0 || wanted.has(name));
      const groups = options.sources === true ? found.map(group => withSources(kernel, group)) : found;
      if (options.sources === true && kernel.dwarf() === undefined)
        note(`kelf: ${kernel.name}: no .debug_info: source files come from .symtab`);
      const described = groups.map(group => describe(kernel, group));
      write(duplicatesReport(options.names === true), { kernel: kernelId(kernel), duplicates: described });
      const listed = new Set(groups.map(({ name }) => name));
      const missing = names.filter(name => kernel.functions.find(name).length === 0 && (kernel.modules?.find(name) ?? []).length === 0);
      for (const name of names)
        if (!listed.has(name)) note(`kelf: ${name}: ${missing.includes(name) ? 'no function' : 'only one function'} has this name`);
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

/** The group with what each kind of tool does with the name. */
export function describe(kernel: Kernel, group: DuplicateGroup): DuplicateName {
  return { ...group, byName: byName(kernel, group.name), unknownSites: hasUnknownSites(kernel, group.name) };
}

/** What each kind of tool does with the bare name. */
function byName(kernel: Kernel, name: string): Record<string, string> {
  const { tracing, functions } = kernel;
  // The decisions without their evidence: it is asked for hundreds of names.
  const says = ({ code, errno }: Decision, accepted: string): string => {
    if (code === 'accepted') return accepted;
    return errno === undefined ? `unknown (${code})` : `refused, ${errno} (${code})`;
  };
  const [id] = functions.btfIdsOf(name);
  const live = functions.find(name).filter(row => tracing.sites.hasLive(functions.symbolRow[row]!)).length;
  const none = hasUnknownSites(kernel, name) ? 'unknown (sites-unknown)' : 'matches none';
  return {
    kprobe: says(tracing.kprobes.byName(name), 'probes the first'),
    fentry: id === undefined ? withoutFunc(kernel, name) : says(tracing.trampolines.attach('fentry', id), 'attaches to the first'),
    'kprobe.multi': says(tracing.filters.kprobeMulti(name), 'attaches to the first with an ftrace site'),
    ...(kernel.modules === undefined ? {} : loadedCells(loadedVerdicts(kernel, name))),
    ftrace: live === 0 ? none : `matches ${live === 1 ? 'the one' : live === 2 ? 'both' : `all ${live}`} with an ftrace site`,
  };
}

/** Of a running kernel: whether it can't be told which of the kernel's functions of a name has a site. */
function hasUnknownSites({ functions, tracing }: Kernel, name: string): boolean {
  return functions.find(name).some(row => tracing.sites.undecided(functions.symbolRow[row]!));
}

/** What fentry does where the kernel's own BTF lacks the name. */
function withoutFunc(kernel: Kernel, name: string): string {
  return (kernel.modules?.find(name) ?? []).some(({ btf }) => btf) ? 'uses the BTF of a loaded module' : 'refused, not in BTF';
}

/** What a kprobe by the bare name comes to once modules that have it are loaded. */
function loadedCells(loaded: LoadedVerdicts | undefined): Record<string, string> {
  if (loaded === undefined) return {};
  const does = ({ outcome, errno }: Verdict): string => (outcome === 'accepted' ? 'works' : `refused, ${errno}`);
  const { one, several } = loaded;
  return {
    'kprobe with one of these modules loaded': does(one),
    ...(several === undefined ? {} : { 'kprobe with several of them loaded': does(several) }),
  };
}
