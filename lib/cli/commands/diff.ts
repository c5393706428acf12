import { isFormatError } from '../../../elf/errors.js';
import { readRequirements } from '../../answers/check/requirements.js';
import type { BpfObject } from '../../bpf/object/object.js';
import { foreignBtf } from '../../facts/foreign-btf.js';
import { diffKernels } from '../../fleet/diff/diff-kernels.js';
import { DIFFERENCE_KINDS, type Difference, type DifferenceKind } from '../../fleet/diff/difference.js';
import { Touched, withoutKind } from '../../fleet/diff/touched.js';
import type { Kernel } from '../../kernel.js';
import { collectInThreads } from '../../node/collect-entries.js';
import { objectsOf } from '../../open/bpf-objects.js';
import { openKernel } from '../../open/open-kernel.js';
import { diffReport } from '../../report/diff.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JSON_OPTION, MARKDOWN_OPTION, MissingError, NDJSON_OPTION, UsageError } from '../command.js';
import { glob } from '../glob.js';
import { Progress } from '../progress.js';
import { MOST_OF_LIST, textOf } from '../text-file.js';
import { given, readModulesOf, sayNotes } from '../with-kernel.js';

/** Of each kind that text shows where neither --only, --name nor --for narrows it. */
const SHOWN = 20;

export const diff: Command = command({
  usage: 'OLD NEW [--only KIND]… [--name GLOB]… [--for FILE]… [--fail-on KIND]… [OPTION…]',
  arity: [2, 2],
  about: `Compares two kernels, for someone whose probes worked on OLD: functions that are gone, new, renamed, cloned or inlined; prototypes; verdicts of
each tracing mechanism; BTF; structs and their members; enumerators; tracepoints; system calls; kfuncs; what BPF programs may use; exports;
.config.
OLD and NEW are anything that the other commands take, even of different architectures: vmlinux, vmlinuz, BTF alone.
KIND is one of ${DIFFERENCE_KINDS.join(', ')}. What breaks programs comes first.
Exit code 1: a change of a KIND that --fail-on names breaks programs, or has to be looked at.`,
  examples: ['vmlinux-6.1 vmlinux-6.12', 'vmlinux-6.1 vmlinux-6.12 --for program.bpf.o'],
  options: {
    only: { type: 'string', multiple: true, value: 'KIND', help: 'compare only this; repeatable, or separated by commas' },
    name: { type: 'string', multiple: true, value: 'GLOB', help: 'only names that match: tty_write, task_struct*; repeatable' },
    for: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'only what a BPF object attaches to and reads, or what a list for kelf check names; repeatable',
    },
    'fail-on': {
      type: 'string',
      multiple: true,
      value: 'KIND',
      help: 'exit with 1 if such a change breaks programs or has to be looked at; any stands for every KIND',
    },
    inlined: { type: 'boolean', help: "look for every missing function among the inlined ones: reads NEW's debug information" },
    config: { type: 'string', multiple: true, value: 'FILE', help: 'the .config of OLD, then that of NEW' },
    symbols: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'the symbols of OLD, then those of NEW, where these have none: /proc/kallsyms or System.map',
    },
    'filter-functions': {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: "tracefs' available_filter_functions of OLD, then that of NEW",
    },
    btf: { type: 'string', multiple: true, value: 'FILE', help: 'the BTF of OLD, then that of NEW, in place of their own' },
    modules: { type: 'string', multiple: true, value: 'DIR', help: 'the modules of OLD, then those of NEW: every .ko under DIR' },
    markdown: MARKDOWN_OPTION,
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  async run({ args, options, note, write }) {
    const { only = [], name: names = [], for: files = [], 'fail-on': failing = [] } = options;
    const kinds = kindsOf('--only', only);
    const fatal = kindsOf('--fail-on', failing);
    const beside = (list: readonly string[] | undefined, option: string): readonly string[] => {
      if ((list?.length ?? 0) > 2) throw new UsageError(`${option}: one for OLD and one for NEW`);
      return list ?? [];
    };
    const configs = beside(options.config, '--config');
    const symbols = beside(options.symbols, '--symbols');
    const filters = beside(options['filter-functions'], '--filter-functions');
    const btfs = beside(options.btf, '--btf');
    const folders = beside(options.modules, '--modules');
    const kernels: Kernel[] = [];
    try {
      for (const [i, path] of args.entries())
        kernels.push(await openKernel(path, given({ config: configs[i], symbols: symbols[i], filterFunctions: filters[i], btf: btfs[i] })));
      const [old, now] = kernels as [Kernel, Kernel];
      for (const [i, folder] of folders.entries()) kernels[i]!.modules = await readModulesOf(kernels[i]!, folder);
      const touched = files.length === 0 ? undefined : await touchedBy(files, kernels, note);
      const patterns = names.map(glob);
      const wanted = (change: Difference): boolean =>
        (patterns.length === 0 || namesOf(change).some(name => patterns.some(pattern => pattern(name)))) && touched?.has(change) !== false;
      const progress = new Progress('reading debug information');
      const found = await diffKernels(old, now, {
        wanted,
        ...(kinds.size === 0 ? {} : { kinds }),
        inlined: {
          all: options.inlined === true,
          collect: collectInThreads(args[1]!),
          onProgress: (done, total) => progress.update(done, total),
        },
      }).finally(() => progress.end());
      const narrowed = kinds.size + names.length + files.length > 0;
      write(diffReport, { old: kernelId(old), new: kernelId(now), ...found, most: narrowed ? Number.POSITIVE_INFINITY : SHOWN });
      for (const [i, kernel] of kernels.entries()) {
        sayNotes(kernel, note);
        const foreign = btfs[i] === undefined ? undefined : foreignBtf(kernel);
        if (foreign !== undefined) note(`kelf: ${foreign}`);
      }
      for (const line of found.notes) note(`kelf: ${line}`);
      return found.changes.some(({ kind, effect }) => fatal.has(kind) && effect !== 'adds') ? EXIT.findings : EXIT.ok;
    } finally {
      for (const kernel of kernels) kernel.close();
    }
  },
});

