import type { Feature, FeatureSection, Features } from '../../bpf/features/feature.js';
import { featuresFor } from '../../bpf/features/for-object.js';
import { featureGaps, kernelFeatures } from '../../bpf/features/kernel-features.js';
import { featureOptions } from '../../bpf/features/options.js';
import type { FoundObject } from '../../bpf/preflight/inputs.js';
import { Preflight } from '../../bpf/preflight/preflight.js';
import type { Kernel } from '../../kernel.js';
import { objectsOf, unreadable } from '../../open/bpf-objects.js';
import { featuresReport, type Needs, neededFeaturesReport, SECTION_NAMES } from '../../report/features.js';
import { kernelId } from '../../report/report.js';
import { didYouMean } from '../../similar-names.js';
import {
  type Command,
  CSV_OPTION,
  command,
  EACH_KERNEL_OPTION,
  EXIT,
  MARKDOWN_OPTION,
  MissingError,
  UsageError,
  type Write,
} from '../command.js';
import { glob } from '../glob.js';
import { KERNEL_OPTIONS, MODULES_OPTION, readModulesOf, withKernel } from '../with-kernel.js';

const SECTIONS = Object.entries(SECTION_NAMES) as readonly (readonly [FeatureSection, string])[];

export const features: Command = command({
  usage: 'FILE|--live [PATTERN…] [--only SECTION]… [--for OBJECT]… [OPTION…]',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `Lists what a kernel has for BPF programs: program types, map types, attach types, commands, mechanisms (kprobe.multi, trampolines, token, arena …),
helpers with the programs that may call them, kfuncs with their flags and sets, struct_ops, iterators, LSM hooks and tracepoints. 'bpftool
feature probe' asks a running kernel for the same. An enumerator alone does not show that a type was built: each answer has its evidence, and
is open where nothing shows it.
PATTERN is the name of a feature, with * and ? as in a shell. Without one, and without --only, features are counted and named; with either, each
is listed with its evidence.
Exit code 1, with --for: the kernel lacks something that an object needs.`,
  examples: ['vmlinux', "vmlinux 'kprobe*' --only mechanisms"],
  options: {
    ...KERNEL_OPTIONS,
    kernel: EACH_KERNEL_OPTION,
    markdown: MARKDOWN_OPTION,
    csv: CSV_OPTION,
    modules: MODULES_OPTION,
    only: {
      type: 'string',
      multiple: true,
      value: 'SECTION',
      help: `only one section: ${SECTIONS.map(([, name]) => name).join(', ')}; repeatable`,
    },
    for: { type: 'string', multiple: true, value: 'OBJECT', help: 'only what a BPF object needs, or those in an executable; repeatable' },
  },
  run({ args, options, note, write }) {
    const { modules, only = [], for: paths = [], ...ofKernel } = options;
    const strange = only.find(name => !SECTIONS.some(([, known]) => known === name));
    if (strange !== undefined) throw new UsageError(`--only: there is no section '${strange}'`);
    return withKernel(args, ofKernel, note, async (kernel, patterns) => {
      if (modules !== undefined) kernel.modules = await readModulesOf(kernel, modules, true);
      if (paths.length > 0) return writeNeeds(kernel, paths, patterns, write, note);
      const features = selected(kernelFeatures(kernel), only, patterns);
      const config = featureOptions(kernel);
      const listed = only.length > 0 || patterns.length > 0;
      const gaps = featureGaps(kernel).filter(({ section }) => section in features);
      write(featuresReport, { kernel: kernelId(kernel), ...(config === undefined ? {} : { config }), features, gaps, listed });
      if (patterns.length === 0 || Object.values(features).some(list => list.length > 0)) return EXIT.ok;
      const names = Object.values(kernelFeatures(kernel)).flatMap(list => (list as readonly Feature[]).map(({ name }) => name));
      note(`kelf: no feature is named ${patterns.join(' or ')}${patterns.map(name => didYouMean(name, names)).join('')}`);
      return EXIT.missing;
    });
  },
});

/** The features of a section or a name; sections without any are left out where names were given. */
function selected(all: Features, only: readonly string[], patterns: readonly string[]): Partial<Features> {
  const wanted = patterns.map(glob);
  const isWanted = ({ name }: Feature): boolean => wanted.length === 0 || wanted.some(pattern => pattern(name));
  const lists = SECTIONS.filter(([, name]) => only.length === 0 || only.includes(name)).map(
    ([section]) => [section, (all[section] as readonly Feature[]).filter(isWanted)] as const,
  );
  return Object.fromEntries(lists.filter(([, list]) => wanted.length === 0 || list.length > 0));
}

function writeNeeds(
  kernel: Kernel,
  paths: readonly string[],
  patterns: readonly string[],
  write: Write,
  note: (line: string) => void,
): number {
  if (patterns.length > 0) throw new UsageError(`--for lists what objects need: ${patterns[0]} is not used`);
  const found = paths.map(objectsOf);
  const notes = found.flatMap(each => each.notes);
  const preflight = new Preflight(kernel);
  const objects = found.flatMap(each => each.objects);
  if (objects.length === 0) throw new MissingError(notes.join('; '));
  for (const line of notes) note(`kelf: ${line}`);
  const needs = objects.map(object => ({ path: object.path, offset: object.offset, ...needsOf(preflight, object) }));
  write(neededFeaturesReport, { kernel: kernelId(kernel), objects: needs });
  if (needs.some(each => 'unreadable' in each)) return EXIT.input;
  const isLacking = needs.some(each => 'needs' in each && each.needs.some(({ feature }) => feature.verdict.outcome === 'refused'));
  return isLacking ? EXIT.findings : EXIT.ok;
}

function needsOf(preflight: Preflight, { object, problem }: FoundObject): Needs {
  if (object === undefined) return { unreadable: problem };
  try {
    return { needs: featuresFor(preflight, object) };
  } catch (error) {
    return { unreadable: unreadable(error) };
  }
}
