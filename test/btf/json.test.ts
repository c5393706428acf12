import { expect } from 'chai';
import { Btf, printJson } from 'kelf/btf';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { textOf } from '../support/text.js';

const json = (writer: BtfWriter): string => textOf(sink => printJson(Btf.parse(writer.bytes()), sink));

describe('printJson', () => {
  it('prints every kind', () => {
    const every = everyKind(new BtfWriter());
    const { types } = JSON.parse(json(every)) as { types: Record<string, unknown>[] };
    expect(types).to.have.length(every.nextId - 1);
    expect(types[8]).to.deep.include({ id: 9, kind: 'STRUCT', name: 'point', size: 40, vlen: 6 });
    expect(types[18]).to.deep.equal({
      id: 19,
      kind: 'FUNC_PROTO',
      name: '(anon)',
      ret_type_id: 1,
      vlen: 3,
      params: [
        { name: 'point', type_id: 17 },
        { name: 'opaque', type_id: 18 },
        { name: '(anon)', type_id: 0 },
      ],
    });
  });

  it('prints no types', () => expect(json(new BtfWriter())).to.equal('{"types":[]}\n'));

  it('escapes names', () => {
    const names = ['a"b', 'a\\b', 'a\nb\tc\rd\be\f', '\u0001', "it's", 'x'.repeat(300), `${'y'.repeat(300)}"`, 'größe'];
    const writer = new BtfWriter();
    for (const name of names) writer.float(name, 4);
    const { types } = JSON.parse(json(writer)) as { types: { name: string }[] };
    expect(types.map(({ name }) => name)).to.deep.equal(names);
  });

  it('prints unsigned 32-bit values with 64 bits where they are negative, as bpftool does', () => {
    const writer = new BtfWriter();
    writer.enum('e', 4, [['a', 0x80000001]]);
    writer.enum('s', 4, [['b', -2]], true);
    writer.enum64('w', 8, [['c', -3n]], true);
    expect(json(writer).match(/"val":-?\d+/g)).to.deep.equal(['"val":18446744071562067969', '"val":-2', '"val":-3']);
  });
});
