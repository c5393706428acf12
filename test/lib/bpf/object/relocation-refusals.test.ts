import { expect } from 'chai';
import { openBpfObject } from 'kelf/bpf';
import { STB, STT } from 'kelf/elf';
import { bpfObject, CODE, DATA, type InsnSpec, insns, mapNumber } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import type { SectionSpec, SymbolSpec } from '../../../support/elf-writer.js';

const CALL: InsnSpec = [0x85, 0, 1, 0, -1];
const LOAD: readonly InsnSpec[] = [[0x18, 1], [0]];
const EXIT: InsnSpec = [0x95];

/** What libbpf refuses of an object with a program `prog`, whose first instruction refers to the second symbol. */
function refusals(code: readonly InsnSpec[], symbol: SymbolSpec, sections: readonly SectionSpec[] = [], btf?: BtfWriter): string[] {
  const object = openBpfObject(
    bpfObject({
      ...(btf === undefined ? {} : { btf }),
      sections: [{ name: 'socket', ...CODE, data: insns(true, ...code, EXIT) }, ...sections],
      symbols: [{ name: 'prog', type: STT.FUNC, binding: STB.GLOBAL, section: 1, size: BigInt(code.length * 8 + 8) }, symbol],
      relocations: { socket: [[0, 2]] },
    }),
  );
  return object.refusals.map(({ says }) => says);
}

const text: SectionSpec = { name: '.text', ...CODE, data: insns(true, EXIT) };
const other: SectionSpec = { name: 'xdp', ...CODE, data: insns(true, EXIT) };
const fn = { name: 'sub', type: STT.FUNC, binding: STB.GLOBAL, section: 2, size: 8n };
const data = (name: string): SectionSpec => ({ name, ...DATA, data: new Uint8Array(8) });
const thing = { name: 'thing', type: STT.OBJECT, binding: STB.GLOBAL, section: 2, size: 8n };

describe('Relocations that libbpf refuses', () => {
  it('are calls of what is not in .text', () => {
    expect(refusals([CALL], fn, [text])).to.deep.equal([]);
    expect(refusals([CALL], fn, [other])).to.deep.equal(['prog calls sub, which is in section xdp and not in .text']);
    expect(refusals([[0x85, 0, 0, 0, 1]], fn, [text])).to.deep.equal(['prog: the call of sub is not that of a subprogram']);
  });

  it('are addresses of functions outside of .text', () => {
    expect(refusals(LOAD, fn, [text])).to.deep.equal([]);
    expect(refusals(LOAD, fn, [other])).to.deep.equal(['prog refers to sub in section xdp, where libbpf finds neither maps nor data']);
  });

  it('are references to sections that hold neither maps nor data', () => {
    expect(refusals(LOAD, thing, [data('.rodata')])).to.deep.equal([]);
    for (const name of ['.maps.auto', '.maps.print', 'maps/events', 'license'])
      expect(refusals(LOAD, thing, [data(name)])).to.deep.equal([
        `prog refers to thing in section ${name}, where libbpf finds neither maps nor data`,
      ]);
    expect(refusals(LOAD, thing, [data('.addr_space.1')])).to.deep.equal(['prog refers to thing in .addr_space.1, and no map is an arena']);
  });

  it('are symbols in a section that is not there', () => {
    const common = { ...thing, section: 0xfff2 };
    expect(refusals(LOAD, common)).to.deep.equal(['thing is in section 65522, which is not there']);
    expect(refusals(LOAD, { ...thing, section: 0 })).to.deep.equal(['prog refers to thing, which is in no section']);
  });

  it('are of instructions that take none, but not outside of every function', () => {
    expect(refusals([[0xb7]], thing, [data('.rodata')])).to.deep.equal(['prog: what refers to thing is neither a call nor an ld_imm64']);
  });

  it('are places of .maps where no map is', () => {
    const btf = new BtfWriter();
    const int = btf.int('int', 4, 1);
    btf.datasec('.maps', 8, [[btf.var('thing', btf.struct('', 8, [['type', mapNumber(btf, int, 1), 0]])), 0, 8]]);
    expect(refusals(LOAD, thing, [data('.maps')], btf)).to.deep.equal([]);
    expect(refusals(LOAD, { ...thing, name: 'elsewhere', value: 4n }, [data('.maps')], btf)).to.deep.equal([
      'prog refers to elsewhere, and no map is at .maps+4',
    ]);
  });

  it('are slots that hold no program', () => {
    const slots = (symbol: SymbolSpec): string[] => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4, 1);
      const calls = btf.struct('', 8, [
        ['type', mapNumber(btf, int, 3), 0],
        ['values', btf.array(btf.ptr(btf.funcProto(int, [])), int, 0), 64],
      ]);
      btf.datasec('.maps', 16, [[btf.var('calls', calls), 0, 16]]);
      const object = openBpfObject(
        bpfObject({
          btf,
          sections: [other, { ...data('.maps'), data: new Uint8Array(16) }, { ...text, data: insns(true, EXIT) }],
          symbols: [{ name: 'calls', type: STT.OBJECT, binding: STB.GLOBAL, section: 2, size: 16n }, symbol],
          relocations: { '.maps': [[8, 2, 2]] },
        }),
      );
      return object.refusals.map(({ says }) => says);
    };
    expect(slots({ ...fn, section: 1 })).to.deep.equal([]);
    expect(slots({ ...fn, section: 3 })).to.deep.equal(['map calls has sub in a slot, which is no program']);
    expect(slots({ name: 'thing', type: STT.OBJECT, binding: STB.GLOBAL, section: 2, size: 16n })).to.deep.equal([
      'map calls has thing in a slot, which is no program',
    ]);
  });
});

