/** A kernel of a dataset, as answers name it. */
export interface SurveyKernel {
  readonly id: string;
  /** Of BTF alone the name of its file, where that tells no release. */
  readonly release: string;
  /** `x86-64` */
  readonly machine: string;
  /** False of BTF alone: a function without a FUNC may be there all the same. */
  readonly hasSymbols: boolean;
}

/** Kernels that follow each other in the order of their machines and releases: `5.10.0-32-amd64 … 6.1.0-56-amd64`. */
export interface ReleaseRange {
  readonly machine: string;
  readonly first: string;
  readonly last: string;
  readonly kernels: number;
}

/** The kernels of a dataset, in the order of their machines and releases. */
export class SurveyKernels {
  readonly list: readonly SurveyKernel[];
  readonly #ordinals = new Map<string, number>();

  /** @param kernels of several sets: one that stands in two of them is one */
  constructor(kernels: readonly SurveyKernel[]) {
    const byId = new Map(kernels.map(kernel => [kernel.id, kernel]));
    this.list = [...byId.values()].sort(inOrder);
    for (const [ordinal, { id }] of this.list.entries()) this.#ordinals.set(id, ordinal);
  }

  get count(): number {
    return this.list.length;
  }

  /** Where a kernel stands in the order. */
  ordinal(id: string): number {
    return this.#ordinals.get(id)!;
  }

  /** What some kernels come to as ranges: one goes on as long as no other kernel of the dataset is between two of them. */
  ranges(ordinals: Iterable<number>): ReleaseRange[] {
    const sorted = [...new Set(ordinals)].sort((a, b) => a - b);
    const ranges: ReleaseRange[] = [];
    for (let start = 0; start < sorted.length; ) {
      const first = this.list[sorted[start]!]!;
      let end = start + 1;
      while (end < sorted.length && sorted[end] === sorted[end - 1]! + 1 && this.list[sorted[end]!]!.machine === first.machine) end++;
      ranges.push({ machine: first.machine, first: first.release, last: this.list[sorted[end - 1]!]!.release, kernels: end - start });
      start = end;
    }
    return ranges;
  }
}

/** What has been found of kernels that fare alike. */
export interface Among {
  readonly kernels: number;
  readonly releases: readonly ReleaseRange[];
}

/** Kernels by what they have in common. */
export class Groups<T> {
  readonly #groups = new Map<string, { readonly value: T; readonly ordinals: number[] }>();

  /** @param key what tells one value from another */
  add(key: string, value: T, ordinal: number): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, { value, ordinals: [ordinal] });
    // Rows of a kernel follow each other.
    else if (group.ordinals.at(-1) !== ordinal) group.ordinals.push(ordinal);
  }

  /** In the order of the first kernel of each, so that what is older comes first. */
  list(kernels: SurveyKernels): (T & Among)[] {
    return [...this.#groups.values()]
      .sort((a, b) => Math.min(...a.ordinals) - Math.min(...b.ordinals))
      .map(({ value, ordinals }) => ({ ...value, ...amongOf(kernels, ordinals) }));
  }
}

export function amongOf(kernels: SurveyKernels, ordinals: Iterable<number>): Among {
  const set = new Set(ordinals);
  return { kernels: set.size, releases: kernels.ranges(set) };
}

function inOrder(a: SurveyKernel, b: SurveyKernel): number {
  return compare(a.machine, b.machine) || compareReleases(a.release, b.release) || compare(a.id, b.id);
}

/** `6.1.0-9-amd64` before `6.1.0-56-amd64`: numbers by what they are, the rest as text; what ends first is first. */
export function compareReleases(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i]!, b[i]!];
    if (left === right) continue;
    const [leftNumber, rightNumber] = [Number(left), Number(right)];
    if (Number.isNaN(leftNumber) || Number.isNaN(rightNumber)) return compare(left, right);
    if (leftNumber !== rightNumber) return leftNumber - rightNumber;
  }
  return a.length - b.length || compare(one, other);
}

function partsOf(release: string): string[] {
  return release.match(/\d+|\D+/g) ?? [];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a kernel is called: BTF alone whose file tells no release, by that file. */
export function releaseName(release: string | null, source: string): string {
  if (release !== null) return release;
  return source.slice(Math.max(source.lastIndexOf('/'), source.lastIndexOf(' ')) + 1);
}
