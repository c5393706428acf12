import { expect } from 'chai';
import { Btf, printRaw } from 'kelf/btf';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { textOf } from '../support/text.js';

const raw = (btf: Btf): string => textOf(sink => printRaw(btf, sink));

describe('printRaw', () => {
  it('prints a type of every kind as bpftool does, from either byte order', () => {
    const expected = [
      "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
      "[2] INT 'long unsigned int' size=8 bits_offset=0 nr_bits=64 encoding=(none)",
      "[3] INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=SIGNED",
      "[4] CONST '(anon)' type_id=3",
      "[5] PTR '(anon)' type_id=4",
      "[6] ARRAY '(anon)' type_id=1 index_type_id=2 nr_elems=3",
      "[7] ENUM 'colour' encoding=SIGNED size=4 vlen=2",
      "\t'RED' val=-1",
      "\t'BLUE' val=2147483647",
      "[8] ENUM64 'wide' encoding=UNSIGNED size=8 vlen=1",
      "\t'HUGE' val=4294967297ULL",
      "[9] STRUCT 'point' size=40 vlen=6",
      "\t'x' type_id=1 bits_offset=0",
      "\t'flags' type_id=1 bits_offset=32 bitfield_size=3",
      "\t'name' type_id=5 bits_offset=64",
      "\t'cells' type_id=6 bits_offset=128",
      "\t'colour' type_id=7 bits_offset=224",
      "\t'wide' type_id=8 bits_offset=256",
      "[10] PTR '(anon)' type_id=9",
      "[11] UNION 'either' size=8 vlen=2",
      "\t'number' type_id=2 bits_offset=0",
      "\t'point' type_id=10 bits_offset=0",
      "[12] FWD 'opaque' fwd_kind=struct",
      "[13] FWD 'choice' fwd_kind=union",
      "[14] TYPEDEF 'point_t' type_id=9",
      "[15] VOLATILE '(anon)' type_id=14",
      "[16] PTR '(anon)' type_id=15",
      "[17] RESTRICT '(anon)' type_id=16",
      "[18] PTR '(anon)' type_id=12",
      "[19] FUNC_PROTO '(anon)' ret_type_id=1 vlen=3",
      "\t'point' type_id=17",
      "\t'opaque' type_id=18",
      "\t'(anon)' type_id=0",
      "[20] FUNC 'draw' type_id=19 linkage=global",
      "[21] VAR 'counter' type_id=1, linkage=global",
      "[22] DATASEC '.data' size=4 vlen=1",
      "\ttype_id=21 offset=0 size=4 (VAR 'counter')",
      "[23] FLOAT 'double' size=8",
      "[24] DECL_TAG 'bpf_kfunc' type_id=20 component_idx=-1",
      "[25] TYPE_TAG 'user' type_id=3",
      "[26] PTR '(anon)' type_id=25",
      '',
    ].join('\n');
    for (const littleEndian of [true, false]) {
      expect(raw(Btf.parse(everyKind(new BtfWriter({ littleEndian })).bytes()))).to.equal(expected);
    }
  });

  it('prints only the types of a split blob, and takes names from its base', () => {
    const base = everyKind(new BtfWriter());
    const split = new BtfWriter({ base });
    split.record(base.string('int'), 4, 1, 4, [split.string('first'), 1, 0]);
    split.datasec('.bss', 4, [[21, 0, 4]]);
    const btf = Btf.parse(split.bytes(), { base: Btf.parse(base.bytes()) });
    expect(raw(btf)).to.equal(
      `[${base.nextId}] STRUCT 'int' size=4 vlen=1\n\t'first' type_id=1 bits_offset=0\n` +
        `[${base.nextId + 1}] DATASEC '.bss' size=4 vlen=1\n\ttype_id=21 offset=0 size=4 (VAR 'counter')\n`,
    );
  });

  it('prints names that are longer than a chunk of output', () => {
    const writer = new BtfWriter();
    const name = 'x'.repeat(300_000);
    for (let i = 0; i < 3; i++) writer.float(name, i);
    expect(raw(Btf.parse(writer.bytes()))).to.equal([0, 1, 2].map(i => `[${i + 1}] FLOAT '${name}' size=${i}\n`).join(''));
  });

  it('prints numbers of every length', () => {
    const writer = new BtfWriter();
    const numbers = Array.from({ length: 10 }, (_, i) => 10 ** i).flatMap(power => [power - 1, power]);
    const names = numbers.map((value, i): [string, number] => [`n${i}`, value]);
    writer.enum('unsigned', 4, [...names, ['max', 0xffffffff]]);
    writer.enum('signed', 4, [['min', -0x80000000]], true);
    expect(raw(Btf.parse(writer.bytes())).match(/val=\S+/g)).to.deep.equal([...numbers, 0xffffffff, -0x80000000].map(n => `val=${n}`));
  });
});
