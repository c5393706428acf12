import { expect } from 'chai';
import { Btf, type CompositeType } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { BtfWriter, everyKind } from '../support/btf-writer.js';

const parse = (build: (writer: BtfWriter) => void): Btf => {
  const writer = new BtfWriter();
  build(writer);
  return Btf.parse(writer.bytes());
};

describe('Btf', () => {
  const sample = Btf.parse(everyKind(new BtfWriter()).bytes());

  it('decodes a type of every kind', () => {
    const types = new Map([...sample.types()].map(type => [type.kind, type]));
    expect(types.get('INT')).to.deep.equal({ id: 3, name: 'char', kind: 'INT', size: 1, encoding: 1, bitOffset: 0, bits: 8 });
    expect(types.get('ARRAY')).to.deep.equal({ id: 6, name: '', kind: 'ARRAY', typeId: 1, indexTypeId: 2, nelems: 3 });
    expect(types.get('ENUM')).to.deep.include({
      size: 4,
      signed: true,
      values: [
        { name: 'RED', value: -1 },
        { name: 'BLUE', value: 0x7fffffff },
      ],
    });
    expect(types.get('ENUM64')).to.deep.include({ signed: false, values: [{ name: 'HUGE', value: 0x1_0000_0001n }] });
    expect((types.get('STRUCT') as CompositeType).members.slice(0, 2)).to.deep.equal([
      { name: 'x', typeId: 1, bitOffset: 0, bitfieldSize: 0 },
      { name: 'flags', typeId: 1, bitOffset: 32, bitfieldSize: 3 },
    ]);
    expect(types.get('FWD')).to.deep.include({ name: 'choice', union: true });
    expect(types.get('FUNC')).to.deep.include({ name: 'draw', typeId: 19, linkage: 'global' });
    expect(types.get('FUNC_PROTO')).to.deep.equal({
      id: 19,
      name: '',
      kind: 'FUNC_PROTO',
      returnTypeId: 1,
      parameters: [
        { name: 'point', typeId: 17 },
        { name: 'opaque', typeId: 18 },
      ],
      variadic: true,
    });
    expect(types.get('VAR')).to.deep.include({ name: 'counter', typeId: 1, linkage: 'global' });
    expect(types.get('DATASEC')).to.deep.include({ size: 4, variables: [{ typeId: 21, offset: 0, size: 4 }] });
    expect(types.get('DECL_TAG')).to.deep.include({ typeId: 20, componentIndex: -1, attribute: false });
    expect(types.get('TYPE_TAG')).to.deep.include({ typeId: 3, attribute: false });
    expect(types.get('TYPEDEF')).to.deep.include({ name: 'point_t', typeId: 9 });
    expect(types.get('FLOAT')).to.deep.include({ name: 'double', size: 8 });
  });

  it('says linkage it does not know as undefined', () => {
    const btf = parse(w => w.func('f', w.funcProto(0, []), 7));
    expect(btf.type(2)).to.deep.include({ kind: 'FUNC', linkage: undefined });
  });

  it('finds every type of a name, by kind where asked', () => {
    const btf = parse(w => {
      const proto = w.funcProto(0, []);
      w.func('twin', proto);
      w.struct('twin', 4, []);
      w.func('twin', proto, 1);
      w.func('twi', proto);
    });
    expect(btf.find('twin')).to.deep.equal([2, 3, 4]);
    expect(btf.find('twin', 'FUNC')).to.deep.equal([2, 4]);
    expect(btf.find('twi')).to.deep.equal([5]);
    expect(btf.find('tw')).to.deep.equal([]);
    expect(btf.find('')).to.deep.equal([]);
    expect(btf.find('twin\0')).to.deep.equal([]);
  });

  it('tells names apart that are alike for longer than their hash covers', () => {
    const long = 'x'.repeat(200);
    const btf = parse(w => {
      w.float(`${long}a`, 4);
      w.float(`${long}b`, 4);
    });
    expect(btf.find(`${long}b`)).to.deep.equal([2]);
    expect(btf.nameOf(1)).to.equal(`${long}a`);
  });

  it('reads names that are not ASCII', () => {
    const btf = parse(w => w.float('größe', 4));
    expect(btf.nameOf(1)).to.equal('größe');
    expect(btf.find('größe')).to.deep.equal([1]);
    expect(Buffer.from(btf.nameBytes(1)).toString()).to.equal('größe');
  });

  it('gives the functions in columns', () => {
    const columns = sample.functions();
    expect([columns.length, [...columns.ids], [...columns.prototypes], [...columns.linkages]]).to.deep.equal([1, [20], [19], [1]]);
    expect(sample.strings.text(columns.names[0]!)).to.equal('draw');
  });

  it('refuses a FUNC that is none', () => {
    const btf = parse(w => w.func('f', w.int('int', 4)));
    expect(() => btf.functions()).to.throw(FormatError, '.BTF+0x28: FUNC 2 refers to type 1, which is INT, not FUNC_PROTO');
    expect(() => btf.prototype(2)).to.throw(FormatError, 'not FUNC_PROTO');
  });

  it('throws a RangeError for an id that no type has: that is the caller, not the input', () => {
    for (const id of [sample.count, -1, Number.NaN]) expect(() => sample.type(id)).to.throw(RangeError);
  });

  describe('prototype', () => {
    it('writes C', () => {
      expect(sample.prototype(20)).to.equal('int draw(volatile point_t * restrict point, struct opaque *opaque, ...)');
      expect(sample.prototype(19)).to.equal('int(volatile point_t * restrict point, struct opaque *opaque, ...)');
    });
  });

  describe('declaration', () => {
    const declared = (build: (writer: BtfWriter) => number, name = 'x'): string => {
      const writer = new BtfWriter();
      const id = build(writer);
      return Btf.parse(writer.bytes()).declaration(id, name);
    };
    const cases: [string, (w: BtfWriter) => number][] = [
      ['int x', w => w.int('int', 4)],
      ['void *x', w => w.ptr(0)],
      ['const void *x', w => w.ptr(w.const(0))],
      ['int * const x', w => w.const(w.ptr(w.int('int', 4)))],
      ['const char **x', w => w.ptr(w.ptr(w.const(w.int('char', 1))))],
      ['int x[3]', w => w.array(w.int('int', 4), 0, 3)],
      ['int x[2][3]', w => w.array(w.array(w.int('int', 4), 0, 3), 0, 2)],
      ['int (*x)[3]', w => w.ptr(w.array(w.int('int', 4), 0, 3))],
      ['int *x[3]', w => w.array(w.ptr(w.int('int', 4)), 0, 3)],
      ['int x[3]', w => w.array(w.int('int', 4), 0, 3)],
      ['const int x[3]', w => w.const(w.array(w.const(w.int('int', 4)), 0, 3))],
      ['void (*x)(void)', w => w.ptr(w.funcProto(0, []))],
      ['void (*x)(void)', w => w.ptr(w.funcProto(0, [['', 0]]))],
      [
        'void (*x[2])(int n, ...)',
        w =>
          w.array(
            w.ptr(
              w.funcProto(0, [
                ['n', w.int('int', 4)],
                ['', 0],
              ]),
            ),
            0,
            2,
          ),
      ],
      ['void (* (*x)(void))(int)', w => w.ptr(w.funcProto(w.ptr(w.funcProto(0, [['', w.int('int', 4)]])), []))],
      ['struct {...} x', w => w.struct('', 0, [])],
      ['enum {...} *x', w => w.ptr(w.enum('', 4, []))],
      ['union u x', w => w.fwd('u', true)],
      ['int __attribute__((btf_type_tag("user"))) *x', w => w.ptr(w.typeTag('user', w.int('int', 4)))],
    ];
    for (const [expected, build] of cases) it(`writes ${expected}`, () => expect(declared(build)).to.equal(expected));

    it('writes a type without a name', () => {
      expect(declared(w => w.ptr(w.array(w.int('int', 4), 0, 3)), '')).to.equal('int(*)[3]');
    });

    it('refuses what has no form in C, cycles and endless nesting', () => {
      expect(() => declared(w => w.datasec('.data', 0, []))).to.throw(FormatError, 'is not part of a declaration');
      expect(() => declared(w => w.ptr(1))).to.throw(FormatError, 'is a cycle');
      expect(() => declared(w => w.array(1, 0, 1))).to.throw(FormatError, 'is a cycle');
      expect(() => declared(w => w.funcProto(0, [['', 1]]))).to.throw(FormatError, 'nested deeper');
      // Two parameters of the next type each, sixty times: 2^60 of them.
      expect(() =>
        declared(w => {
          for (let i = 0; i < 60; i++)
            w.funcProto(0, [
              ['', w.nextId + 1],
              ['', w.nextId + 1],
            ]);
          w.int('int', 4);
          return 1;
        }),
      ).to.throw(FormatError, 'no reasonable length');
    });
  });

  describe('sizeof and alignof', () => {
    it('are those of C', () => {
      expect([1, 2, 3, 5, 6, 7, 8, 9, 11, 14, 15, 21, 23].map(id => sample.sizeof(id))).to.deep.equal([
        4, 8, 1, 8, 12, 4, 8, 40, 8, 40, 40, 4, 8,
      ]);
      expect([1, 2, 3, 5, 6, 7, 8, 9].map(id => sample.alignof(id))).to.deep.equal([4, 8, 1, 8, 4, 4, 8, 8]);
    });

    it('are undefined for what has none', () => {
      for (const id of [0, 12, 19, 20]) expect(sample.sizeof(id)).to.equal(undefined);
      for (const id of [0, 12, 19, 20]) expect(sample.alignof(id)).to.equal(undefined);
    });

    it('know a packed struct by its offsets', () => {
      const btf = parse(w => {
        const int = w.int('int', 4);
        w.struct('tail', 5, [['a', int, 0]]);
        w.struct('offset', 8, [['a', int, 8]]);
        w.struct('bits', 4, [['a', int, 3, 5]]);
      });
      expect([2, 3, 4].map(id => btf.alignof(id))).to.deep.equal([1, 1, 4]);
    });

    it('take the size of a pointer from long, from the caller, or 8', () => {
      expect(parse(w => w.int('long unsigned int', 4)).pointerSize).to.equal(4);
      expect(parse(w => w.int('long', 3)).pointerSize).to.equal(8);
      const writer = new BtfWriter();
      writer.ptr(0);
      expect(Btf.parse(writer.bytes(), { pointerSize: 4 }).sizeof(1)).to.equal(4);
    });

    it('refuse cycles, deep nesting and sizes that no number holds', () => {
      expect(() => parse(w => w.typedef('t', 1)).sizeof(1)).to.throw(FormatError, 'is a cycle');
      expect(() => parse(w => w.array(1, 0, 1)).sizeof(1)).to.throw(FormatError, 'is a cycle');
      expect(() => parse(w => w.struct('s', 4, [['s', 1, 0]])).alignof(1)).to.throw(FormatError, 'contains itself');
      expect(() => parse(w => w.const(1)).resolve(1)).to.throw(FormatError, 'is a cycle');
      const huge = parse(w => {
        w.int('int', 4);
        for (let i = 1; i < 6; i++) w.array(i, 0, 0xffffffff);
      });
      expect(huge.sizeof(2)).to.equal(4 * 0xffffffff);
      expect(() => huge.sizeof(6)).to.throw(FormatError, '2^53');
      const nested = parse(w => {
        for (let i = 1; i <= 40; i++) w.struct('', 4, [['', i + 1, 0]]);
        w.int('int', 4);
      });
      expect(() => nested.alignof(1)).to.throw(FormatError, 'more than 32');
      expect(nested.alignof(20)).to.equal(4);
    });
  });

  it('resolves typedefs, modifiers and tags', () => {
    expect(sample.resolve(15)).to.equal(9);
    expect(sample.resolve(25)).to.equal(3);
    expect(sample.resolve(0)).to.equal(0);
  });
});
