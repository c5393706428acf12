import { readFileSync } from 'node:fs';
import { REASONS, type ReasonCode } from '../../reasons.js';
import { toJson } from '../../report/json.js';
import { type Command, command, EXIT, UsageError } from '../command.js';

const OPTIONS = { json: { type: 'boolean', help: 'print JSON' } } as const;

export const explain: Command<typeof OPTIONS> = command({
  usage: '[CODE] [--json]',
  arity: [0, 1],
  about: 'Prints the page of a reason code, or lists all codes.',
  options: OPTIONS,
  run: ({ args: [code], options: { json }, out }) => {
    if (code === undefined) {
      const titles = Object.entries(REASONS);
      const width = Math.max(...titles.map(([name]) => name.length));
      if (json) out.line(toJson({ schema: 'kelf/reasons', version: 1, reasons: titles.map(([code, title]) => ({ code, title })) }));
      else for (const [name, title] of titles) out.line(`${name.padEnd(width)}  ${title}`);
      return EXIT.ok;
    }
    if (!isReason(code)) throw new UsageError(`no reason code '${code}'; 'kelf explain' lists them`);
    const page = readFileSync(new URL(`../../../../docs/reasons/${code}.md`, import.meta.url), 'utf8');
    if (json) out.line(toJson({ schema: 'kelf/reasons', version: 1, reasons: [{ code, title: REASONS[code], page }] }));
    else out.text(page);
    return EXIT.ok;
  },
});

function isReason(code: string): code is ReasonCode {
  return Object.hasOwn(REASONS, code);
}
