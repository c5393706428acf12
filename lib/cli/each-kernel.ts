import { isFormatError } from '../../elf/errors.js';
import { printable } from '../../elf/escape.js';
import { InputError, MissingError } from '../errors.js';
import { errorModel, errorReport } from '../report/error.js';
import { FORMATS } from '../report/report.js';
import { type Command, type Context, EXIT, UsageError } from './command.js';
import { namesOf } from './with-kernel.js';

/** What goes with one kernel: of several it is not known with which. */
const OF_ONE = ['btf', 'config', 'symbols', 'filter-functions', 'modules'] as const;

/** The exit code of several answers: that of the one that went worst. */
const WORST_FIRST = [EXIT.input, EXIT.missing, EXIT.findings];

/**
 * Asks one kernel after the other the same: all arguments are names. What was compiled for the first serves them all. A kernel that can't be read
 * is reported, and the others are asked.
 * @param kernels the values of --kernel
 * @param fail writes an error, which --quiet does not leave out
 */
export async function askEach(
  { run }: Command,
  kernels: readonly string[],
  context: Context,
  fail: (line: string) => void,
): Promise<number> {
  const { options, out } = context;
  const given = OF_ONE.find(name => options[name] !== undefined);
  if (options['live'] !== undefined) throw new UsageError('--live asks the running kernel, and --kernel another: give one of them');
  const ofRows = ['csv', 'markdown'].find(name => options[name] !== undefined);
  if (ofRows !== undefined && kernels.length > 1) throw new UsageError(`--${ofRows} takes one kernel, and there are ${kernels.length}`);
  if (given !== undefined && kernels.length > 1) throw new UsageError(`--${given} is for one kernel, and there are ${kernels.length}`);
  const names = namesOf(context.args);
  const { kernel: _, ...others } = options;
  const inText = !options['json'] && !options['ndjson'] && ofRows === undefined;
  const codes = new Set<number>();
  for (const [i, path] of kernels.entries()) {
    if (inText) out.line(`${i === 0 ? '' : '\n'}==> ${printable(path)} <==`);
    try {
      codes.add((await run({ ...context, args: [path, ...names], options: others })) ?? EXIT.ok);
    } catch (error) {
      if (!isFormatError(error) && !(error instanceof InputError) && !(error instanceof MissingError)) throw error;
      if (!inText) for (const line of FORMATS.json(errorReport, errorModel(error))) out.line(line);
      fail(`kelf: ${error.message}`);
      codes.add(error instanceof MissingError ? EXIT.missing : EXIT.input);
    }
  }
  return WORST_FIRST.find(code => codes.has(code)) ?? EXIT.ok;
}
