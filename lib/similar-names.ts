/** So many names are listed. */
const MOST = 4;

/** `a, b, c, d and 3 more` */
export function listed(names: readonly string[]): string {
  return names.length > MOST ? `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more` : names.join(', ');
}

function mostSlips(name: string): number {
  return Math.min(3, Math.floor(name.length / 4));
}

/**
 * Names that are a few slips of a key away, or the same but for underscores in front: the nearest alone.
 * @param most slips: of a long name more than of a short one, which many others are near to
 */
export function similarNames(name: string, names: Iterable<string>, most: number = mostSlips(name)): string[] {
  if (most === 0) return [];
  const bare = name.replace(/^_+/, '');
  const letters = new Letters(name);
  const found: { name: string; distance: number }[] = [];
  for (const other of names) {
    if (Math.abs(other.length - name.length) > most || letters.missingOf(other) > most) continue;
    const distance = other.replace(/^_+/, '') === bare ? 1 : editDistance(name, other, most);
    if (distance <= most) found.push({ name: other, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  // Those that are farther away than the nearest are noise.
  return found.filter(({ distance }) => distance === found[0]!.distance).map(each => each.name);
}

/** The letters of a name, without their order: what another lacks of them is the least number of slips, and quicker to tell. */
class Letters {
  readonly #counts = new Uint16Array(128);
  readonly #left = new Uint16Array(128);
  readonly #length: number;

  constructor(name: string) {
    this.#length = name.length;
    for (let i = 0; i < name.length; i++) this.#counts[name.charCodeAt(i) & 127]!++;
  }

  /** How many letters of the name another lacks. */
  missingOf(other: string): number {
    this.#left.set(this.#counts);
    let common = 0;
    for (let i = 0; i < other.length; i++) {
      const letter = other.charCodeAt(i) & 127;
      if (this.#left[letter] === 0) continue;
      this.#left[letter]!--;
      common++;
    }
    return this.#length - common;
  }
}

/** Letters inserted, deleted, changed, or swapped with the next (optimal string alignment); more than `most` is given as `most + 1`. */
function editDistance(a: string, b: string, most: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** Of the few names that a table of the command line has, the one that was meant, in a question; empty where none is near. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const similar = similarNames(name, new Set(names), Math.max(1, mostSlips(name)));
  return similar.length === 0 ? '' : `; did you mean ${similar.slice(0, MOST).join(' or ')}?`;
}
