import type { BtfBlob } from '../blob.js';
import type { StringOffset } from '../ids.js';
import type { Work } from './declaration.js';

/** Counts how often names come, without making strings of them. */
export class NameCounts {
  private readonly blob: BtfBlob;
  private readonly work: Work;
  private readonly mask: number;
  /** For each hash 1 + the first entry of its chain; for each entry 1 + the next, the offset of its name, and how often that has come. */
  private readonly heads: Uint32Array;
  private next: Uint32Array;
  private offsets: Uint32Array;
  private counts: Uint32Array;
  private length = 0;

  constructor(blob: BtfBlob, work: Work) {
    this.blob = blob;
    this.work = work;
    const slots = 2 ** Math.ceil(Math.log2(blob.count));
    this.mask = slots - 1;
    this.heads = new Uint32Array(slots);
    // Enumerators have names too, but most types have none of their own.
    this.next = new Uint32Array(blob.count);
    this.offsets = new Uint32Array(blob.count);
    this.counts = new Uint32Array(blob.count);
  }

  /** How often the name at an offset has come, this time among them. */
  count(name: StringOffset): number {
    const { strings } = this.blob;
    const slot = strings.hash(name) & this.mask;
    for (let entry = this.heads[slot]!; entry !== 0; entry = this.next[entry - 1]!) {
      this.work.spend(1, 0);
      if (this.same(this.offsets[entry - 1]!, name)) return ++this.counts[entry - 1]!;
    }
    if (this.length === this.next.length) this.enlarge();
    this.next[this.length] = this.heads[slot]!;
    this.offsets[this.length] = name;
    this.counts[this.length] = 1;
    this.heads[slot] = ++this.length;
    return 1;
  }

  /** Names of a damaged blob may be megabytes that are nearly the same. */
  private same(one: number, other: number): boolean {
    if (one === other) return true;
    const { strings } = this.blob;
    const { bytes: a, start: startA } = strings.tableOf(one);
    const { bytes: b, start: startB } = strings.tableOf(other);
    let i = one - startA;
    let j = other - startB;
    while (a[i] === b[j] && a[i] !== 0) {
      i++;
      j++;
    }
    this.work.spend(i - (one - startA), 0);
    return a[i] === b[j];
  }

  private enlarge(): void {
    const twice = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(column.length * 2);
      larger.set(column);
      return larger;
    };
    this.next = twice(this.next);
    this.offsets = twice(this.offsets);
    this.counts = twice(this.counts);
  }
}
