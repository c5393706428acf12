import { printable } from '../../elf/escape.js';
import { countsText, faultOfCase, type Gate } from './gate.js';

/**
 * Workflow commands of GitHub, which its pages show beside the line that they name: `::error file=…,line=…,title=…::message`. One for each case that
 * closes the gate, and a line with the counts.
 */
export function githubLines({ name, suites }: Gate): string[] {
  const errors = suites.flatMap(suite =>
    suite.cases.flatMap(one => {
      const fault = faultOfCase(one);
      if (fault === undefined) return [];
      const { file, line, column } = one.at ?? {};
      const properties = { file, line, col: column, title: `${one.name} (${suite.name})` };
      const text = Object.entries(properties).flatMap(([key, value]) => (value === undefined ? [] : `${key}=${property(String(value))}`));
      return [`::error ${text.join(',')}::${data([`${fault.type}: ${fault.message}`, ...(fault.lines ?? [])].map(printable).join('\n'))}`];
    }),
  );
  // A text that begins with :: would be a command.
  return [...errors, `${name}: ${countsText(suites.flatMap(({ cases }) => cases))}`];
}

/** As escapeData() of GitHub's toolkit, packages/core/src/command.ts. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** As escapeProperty() there. */
function property(text: string): string {
  return data(printable(text)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
