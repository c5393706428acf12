import { expect } from 'chai';
import { halves, lowerBound, Words } from 'kelf/elf';

const values = [0xffffffff81000000n, 0n, 0xffffffff80ffffffn, 1n, 0x1_0000_0000n, 0xffffffffn, 0xffffffff81000000n, 2n ** 64n - 1n];

describe('Words', () => {
  it('orders unsigned 64-bit values, equal ones as they came', () => {
    const words = Words.of(...values);
    expect([...words.order()]).to.deep.equal([1, 3, 5, 4, 2, 0, 6, 7]);
    expect([...Words.of(3n, 3n, 4n).order()]).to.deep.equal([0, 1, 2]);
    expect([...Words.of().order()]).to.deep.equal([]);
  });

  it('orders as bigints do, whatever the values', () => {
    let seed = 7n;
    const random = Array.from({ length: 6000 }, (_, i) => {
      seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
      // Few different values in some digits, many in others.
      return i % 3 === 0 ? seed >> 48n : i % 3 === 1 ? 0xffffffff00000000n | (seed >> 44n) : seed;
    });
    const words = Words.of(...random);
    const expected = random
      .map((value, row) => ({ value, row }))
      .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.row - b.row));
    expect([...words.order()]).to.deep.equal(expected.map(({ row }) => row));
    const few = Words.of(...random.slice(0, 500));
    expect([...few.order()]).to.deep.equal(expected.map(({ row }) => row).filter(row => row < 500));
  });

  it('merges a few ascending runs, equal values as they came', () => {
    for (const lengths of [[5], [3, 4], [1, 2, 3], [4, 1, 1, 6], [2, 2, 2, 2, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1, 1, 1, 1]]) {
      const runs = lengths.flatMap((length, run) => Array.from({ length }, (_, i) => BigInt(100 - run * 3 + i * 2)));
      const expected = runs.map((value, row) => ({ value, row })).sort((a, b) => Number(a.value - b.value) || a.row - b.row);
      expect([...Words.of(...runs).order()], String(lengths)).to.deep.equal(expected.map(({ row }) => row));
      const zeros = [...runs.slice(0, lengths[0]), 0n, 0n, 0n];
      expect([...Words.of(...zeros).order()].slice(0, 3)).to.deep.equal([lengths[0]!, lengths[0]! + 1, lengths[0]! + 2]);
    }
  });

  it('compares and subtracts by halves', () => {
    const words = Words.of(...values);
    const { low, high } = halves(0xffffffff80ffffffn);
    expect(words.minus(0, low, high)).to.equal(1);
    expect(words.minus(2, low, high)).to.equal(0);
    expect(words.minus(1, low, high)).to.be.below(0);
    expect(words.compare(3, 5)).to.be.below(0);
    expect(words.compare(0, 6)).to.equal(0);
    expect(words.equal(0, 6)).to.equal(true);
    expect(halves(-1n)).to.deep.equal({ low: 0xffffffff, high: 0xffffffff });
  });

  it('finds the first value that is not below one', () => {
    const words = Words.of(...values);
    const order = words.order();
    const find = (value: bigint) => lowerBound(words, order, halves(value).low, halves(value).high);
    expect([0n, 1n, 2n, 0xffffffff81000000n, 2n ** 64n - 1n].map(find)).to.deep.equal([0, 1, 2, 5, 7]);
    expect(lowerBound(Words.of(1n), Uint32Array.of(0), 2, 0)).to.equal(1);
  });
});
