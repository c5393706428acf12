import type { BtfBlob } from './blob.js';
import { RECORD_WORDS } from './kinds.js';

/** A blob and its bases as one, void among them: what loops over all types read, which would look up the layer of each id otherwise. */
export class FlatTypes {
  /** The type sections, and after them a record of zeros for void. */
  readonly words: Uint32Array;
  /** For each id, the index in `words` of its record, and its kind. */
  readonly records: Uint32Array;
  readonly kinds: Uint8Array;
  /** The strings, each at its offset. */
  readonly strings: Uint8Array;

  constructor(blob: BtfBlob) {
    const layers = layersOf(blob);
    this.words = new Uint32Array(layers.reduce((sum, { words }) => sum + words.length, RECORD_WORDS));
    this.records = new Uint32Array(blob.count);
    this.kinds = new Uint8Array(blob.count);
    this.strings = flatStrings(blob);
    let start = 0;
    for (const { words, offsets, kinds, firstId } of layers) {
      this.words.set(words, start);
      this.kinds.set(kinds, firstId);
      this.records.set(start === 0 ? offsets : offsets.map(at => start + at), firstId);
      start += words.length;
    }
    this.records[0] = start;
  }
}

/** The strings of a blob and its bases, each at its offset. */
export function flatStrings(blob: BtfBlob): Uint8Array {
  if (blob.base === undefined) return blob.strings.bytes;
  const bytes = new Uint8Array(blob.strings.end);
  for (const { strings } of layersOf(blob)) bytes.set(strings.bytes, strings.start);
  return bytes;
}

/** The first base first. */
function layersOf(blob: BtfBlob): BtfBlob[] {
  const layers: BtfBlob[] = [];
  for (let layer: BtfBlob | undefined = blob; layer !== undefined; layer = layer.base) layers.unshift(layer);
  return layers;
}
