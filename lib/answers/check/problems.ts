/** Something that is wrong with a list, and where: lines and columns count from 1. */
export interface RequirementsProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** More problems than these are counted. */
const MOST_SHOWN = 10;

/** A list of requirements is malformed: each problem is a line `FILE:LINE:COLUMN: …` of the message. */
export class RequirementsError extends Error {
  override readonly name: string = 'RequirementsError';
  readonly file: string;
  /** In the order in which they were met; at least one. */
  readonly problems: readonly RequirementsProblem[];

  constructor(file: string, problems: readonly RequirementsProblem[]) {
    const lines = problems.slice(0, MOST_SHOWN).map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    const more = problems.length - MOST_SHOWN;
    super([...lines, ...(more > 0 ? [`${file}: ${more} more problems`] : [])].join('\n'));
    this.file = file;
    this.problems = problems;
  }
}

/** The candidate that a mistyped word may have meant: at most a third of its letters are others. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().slice(0, 64);
  let best: string | undefined;
  let least = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
