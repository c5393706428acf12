import type { Audit, Tally } from '../answers/audit.js';
import { REASONS } from '../reasons.js';
import type { KernelId, Report } from './report.js';
import { table } from './text.js';

export interface AuditModel extends Audit {
  readonly kernel: KernelId;
  /** JSON has no place for it. */
  readonly banner: string | undefined;
}

/** `kelf audit`. */
export const auditReport: Report<AuditModel> = {
  schema: 'kelf/audit',
  version: 1,
  json: ({ banner: _, ...model }) => model,
  text: auditLines,
};

function auditLines({ kernel, banner, ...audit }: AuditModel): string[] {
  const { symbols, mcount, sites, btf, duplicates, sharedWithData } = audit;
  const fills = mcount === undefined ? '' : [...mcount.fills].map(([type, count]) => `${count} ${type}`).join(', ');
  const facts: (string | number)[][] = [
    ['symbols', symbols.all, `${symbols.text} in text, with ${symbols.names} names (${symbols.source})`],
    ...(mcount === undefined
      ? []
      : [
          [
            '__mcount_loc words',
            mcount.words,
            mcount.zeroStored === 0
              ? 'final in the file'
              : `${mcount.zeroStored} zero in the file, ${fills === '' ? 'skipped by the kernel' : `filled at boot by ${fills}`}`,
          ],
        ]),
    ...(sites === undefined ? [] : [['ftrace sites', sites.all, `${sites.freedAfterBoot} in code freed after boot`]]),
    ...(btf === undefined
      ? []
      : [
          ['BTF types', btf.types, btf.source],
          ['BTF functions', btf.functions, `${btf.withoutSymbol} without a symbol of this name`],
        ]),
    ['duplicate names', duplicates.names, `shared by ${duplicates.functions} functions; kelf duplicates lists them`],
    ['shared with data', sharedWithData.length, some(sharedWithData)],
    ['first untraceable', duplicates.firstUntraceable.length, some(duplicates.firstUntraceable)],
  ];
  return [
    banner ?? kernel.name,
    ...(kernel.buildId === undefined ? [] : [`build id ${kernel.buildId}`]),
    '',
    ...table(facts),
    '',
    ...tallyLines('kprobe by name, for every text name', audit.kprobeByName),
    ...tallyLines('kprobe by address, for every text address', audit.kprobeByAddress),
    ...tallyLines('fentry attach, for every BTF function', audit.fentry),
    ...tallyLines('text names without a BTF function', audit.missingBtf),
    "'kelf explain CODE' explains a reason.",
  ];
}

function tallyLines(title: string, tally: Tally): string[] {
  const rows = tally.map(({ code, count, examples }) => [
    count,
    code,
    code === 'accepted' ? REASONS[code] : `${REASONS[code]}: ${examples.join(', ')}${count > examples.length ? ' …' : ''}`,
  ]);
  return tally.length === 0 ? [] : [title, ...table(rows, '  '), ''];
}

function some(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} …` : names.join(', ');
}
