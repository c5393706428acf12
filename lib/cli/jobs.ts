import { UsageError } from './command.js';

const MOST_JOBS = 1024;

/** What `--jobs N` gives. @throws UsageError */
export function jobsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const jobs = Number(text);
  if (!/^\d+$/.test(text) || jobs < 1 || jobs > MOST_JOBS) throw new UsageError(`--jobs: '${text}' is not a number from 1 to ${MOST_JOBS}`);
  return jobs;
}
