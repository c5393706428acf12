import { expect } from 'chai';
import { Btf, type BtfType } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { BtfWriter, type Damage, everyKind } from '../support/btf-writer.js';

const sample = (): BtfWriter => everyKind(new BtfWriter());

function failure(bytes: Uint8Array, base?: Btf): string {
  try {
    Btf.parse(bytes, { base });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `${error.code} ${error.message}`;
  }
  return 'parsed';
}

describe('Btf.parse', () => {
  it('counts the types, void included', () => {
    const writer = sample();
    const btf = Btf.parse(writer.bytes());
    expect([btf.firstId, btf.count]).to.deep.equal([1, writer.nextId]);
    expect(btf.type(0)).to.deep.equal({ id: 0, name: '', kind: 'VOID' });
  });

  it('reads a blob without types', () => {
    expect(Btf.parse(new BtfWriter().bytes()).count).to.equal(1);
  });

  it('reads bytes that are not aligned to words', () => {
    const bytes = sample().bytes();
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    // A Buffer's slice() copies nothing.
    for (const odd of [shifted.subarray(1), Buffer.from(shifted.buffer, 1)])
      expect([...Btf.parse(odd).types()]).to.deep.equal([...Btf.parse(bytes).types()]);
  });

  it('reads both byte orders alike', () => {
    const big = Btf.parse(everyKind(new BtfWriter({ littleEndian: false })).bytes());
    expect(big.header.littleEndian).to.equal(false);
    expect([...big.types()]).to.deep.equal([...Btf.parse(sample().bytes()).types()]);
  });

  it('skips what a longer header has behind the fields that are known', () => {
    const bytes = sample().bytes();
    const longer = new Uint8Array(bytes.length + 16);
    longer.set(bytes.subarray(0, 24));
    longer.set(bytes.subarray(24), 40);
    longer[4] = 40;
    expect(Btf.parse(longer).count).to.equal(sample().nextId);
  });

  it('reads a vlen of 24 bits', () => {
    const writer = new BtfWriter();
    writer.enum(
      'many',
      4,
      Array.from({ length: 70_000 }, () => ['', 0]),
    );
    expect((Btf.parse(writer.bytes()).type(1) as Extract<BtfType, { kind: 'ENUM' }>).values).to.have.length(70_000);
  });

  describe('kinds of the future', () => {
    const layout = (entry: readonly [number, number]): (readonly [number, number])[] =>
      Array.from({ length: 41 }, (_, kind) => (kind === 40 ? entry : [0, 0]));

    it('are stepped over by the layout section', () => {
      const writer = new BtfWriter();
      writer.int('int', 4);
      writer.record('later', 40, 2, 9, [1, 2, 3, 4, 5]);
      writer.float('double', 8);
      const btf = Btf.parse(writer.layout(layout([4, 8])).bytes());
      expect(btf.type(2)).to.deep.equal({ id: 2, name: 'later', kind: 'UNKNOWN', kindNumber: 40, vlen: 2, flag: false, sizeOrType: 9 });
      expect([btf.kindOf(2), btf.nameOf(3)]).to.deep.equal(['UNKNOWN', 'double']);
    });

    it('are stepped over by the layout section of the base', () => {
      const base = new BtfWriter();
      base.int('int', 4);
      base.layout(layout([0, 0]));
      const split = new BtfWriter({ base });
      split.record(0, 40, 7, 0);
      split.float('double', 8);
      expect(Btf.parse(split.bytes(), { base: Btf.parse(base.bytes()) }).nameOf(3)).to.equal('double');
    });

    it('are an error without a layout section, or with one that is too short or in odd bytes', () => {
      const writer = (): BtfWriter => {
        const writer = new BtfWriter();
        writer.record('later', 40, 0, 0);
        return writer;
      };
      expect(failure(writer().bytes())).to.equal(
        'unsupported .BTF+0x1c: type 1 is of kind 40, which is neither known nor in a layout section',
      );
      expect(
        failure(
          writer()
            .layout([[0, 0]])
            .bytes(),
        ),
      ).to.match(/^unsupported .BTF\+0x24: type 1 is of kind 40/);
      expect(
        failure(
          writer()
            .layout(layout([2, 0]))
            .bytes(),
        ),
      ).to.match(/^bad-value .BTF\+0x24: .*info_sz 2, elem_sz 0/);
      expect(
        failure(
          writer()
            .layout(layout([0, 6]))
            .bytes(),
        ),
      ).to.match(/^bad-value .BTF\+0x24: .*info_sz 0, elem_sz 6/);
    });

    it('do not make kind 0 a kind', () => {
      const writer = new BtfWriter();
      writer.record('', 0, 0, 0);
      expect(failure(writer.layout([[0, 0]]).bytes())).to.match(/^unsupported .*kind 0/);
    });
  });

  describe('split BTF', () => {
    it('goes on with the ids and the strings of its base, over several levels', () => {
      const first = new BtfWriter();
      first.int('int', 4);
      const second = new BtfWriter({ base: first });
      second.typedef('number', 1);
      const third = new BtfWriter({ base: second });
      third.record(second.string('number'), 8, 0, 2);
      const a = Btf.parse(first.bytes());
      const b = Btf.parse(second.bytes(), { base: a });
      const c = Btf.parse(third.bytes(), { base: b });
      expect([c.firstId, c.count]).to.deep.equal([3, 4]);
      expect([1, 2, 3].map(id => c.nameOf(id))).to.deep.equal(['int', 'number', 'number']);
      expect(c.resolve(3)).to.equal(1);
      expect(c.find('number')).to.deep.equal([2, 3]);
      expect([...c.types()].map(type => type.id)).to.deep.equal([3]);
    });

    it('may have no strings of its own', () => {
      const base = sample();
      const split = new BtfWriter({ base });
      split.ptr(9);
      expect(Btf.parse(split.bytes(), { base: Btf.parse(base.bytes()) }).count).to.equal(base.nextId + 1);
    });

    it('asks for its base where none is given', () => {
      const split = new BtfWriter({ base: sample() });
      split.typedef('t', 0);
      expect(failure(split.bytes())).to.equal('bad-value .BTF+0x24: the first string is not empty: is this split BTF that needs its base?');
    });
  });

  describe('malformed', () => {
    const damaged: [string, Damage, RegExp][] = [
      ['no magic', { magic: 0x1234 }, /^bad-magic .BTF\+0x0: these are not the first bytes of BTF/],
      ['another version', { version: 2 }, /^unsupported .BTF\+0x2: BTF version 2/],
      ['a header that is too short', { headerLength: 20 }, /^bad-value .BTF\+0x4: hdr_len 20 is less than 24/],
      ['a header longer than the blob', { headerLength: 0xffffffff }, /^truncated .BTF\+0x4: hdr_len 4294967295/],
      ['types that are not aligned', { typeOffset: 2 }, /^bad-value .BTF\+0x8: type_off 2/],
      ['types that go into the strings', { typeLength: 0xfffffff0 }, /^out-of-range .BTF\+0xc/],
      ['strings that go past the end', { stringLength: 0x10000000 }, /^truncated .BTF\+0x10/],
      ['no strings', { stringLength: 0 }, /^bad-value .*the string section is empty/],
      ['a layout outside of its place', { layoutOffset: 0, layoutLength: 4 }, /^out-of-range .BTF\+0x18: the layout/],
      ['a layout that is not aligned', { layoutOffset: 2, layoutLength: 4 }, /^bad-value .BTF\+0x18: layout_off 2/],
      ['a layout of odd length', { layoutLength: 3 }, /^bad-value .BTF\+0x1c: layout_len 3/],
    ];
    for (const [what, damage, message] of damaged) {
      it(`has ${what}`, () => expect(failure(sample().bytes(damage))).to.match(message));
    }

    it('is too short for a header', () => {
      expect(failure(sample().bytes().subarray(0, 23))).to.equal('truncated .BTF+0x0: a BTF header takes 24 bytes, there are 23');
      expect(failure(new Uint8Array(0))).to.match(/^truncated/);
    });

    it('has strings that do not end in NUL', () => {
      const bytes = sample().bytes();
      bytes[bytes.length - 1] = 65;
      expect(failure(bytes)).to.match(/^bad-value .*does not end in NUL/);
    });

    it('has a record that goes past the types', () => {
      const writer = new BtfWriter();
      writer.record('', 4, 0xffffff, 0);
      expect(failure(writer.bytes())).to.equal('truncated .BTF+0x18: type 1 takes 201326592 bytes, 12 are left');
    });

    it('has bytes behind the last record', () => {
      const writer = new BtfWriter();
      writer.int('int', 4);
      writer.record('', 1, 0, 4, []);
      expect(failure(writer.bytes())).to.equal('truncated .BTF+0x28: type 2 takes 16 bytes, 12 are left');
      const odd = new BtfWriter();
      odd.int('int', 4);
      expect(failure(odd.bytes({ typeLength: 8 }))).to.equal('bad-value .BTF+0x18: 8 bytes are left after the last type');
    });

    /** For each kind, a record with a type id in each of its places. */
    const references: [string, (writer: BtfWriter, id: number) => void, number][] = [
      ['PTR', (w, id) => w.ptr(id), 8],
      ['TYPEDEF', (w, id) => w.typedef('t', id), 8],
      ['FUNC', (w, id) => w.func('f', id), 8],
      ['VAR', (w, id) => w.var('v', id), 8],
      ['DECL_TAG', (w, id) => w.declTag('t', id), 8],
      ['TYPE_TAG', (w, id) => w.typeTag('t', id), 8],
      ['the elements of an ARRAY', (w, id) => w.array(id, 0, 1), 12],
      ['the index of an ARRAY', (w, id) => w.array(0, id, 1), 16],
      ['a member', (w, id) => w.struct('s', 0, [['m', id, 0]]), 16],
      ['a return type', (w, id) => w.funcProto(id, []), 8],
      ['a parameter', (w, id) => w.funcProto(0, [['p', id]]), 16],
      ['a DATASEC', (w, id) => w.datasec('.data', 0, [[id, 0, 0]]), 12],
    ];
    for (const [what, write, offset] of references) {
      it(`refers to a type beyond the last, in ${what}`, () => {
        const writer = new BtfWriter();
        write(writer, 2);
        expect(failure(writer.bytes())).to.equal(`out-of-range .BTF+0x${(24 + offset).toString(16)}: type id 2; the last type is 1`);
      });
    }

    const names: [string, (writer: BtfWriter) => void, number][] = [
      ['a type', w => w.record(0xffffff, 16, 0, 4), 0],
      ['a member', w => w.record('', 4, 1, 0, [0xffffff, 0, 0]), 12],
      ['an enumerator', w => w.record('', 6, 1, 4, [0xffffff, 0]), 12],
      ['a 64-bit enumerator', w => w.record('', 19, 1, 8, [0xffffff, 0, 0]), 12],
      ['a parameter', w => w.record('', 13, 1, 0, [0xffffff, 0]), 12],
    ];
    for (const [what, write, offset] of names) {
      it(`has a name outside of the strings, of ${what}`, () => {
        const writer = new BtfWriter();
        write(writer);
        expect(failure(writer.bytes())).to.equal(
          `out-of-range .BTF+0x${(24 + offset).toString(16)}: string offset 16777215; the strings end at 1`,
        );
      });
    }
  });
});
