import { readFileSync } from 'node:fs';
import { REASONS } from '../../reasons.js';
import { type Command, command, EXIT, UsageError } from '../command.js';

export const explain: Command<Record<never, never>> = command({
  usage: '[CODE]',
  arity: [0, 1],
  about: 'Prints the page of a reason code, or lists all codes.',
  options: {},
  run: ({ args: [code], out }) => {
    if (code === undefined) {
      const width = Math.max(...Object.keys(REASONS).map(name => name.length));
      for (const [name, title] of Object.entries(REASONS)) out.line(`${name.padEnd(width)}  ${title}`);
      return EXIT.ok;
    }
    if (!Object.hasOwn(REASONS, code)) throw new UsageError(`no reason code '${code}'; 'kelf explain' lists them`);
    out.text(readFileSync(new URL(`../../../../docs/reasons/${code}.md`, import.meta.url), 'utf8'));
    return EXIT.ok;
  },
});
