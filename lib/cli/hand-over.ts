import { saveFile } from '../node/save.js';
import { FORMATS, type Format } from '../report/report.js';
import { UsageError, type Write } from './command.js';
import { isClosedPipe, type Output } from './output.js';
import { linesOn, lookOf, whenColoured } from './terminal.js';

/**
 * What writes the reports of a command. An option that is called as a format asks for it: a switch (`--json`), or one with a file (`--junit FILE`) where
 * `-` is stdout, in place of the text. The text alone is fitted to a terminal.
 * @throws UsageError where two formats are to be written to stdout
 */
export function handOver(options: Readonly<Record<string, unknown>>, out: Output, formats: typeof FORMATS = FORMATS): Write {
  const given = Object.entries(formats).map(([name, format]) => ({ name, format, to: options[name] }));
  const shown = given.filter(({ to }) => to === true || to === '-');
  const saved = given.filter((one): one is { name: string; format: Format; to: string } => typeof one.to === 'string' && one.to !== '-');
  if (shown.length > 1) {
    const asked = shown.map(({ name, to }) => (to === true ? `--${name}` : `--${name} -`));
    throw new UsageError(`${asked.join(' and ')} both write to stdout: give one of them`);
  }
  const when = whenColoured(options['color']);
  return (report, model) => {
    const format = shown[0]?.format ?? formats.text;
    const lines = format(report, model);
    const fitted = format === formats.text && report.verbatim !== true;
    writeLines(fitted ? linesOn(lookOf(out, when, process.env), lines) : lines, out);
    for (const { format, to } of saved) saveFile(to, [...format(report, model), ''].join('\n'));
  };
}

/** Lines are encoded many at a time: one by one takes twice as long. */
const MOST_TEXT = 1 << 14;

function writeLines(lines: Iterable<string>, out: Output): void {
  let text = '';
  try {
    for (const line of lines) {
      text += `${line}\n`;
      if (text.length < MOST_TEXT) continue;
      out.text(text);
      text = '';
    }
  } catch (error) {
    // Whoever reads has seen enough: what the command comes to does not depend on it.
    if (!isClosedPipe(error)) throw error;
    text = '';
  } finally {
    // What stands before damage is written.
    out.text(text);
  }
}
