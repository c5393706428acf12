import { readFileSync } from 'node:fs';
import { REASONS, type ReasonCode } from '../../reasons.js';
import { reasonsReport } from '../../report/reasons.js';
import { type Command, command, EXIT, JSON_OPTION, UsageError } from '../command.js';

export const explain: Command = command({
  usage: '[CODE] [--json]',
  arity: [0, 1],
  about: 'Prints the page of a reason code, or lists all codes.',
  options: { json: JSON_OPTION },
  run: ({ args: [code], write }) => {
    if (code === undefined) {
      write(reasonsReport, { reasons: Object.entries(REASONS).map(([code, title]) => ({ code, title })) });
      return EXIT.ok;
    }
    if (!isReason(code)) throw new UsageError(`no reason code '${code}'; 'kelf explain' lists them`);
    const page = readFileSync(new URL(`../../../../docs/reasons/${code}.md`, import.meta.url), 'utf8');
    write(reasonsReport, { reasons: [{ code, title: REASONS[code], page }] });
    return EXIT.ok;
  },
});

function isReason(code: string): code is ReasonCode {
  return Object.hasOwn(REASONS, code);
}
