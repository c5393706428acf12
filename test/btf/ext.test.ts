import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Btf, BtfExt, formatCoreSpec, parseCoreSpec, rowsOf } from 'kelf/btf';
import { ElfFile, FormatError, MemorySource } from 'kelf/elf';
import { btfExt, type ExtTable } from '../support/bpf-writer.js';
import { BtfWriter } from '../support/btf-writer.js';

const FIXTURES = new URL('../../../fixtures/bpf/', import.meta.url);

function fixture(name: string): BtfExt {
  const elf = ElfFile.open(new MemorySource(readFileSync(new URL(name, FIXTURES))));
  return BtfExt.parse(elf.section('.BTF.ext')!.data(), Btf.parse(elf.section('.BTF')!.data(), { pointerSize: 8 }));
}

function small(littleEndian = true): BtfWriter {
  const btf = new BtfWriter({ littleEndian });
  btf.func('f', btf.funcProto(btf.int('int', 4, 1), []));
  return btf;
}

const FUNCTIONS: ExtTable = [['xdp', [0, 3]]];

function parse(btf: BtfWriter, bytes: Uint8Array): BtfExt {
  return BtfExt.parse(bytes, Btf.parse(btf.bytes()));
}

describe('BtfExt', () => {
  for (const name of ['kelf.bpfel.o', 'kelf.bpfeb.o']) {
    it(`reads what clang writes: ${name}`, () => {
      const ext = fixture(name);
      const functions = [...rowsOf(ext.functions, 'tp_btf/sched_switch')].map(row => ext.btf.nameOf(ext.functions.typeIds[row]!));
      expect(functions).to.deep.equal(['on_switch']);
      expect(ext.functions.length).to.equal(16);
      const [first] = rowsOf(ext.lines, 'kprobe/load_elf_binary');
      const { file, line, text } = ext.line(first!);
      expect(file).to.match(/kelf\.bpf\.c$/);
      expect(line).to.be.greaterThan(100);
      expect(text).to.equal('int on_load_elf(struct pt_regs *ctx)');
      expect(ext.relocations.length).to.equal(22);
    });

    it(`spells out accesses as libbpf logs them: ${name}`, () => {
      const { btf, relocations, ...ext } = fixture(name);
      const access = (row: number): string => btf.strings.text(relocations.accesses[row]!);
      const texts = Array.from({ length: relocations.length }, (_, row) =>
        formatCoreSpec(btf, parseCoreSpec(btf, relocations.typeIds[row]!, access(row), relocations.kinds[row]!)),
      );
      expect(ext.name).to.equal('.BTF.ext');
      // The id and the offset are as `bpftool btf dump` has them.
      expect(texts).to.include('<byte_off> [50] struct pt_regs.di (0:0 @ offset 0)');
      expect(texts).to.include('<lshift_u64> [76] struct task_struct.policy (0:4:0 @ offset 32)');
      expect(texts).to.include('<field_exists> [82] struct task_struct___new.__state (0:0 @ offset 0)');
      expect(texts).to.include('<type_exists> [87] struct no_such_type');
      expect(texts).to.include('<enumval_value> [88] enum task_state::TASK_DEAD = 128');
    });
  }

  it('steps over what a longer record has behind the fields that are known', () => {
    const btf = small();
    const ext = parse(btf, btfExt(btf, true, [FUNCTIONS, [['xdp', [8, 1, 1, (12 << 10) | 3]]]], 24));
    expect([...ext.functions.typeIds]).to.deep.equal([3]);
    expect(ext.line(0)).to.deep.equal({ file: 'int', line: 12, column: 3, text: 'int' });
  });

  it('reads a header from before CO-RE', () => {
    const btf = small(false);
    const ext = parse(btf, btfExt(btf, false, [FUNCTIONS, []]));
    expect(ext.functions.sections).to.deep.equal([{ name: 'xdp', start: 0, end: 1 }]);
    expect(ext.relocations.length).to.equal(0);
  });

  for (const [what, code, spoil] of [
    ['another magic', 'bad-magic', view => view.setUint16(0, 0x1234, true)],
    ['another version', 'unsupported', view => view.setUint8(2, 2)],
    ['flags', 'unsupported', view => view.setUint8(3, 1)],
    ['a header that is too short', 'bad-value', view => view.setUint32(4, 20, true)],
    ['a header longer than the section', 'truncated', view => view.setUint32(4, 4096, true)],
    ['a table that is not aligned', 'bad-value', view => view.setUint32(8, 2, true)],
    ['a table behind the end', 'truncated', view => view.setUint32(12, 4096, true)],
    ['records that are too short', 'bad-value', view => view.setUint32(24, 4, true)],
    ['a section name that is no string', 'out-of-range', view => view.setUint32(28, 4096, true)],
    ['a section without records', 'bad-value', view => view.setUint32(32, 0, true)],
    ['more records than there are bytes', 'truncated', view => view.setUint32(32, 0x20000001, true)],
    ['a type that is not there', 'out-of-range', view => view.setUint32(40, 99, true)],
  ] as readonly (readonly [string, string, (view: DataView) => void])[]) {
    it(`refuses ${what}`, () => {
      const btf = small();
      const bytes = btfExt(btf, true, [FUNCTIONS, []]);
      spoil(new DataView(bytes.buffer, bytes.byteOffset));
      expect(() => parse(btf, bytes))
        .to.throw(FormatError)
        .with.property('code', code);
    });
  }

  it('refuses the other byte order than that of .BTF', () => {
    const btf = small();
    expect(() => parse(btf, btfExt(btf, false, [FUNCTIONS, []]))).to.throw(FormatError, 'different byte order');
  });
});

