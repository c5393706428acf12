import { expect } from 'chai';
import { NameIndex } from 'kelf/elf';

/** The rows of each name, in a table of `count` names of which each tenth repeats one; names overlap as suffixes do in a string table. */
function tableOf(count: number): { bytes: Uint8Array; offsets: Uint32Array; rows: Map<string, number[]> } {
  const names = Array.from({ length: count }, (_, i) => (i % 10 === 9 ? `name_${i % 70}` : `_name_${i}`));
  const offsets = new Uint32Array(count);
  const rows = new Map<string, number[]>();
  let text = '\0';
  names.forEach((name, row) => {
    offsets[row] = text.length + (name.startsWith('_') && row % 3 === 0 ? 1 : 0);
    text += `${name}\0`;
    const found = row % 3 === 0 ? name.replace(/^_/, '') : name;
    rows.set(found, [...(rows.get(found) ?? []), row]);
  });
  return { bytes: new TextEncoder().encode(text), offsets, rows };
}

describe('NameIndex', () => {
  for (const count of [500, 20_000]) {
    it(`finds and groups the rows of ${count} names`, () => {
      const { bytes, offsets, rows } = tableOf(count);
      const index = new NameIndex(bytes, offsets);
      for (const [name, expected] of rows) expect(index.find(name)).to.deep.equal(expected);
      expect(index.find('no such name')).to.deep.equal([]);
      const firsts = [...rows.values()].map(([first]) => first);
      expect([...index.firstRows()].sort((a, b) => a - b)).to.deep.equal([...firsts].sort((a, b) => a! - b!));
      const repeated = [...rows.values()].filter(({ length }) => length > 1).map(([first]) => first!);
      expect(repeated).not.to.have.length(0);
      expect([...index.repeated()].sort((a, b) => a - b)).to.deep.equal(repeated.sort((a, b) => a - b));
      for (const [first] of rows.values()) expect(index.isOnly(first!)).to.equal(!repeated.includes(first!));
    });
  }

  it('takes an offset outside of the bytes for an empty name, and the last name without its NUL', () => {
    const index = new NameIndex(new TextEncoder().encode('\0ab\0cd'), Uint32Array.of(1, 4, 6, 0, 0xffff_ffff));
    expect(index.find('cd')).to.deep.equal([1]);
    expect(index.find('')).to.deep.equal([2, 3, 4]);
    expect([...index.repeated()]).to.deep.equal([2]);
  });

  for (const [how, few] of [
    ['searched for', 64],
    ['chained', 0],
  ] as const) {
    it(`says of every row whether it is the only one of its name: ${how}`, () => {
      const index = new NameIndex(new TextEncoder().encode('a\0b\0'), Uint32Array.of(0, 2, 0), few);
      expect([0, 1, 2].map(row => index.isOnly(row))).to.deep.equal([false, true, false]);
      expect([0, 1, 2].map(row => index.rowsFrom(row))).to.deep.equal([[0, 2], [1], [2]]);
    });
  }

  it('is empty without names', () => {
    const index = new NameIndex(new Uint8Array(0), new Uint32Array(0));
    expect(index.find('a')).to.deep.equal([]);
    expect([...index.firstRows(), ...index.repeated()]).to.deep.equal([]);
  });
});
