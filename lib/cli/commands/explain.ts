import { readFileSync } from 'node:fs';
import { errnoOf, reasonsOfMessage } from '../../messages.js';
import { REASONS, type ReasonCode } from '../../reasons.js';
import { reasonsReport } from '../../report/reasons.js';
import { didYouMean } from '../../similar-names.js';
import { type Command, command, EXIT, JSON_OPTION, MissingError, UsageError } from '../command.js';
import { textOf } from '../text-file.js';

export const explain: Command = command({
  usage: '[CODE|ERRNO|MESSAGE…|-] [--json]',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `Prints the page of a reason code, or lists all codes.
An errno (EBUSY, 524, "Cannot assign requested address") lists the codes whose pages name it. A message of the kernel, of libbpf or of the
verifier lists those that it is printed for; - reads a log from stdin. Exit code 4: no page fits.`,
  examples: ['no-ftrace-site', "'failed to find kernel BTF type ID of X: -3'"],
  options: { json: JSON_OPTION },
  run: ({ args, write }) => {
    const text = args.join(' ').trim();
    if (text === '') {
      write(reasonsReport, { reasons: codes().map(withTitle) });
      return EXIT.ok;
    }
    const code = codeOf(text);
    if (code !== undefined) {
      write(reasonsReport, { reasons: [{ ...withTitle(code), page: pageOf(code) }] });
      return EXIT.ok;
    }
    const found = text === '-' ? reasonsOfLog(textOf('-', MOST_OF_LOG)) : reasonsOf(text);
    if (found.length === 0) {
      if (/^[a-z][\w-]*$/i.test(text))
        throw new UsageError(`no reason code '${text}'${didYouMean(text.toLowerCase(), codes())}; 'kelf explain' lists them`);
      throw new MissingError(
        `no page is known to fit ${text === '-' ? 'a line of stdin' : `'${text}'`}; 'kelf explain' lists the reason codes`,
      );
    }
    write(reasonsReport, { reasons: found.map(withTitle) });
    return EXIT.ok;
  },
});

/** Bytes of a log: the verifier's are at most 16 MiB (BPF_LOG_BUF_SIZE of libbpf). */
const MOST_OF_LOG = 1 << 26;

function codes(): ReasonCode[] {
  return Object.keys(REASONS) as ReasonCode[];
}

function withTitle(code: ReasonCode): { code: ReasonCode; title: string } {
  return { code, title: REASONS[code] };
}

/** The code as it may be written: NO_FTRACE_SITE. */
function codeOf(text: string): ReasonCode | undefined {
  const bare = text.toLowerCase().replaceAll('_', '-');
  return codes().find(code => code === bare);
}

function pageOf(code: ReasonCode): string {
  return readFileSync(new URL(`../../../../docs/reasons/${code}.md`, import.meta.url), 'utf8');
}

/** The codes of a message; where it is not known but has an errno, of that. */
function reasonsOf(text: string): ReasonCode[] {
  const known = reasonsOfMessage(text);
  if (known.length > 0) return known;
  const errno = errnoOf(text);
  return errno === undefined ? [] : codes().filter(code => new RegExp(`\\b${errno}\\b`).test(pageOf(code)));
}

/** Of a log, what its messages say; an errno alone says less, and counts where no message is known. */
function reasonsOfLog(log: string): ReasonCode[] {
  const lines = log.split('\n').map(line => line.trim());
  const known = [...new Set(lines.flatMap(reasonsOfMessage))];
  return known.length > 0
    ? known
    : [
        ...new Set(
          lines
            .filter(line => errnoOf(line) !== undefined)
            .slice(-1)
            .flatMap(reasonsOf),
        ),
      ];
}
