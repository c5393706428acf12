import { expect } from 'chai';
import { WordSearch } from '../../../elf/dwarf/word-search.js';
import { random } from '../../support/mutate.js';

/** The places of all words, as {@link WordSearch} finds them one after the other. */
function placesOf(words: readonly number[], littleEndian: boolean, bytes: Uint8Array): number[] {
  const search = new WordSearch(words, littleEndian);
  const places: number[] = [];
  for (let at = search.find(bytes, 0); at >= 0; at = search.find(bytes, at + 1)) places.push(at);
  return places;
}

describe('WordSearch', () => {
  it('finds words at any place, up to the last bytes', () => {
    const bytes = Uint8Array.of(0, 1, 2, 3, 4, 7, 0, 0, 0);
    expect(placesOf([0x04030201, 7], true, bytes)).to.deep.equal([1, 5]);
    expect(placesOf([0x01020304, 0x07000000], false, bytes)).to.deep.equal([1, 5]);
    expect(placesOf([7], true, bytes.subarray(0, 8))).to.deep.equal([]);
  });

  for (const littleEndian of [true, false]) {
    it(`finds what comparing each place finds: ${littleEndian ? 'little' : 'big'}-endian`, () => {
      const next = random(littleEndian ? 1 : 2);
      // Few values, so that words share halves with each other and with what is none of them.
      const bytes = Uint8Array.from({ length: 4000 }, () => next(4));
      const view = new DataView(bytes.buffer);
      const words = Array.from({ length: 20 }, () => view.getUint32(next(3990), littleEndian));
      const expected = Array.from({ length: bytes.length - 3 }, (_, at) => at).filter(at =>
        words.includes(view.getUint32(at, littleEndian)),
      );
      expect(expected).not.to.have.length(0);
      expect(placesOf(words, littleEndian, bytes)).to.deep.equal(expected);
    });
  }
});
