import { LOADERS } from '../../bpf/preflight/loaders.js';
import { type SurveyOptions, surveyFunction, surveyGone, surveyMember, surveyObjects, surveyVerdict } from '../../dataset/survey.js';
import { columnOf } from '../../fleet/dataset/tables.js';
import { MECHANISMS } from '../../fleet/rows/mechanisms.js';
import { splitMember } from '../../fleet/survey/member.js';
import { objectsOf } from '../../open/bpf-objects.js';
import { isReasonCode, REASONS } from '../../reasons.js';
import {
  functionSurveyReport,
  goneSurveyReport,
  memberSurveyReport,
  objectSurveyReport,
  verdictSurveyReport,
} from '../../report/survey.js';
import { didYouMean } from '../../similar-names.js';
import { type Command, CSV_OPTION, command, EXIT, JSON_OPTION, MARKDOWN_OPTION, MissingError, UsageError, type Write } from '../command.js';
import { isPattern } from '../glob.js';
import { jobsOf } from '../jobs.js';
import { Progress } from '../progress.js';

interface Asked {
  readonly folder: string;
  readonly args: readonly string[];
  readonly loader: string;
  readonly options: SurveyOptions;
  readonly write: Write;
  note(line: string): void;
}

/** Each question with its arguments; false where nothing has what was asked for. */
const QUESTIONS: Readonly<Record<string, readonly [least: number, most: number, ask: (asked: Asked) => Promise<boolean>]>> = {
  function: [1, 1, askFunction],
  member: [1, 1, askMember],
  object: [1, Number.POSITIVE_INFINITY, askObjects],
  verdict: [2, 2, askVerdict],
  'gone-between': [2, 2, askGone],
};

export const survey: Command = command({
  usage: 'DIR function NAME|member STRUCT.PATH|object FILE…|verdict MECHANISM CODE|gone-between RELEASE RELEASE [--json|--csv|--markdown]',
  arity: [2, Number.POSITIVE_INFINITY],
  about: `Asks a dataset of 'kelf index' about all of its kernels: the variants of a function, where it can't be traced or has no BTF, and why; the
offsets of a member; the kernels on which BPF objects fail; the functions for which a mechanism (kprobe, kretprobe, fentry, fexit, fmod_ret,
kprobe_multi) gives a reason code; what the kernels of one release have and those of another lack (6.1 stands for every 6.1 kernel).
Kernels are listed by release, as ranges in the order of machine and release. Damaged sets of the dataset are skipped and reported: exit
code 3. Exit code 4: no kernel has what was asked for.`,
  examples: ['dataset function may_create', 'dataset gone-between 6.1 6.12'],
  options: {
    loader: {
      type: 'string',
      value: 'NAME',
      help: 'object: the loader whose rules apply before the kernel sees it: libbpf (the default), cilium or aya',
    },
    jobs: { type: 'string', short: 'j', value: 'N', help: 'the number of threads that read; by default one per processor' },
    json: JSON_OPTION,
    markdown: MARKDOWN_OPTION,
    csv: CSV_OPTION,
  },
  async run({ args: [folder, question, ...args], options, write, note }) {
    const found = Object.hasOwn(QUESTIONS, question!) ? QUESTIONS[question!] : undefined;
    if (found === undefined)
      throw new UsageError(
        `no question '${question}'; there are ${Object.keys(QUESTIONS).join(', ')}${didYouMean(question!, Object.keys(QUESTIONS))}`,
      );
    const [least, most, ask] = found;
    if (args.length < least || args.length > most) throw new UsageError(`${question} takes ${least} argument${least === 1 ? '' : 's'}`);
    const progress = new Progress('reading the dataset');
    const problems: string[] = [];
    const has = await ask({
      ...{ folder: folder!, args, write, note, loader: options.loader ?? 'libbpf' },
      options: {
        jobs: jobsOf(options.jobs),
        onProgress: (done, total) => progress.update(done, total),
        onProblem: message => problems.push(message),
      },
    }).finally(() => progress.end());
    for (const message of problems) note(`kelf: left out: ${message}`);
    if (problems.length > 0) return EXIT.input;
    return has ? EXIT.ok : EXIT.missing;
  },
});

async function askFunction({ folder, args: [name], options, write }: Asked): Promise<boolean> {
  if (isPattern(name!)) throw new UsageError(`function: '${name}' is a pattern: give a name`);
  const model = await surveyFunction(folder, name!, options);
  write(functionSurveyReport, model);
  return model.prototypes.length + model.noBtf.length > 0;
}

async function askMember({ folder, args: [text], options, write }: Asked): Promise<boolean> {
  const member = splitMember(text!);
  if (member === undefined) throw new UsageError(`member: '${text}' is not of the form STRUCT.PATH`);
  const model = await surveyMember(folder, member.struct, member.path, options);
  write(memberSurveyReport, model);
  return model.variants.length > 0;
}

async function askObjects({ folder, args, loader, options, write, note }: Asked): Promise<boolean> {
  if (LOADERS.every(({ name }) => name !== loader))
    throw new UsageError(`no loader '${loader}'; there are ${LOADERS.map(({ name }) => name).join(', ')}`);
  const found = args.map(objectsOf);
  const objects = found.flatMap(each => each.objects);
  const missing = [...found.flatMap(({ notes }) => notes), ...objects.flatMap(({ problem }) => problem ?? [])];
  if (objects.every(({ object }) => object === undefined)) throw new MissingError(missing.join('; '));
  for (const line of missing) note(`kelf: ${line}`);
  write(objectSurveyReport, await surveyObjects(folder, objects, loader, options));
  return true;
}

async function askVerdict({ folder, args: [mechanism, code], options, write }: Asked): Promise<boolean> {
  const columns = MECHANISMS.map(columnOf);
  const column = mechanism!.replace(/[.-]/g, '_');
  if (!columns.includes(column))
    throw new UsageError(`no mechanism '${mechanism}'; there are ${columns.join(', ')}${didYouMean(mechanism!, columns)}`);
  if (!isReasonCode(code!))
    throw new UsageError(`no reason '${code}'${didYouMean(code!, Object.keys(REASONS))}; 'kelf explain' lists them`);
  const model = await surveyVerdict(folder, column, code!, options);
  write(verdictSurveyReport, model);
  return model.functions.length > 0;
}

async function askGone({ folder, args: [old, recent], options, write }: Asked): Promise<boolean> {
  const model = await surveyGone(folder, [old!, recent!], options);
  write(goneSurveyReport, model);
  return model.machines.length > 0;
}
