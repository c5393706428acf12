import { expect } from 'chai';
import { Btf } from 'kelf/btf';
import { FormatError, MemorySource } from 'kelf/elf';
import { readBtf } from '../../lib/image/read-btf.js';
import { BtfWriter } from '../support/btf-writer.js';

/** A base of so many types, the last of them an int. */
function baseOf(pointers: number, name = 'int'): BtfWriter {
  const writer = new BtfWriter();
  for (let i = 0; i < pointers; i++) writer.ptr(0);
  writer.int(name, 4, 1);
  return writer;
}

describe('Split BTF and the base that it was made over', () => {
  const own = baseOf(3);
  const writer = new BtfWriter({ base: own });
  writer.func('open_it', writer.funcProto(4, []));
  const split = writer.bytes();
  const over = (base: BtfWriter): Btf | undefined =>
    readBtf(new MemorySource(split, 'a.ko'), Btf.parse, Btf.parse(base.bytes(), { name: 'vmlinux' }));

  it('fit', () => {
    expect(over(own)!.find('open_it', 'FUNC')).to.deep.equal([6]);
  });

  it('are refused where the ids go on from another number of types', () => {
    for (const base of [baseOf(2), baseOf(4), baseOf(40)]) {
      expect(() => over(base)).to.throw(
        FormatError,
        /a\.ko: was not made over vmlinux \(FUNC \d+ refers to \d+, which is no FUNC_PROTO\): the kernel refuses/,
      );
    }
  });

  it('are refused where the names go on from other strings', () => {
    expect(() => over(baseOf(3, 'i'))).to.throw(FormatError, /was not made over vmlinux/);
    expect(() => over(baseOf(3, 'a_much_longer_name_than_that'))).to.throw(FormatError);
  });
});