describe('Definitions that libbpf refuses', () => {
  const map = (member: string, value: number, visibility = 0): string[] => {
    const btf = new BtfWriter();
    const int = btf.int('int', 4, 1);
    const definition = btf.struct('', 16, [
      ['type', mapNumber(btf, int, 1), 0],
      [member, mapNumber(btf, int, value), 64],
    ]);
    btf.datasec('.maps', 16, [[btf.var('thing', definition), 0, 16]]);
    const symbols = [{ ...thing, section: 1, size: 16n, other: visibility }];
    return openBpfObject(bpfObject({ btf, sections: [{ ...data('.maps'), data: new Uint8Array(16) }], symbols })).refusals.map(
      ({ says }) => says,
    );
  };

  it('are maps that are hidden or internal, and kinds of pinning that it does not know', () => {
    expect(map('pinning', 1)).to.deep.equal([]);
    expect(map('pinning', 2).join()).to.match(/pinning is 2/);
    expect(map('max_entries', 1, 3), 'protected').to.deep.equal([]);
    for (const visibility of [1, 2])
      expect(map('max_entries', 1, visibility)).to.deep.equal(['map thing is hidden, which makes it static: since libbpf 1.1']);
  });
});

describe('Objects of clang up to 7', () => {
  const object = openBpfObject(
    bpfObject({
      sections: [
        { name: 'xdp', ...CODE, data: insns(true, ...LOAD, EXIT, [0xb7], EXIT) },
        { name: 'maps', ...DATA, data: Uint8Array.of(1, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0) },
      ],
      symbols: [
        { name: 'first', binding: STB.GLOBAL, section: 1 },
        { name: 'LBB0_1', section: 1, value: 16n },
        { name: 'second', binding: STB.GLOBAL, section: 1, value: 24n },
        { name: 'counts', binding: STB.GLOBAL, section: 2 },
      ],
      relocations: { xdp: [[0, 4]] },
    }),
  );

  it('have symbols without a type: a function reaches to the next one, or to the end', () => {
    const found = object.programs.map(({ name, offset, size, typed }) => [name, offset, size, typed]);
    expect(found).to.deep.equal([
      ['first', 0, 24, false],
      ['second', 24, 16, false],
    ]);
  });

  it('have maps in the old form, which their code refers to', () => {
    expect(object.maps.map(({ name, origin, typeName, maxEntries }) => [name, origin, typeName, maxEntries])).to.deep.equal([
      ['counts', 'legacy', 'hash', 16],
    ]);
    expect(object.relocations.map(({ meaning }) => meaning.kind)).to.deep.equal(['map']);
  });
});