/** @throws UsageError for what is none */
function kindsOf(option: string, texts: readonly string[]): Set<DifferenceKind> {
  const kinds = texts.flatMap(text => text.split(','));
  const known: readonly string[] = DIFFERENCE_KINDS;
  for (const kind of kinds)
    if (!known.includes(kind) && !(kind === 'any' && option === '--fail-on'))
      throw new UsageError(`${option}: no kind '${kind}'; there are ${DIFFERENCE_KINDS.join(', ')}`);
  return new Set(kinds.includes('any') ? DIFFERENCE_KINDS : (kinds as DifferenceKind[]));
}

/** What --name is compared with: the name, without `struct`, and the struct alone. */
function namesOf({ kind, name, module }: Difference): string[] {
  const plain = withoutKind(name);
  return [
    name,
    plain,
    ...(kind === 'types' ? [plain.replace(/\..*/, '')] : []),
    ...(module === undefined ? [] : [module, `${module}:${name}`]),
  ];
}

/** What BPF objects and lists of requirements touch. @throws MissingError where a file is neither */
async function touchedBy(files: readonly string[], kernels: readonly Kernel[], note: (line: string) => void): Promise<Touched> {
  const touched = new Touched(kernels);
  for (const file of files) {
    const { objects, notes } = objectsOf(file);
    const read = objects.flatMap(({ object }): BpfObject[] => (object === undefined ? [] : [object]));
    for (const { problem } of objects) if (problem !== undefined) note(`kelf: ${problem}`);
    for (const object of read) touched.addObject(object);
    if (objects.length > 0) continue;
    try {
      for (const { name } of (await readRequirements(textOf(file, MOST_OF_LIST), file)).functions) touched.addFunction(name);
    } catch (error) {
      if (isFormatError(error) || notes.length > 0)
        throw new MissingError(`${notes.join('; ') || file}, and it is not a list of requirements: ${(error as Error).message}`);
      throw error;
    }
  }
  return touched;
}
