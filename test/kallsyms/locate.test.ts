import { expect } from 'chai';
import { locateKallsyms } from 'kelf/kallsyms';

/** A token table that its index confirms, the digits where they belong, every other token one letter. */
function tokenTable(): Uint8Array {
  const bytes = new Uint8Array(512 + 512);
  const view = new DataView(bytes.buffer);
  for (let token = 0; token < 256; token++) {
    bytes[token * 2] = token >= 0x30 && token <= 0x39 ? token : 0x61;
    view.setUint16(512 + token * 2, token * 2, true);
  }
  return bytes;
}

describe('locateKallsyms', () => {
  it('ends soon on an image that is made of token tables behind bytes that are no markers', () => {
    const table = tokenTable();
    const fill = 12 << 20;
    const tables = 1000;
    const bytes = new Uint8Array(fill + tables * table.length).fill(1, 0, fill);
    for (let i = 0; i < tables; i++) bytes.set(table, fill + i * table.length);
    // Without a bound to the search this takes longer than a test may: each table has 12 MB of words before it, in two widths.
    expect([...locateKallsyms(bytes, 8)]).to.deep.equal([]);
  });
});
