import type { MissingBtfOfAll } from '../answers/missing-btf/all.js';
import type { MissingBtf } from '../answers/missing-btf/missing-btf.js';
import type { Certainty } from '../evidence.js';
import { REASONS } from '../reasons.js';
import type { KernelId, Report } from './report.js';
import { evidenceLine, table } from './text.js';

/** `kelf why NAME`. */
export const whyReport: Report<{ readonly kernel: KernelId; readonly answers: readonly MissingBtf[] }> = {
  schema: 'kelf/why',
  version: 1,
  lists: ['answers'],
  text: ({ answers }) => answers.flatMap(whyLines),
};

/** `kelf why --all`. */
export const whyAllReport: Report<MissingBtfOfAll & { readonly kernel: KernelId }> = {
  schema: 'kelf/why-all',
  version: 1,
  lists: ['functions'],
  text: allLines,
};

function allLines({ names, withFunc, pahole, units, reasons }: MissingBtfOfAll): string[] {
  const read = units === 0 ? 'without debug information' : `${units} units of debug information read`;
  return [
    `${names} function names: ${withFunc} with a FUNC, ${names - withFunc} without; ${read}`,
    ...pahole.because.map(evidence => `  ${evidenceLine(evidence)}`),
    ...table(
      reasons.map(({ code, count, certainty, examples }) => [count, code, certainties(certainty), examples.join(', ')]),
      '  ',
    ),
  ];
}

/** `proven`; `812 proven, 3 open` */
function certainties(counts: Readonly<Record<Certainty, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 1 ? some[0]![0] : some.map(([certainty, count]) => `${count} ${certainty}`).join(', ');
}

function whyLines({ name, code, certainty, because, alternatives, instead }: MissingBtf): string[] {
  return [
    `${name}: ${code} (${certainty}): ${REASONS[code]}`,
    ...because.map(evidence => `  ${evidenceLine(evidence)}`),
    ...(alternatives.length === 0 ? [] : ['  the reason depends on the pahole release that generated the BTF:']),
    ...table(
      alternatives.map(({ pahole, code }) => [pahole, code, REASONS[code]]),
      '    ',
    ),
    ...(instead.length === 0 ? [] : ['  traceable instead, with BTF:']),
    ...instead.map(({ prototype, says }) => `    ${prototype};  (${says})`),
    '',
  ];
}
