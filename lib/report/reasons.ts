import { linesOf, type Report } from './report.js';
import { table } from './text.js';

/** A reason code, and its page where that was asked for. */
export interface ExplainedReason {
  readonly code: string;
  readonly title: string;
  readonly page?: string;
}

/** `kelf explain`. */
export const reasonsReport: Report<{ readonly reasons: readonly ExplainedReason[] }> = {
  schema: 'kelf/reasons',
  version: 1,
  verbatim: true,
  text: ({ reasons }) => {
    const pages = reasons.flatMap(({ page }) => (page === undefined ? [] : linesOf(page.trimEnd())));
    return pages.length > 0 ? pages : table(reasons.map(({ code, title }) => [code, title]));
  },
};
