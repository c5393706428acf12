import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Btf, formatType, printC, printJson, printRaw } from 'kelf/btf';
import { ElfFile, MemorySource } from 'kelf/elf';
import { textOf } from '../support/text.js';

const fixture = (name: string): URL => new URL(`../../../fixtures/btf/${name}`, import.meta.url);
const text = (name: string): string => readFileSync(fixture(name), 'utf8');

function btfOf(name: string): Btf {
  const section = ElfFile.open(new MemorySource(readFileSync(fixture(name)), name)).section('.BTF')!;
  return Btf.parse(section.data(), { name: section.label });
}

describe('the dumps of objects that gcc, pahole and clang wrote', () => {
  for (const [object, golden] of [
    ['sample.o', 'sample'],
    ['bpfel.o', 'bpfel'],
    ['bpfeb.o', 'bpfel'],
  ] as const) {
    it(`are bpftool's, of ${object}`, () => {
      const btf = btfOf(object);
      expect(textOf(sink => printRaw(btf, sink))).to.equal(text(`${golden}.raw`));
      expect(textOf(sink => printJson(btf, sink))).to.equal(text(`${golden}.json`));
      expect(textOf(sink => printC(btf, sink))).to.equal(text(`${golden}.h`));
    });
  }

  it("are pahole's for each struct and union", () => {
    const btf = btfOf('sample.o');
    const golden = new Map(
      text('sample.pahole')
        .split(/^(?=(?:struct|union) )/m)
        .map(block => [/^\S+ \S+/.exec(block)![0], block]),
    );
    let compared = 0;
    for (const type of btf.types()) {
      if ((type.kind !== 'STRUCT' && type.kind !== 'UNION') || type.name === '' || type.name === 'local') continue;
      expect(`${formatType(btf, type.id)}\n`).to.equal(golden.get(`${type.kind.toLowerCase()} ${type.name}`));
      compared++;
    }
    expect(compared).to.equal(7);
  });
});