describe('CO-RE accesses', () => {
  const writer = new BtfWriter();
  const int = writer.int('int', 4, 1);
  const inner = writer.struct('', 8, [
    ['a', int, 0],
    ['bits', int, 32, 3],
    ['more', int, 35, 5],
  ]);
  const outer = writer.struct('outer', 44, [
    ['', inner, 0],
    ['list', writer.array(inner, int, 4), 64],
    ['tail', writer.array(int, int, 0), 352],
  ]);
  const big = writer.enum64('big', 8, [['HUGE', 1n << 40n]]);
  const btf = Btf.parse(writer.bytes());
  const text = (type: number, access: string, kind = 0): string => formatCoreSpec(btf, parseCoreSpec(btf, type, access, kind));

  it('leaves anonymous members out of the name, and writes indices in brackets', () => {
    expect(text(outer, '0:0:0')).to.equal(`<byte_off> [${outer}] struct outer.a (0:0:0 @ offset 0)`);
    expect(text(outer, '0:1:2:0')).to.equal(`<byte_off> [${outer}] struct outer.list[2].a (0:1:2:0 @ offset 24)`);
    expect(text(outer, '1:1')).to.equal(`<byte_off> [${outer}] struct outer[1].list (1:1 @ offset 52)`);
  });

  it('writes offsets of bit-fields with their bit', () => {
    expect(text(outer, '0:0:2', 4)).to.equal(`<lshift_u64> [${outer}] struct outer.more (0:0:2 @ offset 4.3)`);
  });

  it('takes any index of an array at the end of a struct', () => {
    expect(text(outer, '0:2:100')).to.equal(`<byte_off> [${outer}] struct outer.tail[100] (0:2:100 @ offset 444)`);
  });

  it('writes 64-bit enumerators', () => {
    expect(text(big, '0', 11)).to.equal(`<enumval_value> [${big}] enum64 big::HUGE = 1099511627776`);
  });

  for (const [access, type, kind] of [
    ['', outer, 0],
    ['0:9', outer, 0],
    ['0:1:4', outer, 0],
    ['0:0:0:0', outer, 0],
    ['0:x', outer, 0],
    ['1', outer, 8],
    ['3', big, 10],
    ['0', int, 10],
    [Array(65).fill('0').join(':'), outer, 0],
    ['0', outer, 13],
  ] as const) {
    it(`refuses '${access.slice(0, 20)}' of kind ${kind} to type ${type}`, () => {
      expect(() => parseCoreSpec(btf, type, access, kind)).to.throw(FormatError);
    });
  }
});
