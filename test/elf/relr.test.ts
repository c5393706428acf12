import { expect } from 'chai';
import { ElfFile, MemorySource } from 'kelf/elf';
import { ElfWriter } from '../support/elf-writer.js';

describe('RELR', () => {
  for (const bits of [64, 32] as const) {
    it(`reads the same in pieces of any length as at once, ${bits} bits`, () => {
      const all = BigInt.asUintN(bits, -1n);
      const writer = new ElfWriter(bits);
      const words = [0x1000n, all, 1n, 0x15n, 0x8000n, 0x9000n, all, all];
      const file = ElfFile.open(new MemorySource(writer.file({ sections: [writer.relr('.relr.dyn', words)] }), 'relr'));
      const [table] = file.relocationTables();
      const step = bits / 8;
      // The bitmap's own bit aside: all of one, none of one, and the second and fourth word of the third.
      const run = (from: number, count: number) => Array.from({ length: count }, (_, i) => BigInt(from + i * step));
      const third = 0x1000 + step * (1 + 2 * (bits - 1));
      const expected = [...run(0x1000, bits), BigInt(third + step), BigInt(third + 3 * step), 0x8000n, ...run(0x9000, 2 * bits - 1)];
      expect(table!.count).to.equal(expected.length);
      expect([...table!.rows().offset.big]).to.deep.equal(expected);
      for (const most of [1, 2, 7, bits, 100]) {
        const pieces: bigint[] = [];
        for (let start = 0; start < table!.count; start += most) pieces.push(...table!.rows(start, most).offset.big);
        expect(pieces, `pieces of ${most}`).to.deep.equal(expected);
      }
      expect([...table!.rows(5, 3).offset.big], 'back again').to.deep.equal(expected.slice(5, 8));
      expect(table!.rows(expected.length + 1).count).to.equal(0);
    });
  }
});
