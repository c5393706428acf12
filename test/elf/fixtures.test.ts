import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { ElfFile, MemorySource } from 'kelf/elf';
import {
  noteRows,
  readelfNoteRows,
  readelfSectionRows,
  readelfSegmentRows,
  readelfSymbolRows,
  relocationHeading,
  relocationRows,
  sectionRows,
  segmentRows,
  squeeze,
  symbolRows,
} from '../support/readelf.js';

const FIXTURES = new URL('../../../fixtures/', import.meta.url);
const files = ['elf', 'kernel', 'bpf'].flatMap(folder =>
  readdirSync(new URL(folder, FIXTURES))
    .filter(name => /\.(so|o|elf|ko)$|\.o\.gz$|^vmlinux-[a-z0-9]+$/.test(name))
    .map(name => `${folder}/${name}`),
);
const isAndroid = (name: string) => /android(-relr)?\.so$/.test(name);

function open(name: string): ElfFile {
  const bytes = readFileSync(new URL(name, FIXTURES));
  return ElfFile.open(new MemorySource(name.endsWith('.gz') ? gunzipSync(bytes) : bytes, name));
}

function expected(name: string, part: string): string | undefined {
  const file = new URL(`expected/${name.replace(/\.gz$/, '')}.${part}.txt`, FIXTURES);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

describe('files of real toolchains, as readelf prints them', () => {
  for (const name of files) {
    const headers = expected(name, 'headers');
    if (headers !== undefined) {
      it(`${name}: sections and segments`, () => {
        const elf = open(name);
        expect(sectionRows(elf)).to.deep.equal(readelfSectionRows(headers));
        expect(segmentRows(elf)).to.deep.equal(readelfSegmentRows(headers));
      });
    }
    const symbols = expected(name, 'symbols');
    if (symbols !== undefined && !name.includes('no-sections')) {
      it(`${name}: symbols`, () => {
        const elf = open(name);
        for (const table of [elf.symbols, elf.dynamicSymbols]) {
          if (table !== undefined) expect(symbolRows(elf, table)).to.deep.equal(readelfSymbolRows(symbols, table.section.name));
        }
        expect(elf.symbols ?? elf.dynamicSymbols, 'a table of symbols').to.not.equal(undefined);
      });
    }
    const relocations = expected(name, 'relocations');
    if (relocations !== undefined && !isAndroid(name) && !name.includes('no-sections')) {
      it(`${name}: relocations`, () => {
        const elf = open(name);
        const ours = elf.relocationTables().map(table => relocationHeading(elf, table) + relocationRows(elf, table));
        expect(lines(ours.join(''))).to.deep.equal(lines(relocations));
      });
    }
    const notes = expected(name, 'notes');
    if (notes !== undefined) {
      it(`${name}: notes`, () => {
        expect(noteRows(open(name))).to.deep.equal(readelfNoteRows(notes));
      });
    }
  }

  it('refuses the packed relocations of Android', () => {
    for (const name of files.filter(isAndroid)) {
      expect(() => open(name).relocationTables(), name)
        .to.throw(/APS2/)
        .with.property('code', 'unsupported');
    }
  });
});

function lines(text: string): string[] {
  return (
    text
      .split('\n')
      .filter(line => line !== '' && !/^ +Type[23]: /.test(line) && !line.startsWith('There are no relocations'))
      // binutils has names of its own for BPF's types: those of llvm_reloc.rst are the kernel's.
      .map(line => line.replace(/R_BPF_\w+/, 'R_BPF'))
      // r_info of MIPS64 is printed with all three types.
      .map(line => squeeze(line).replace(/^([0-9a-f]{16} )[0-9a-f]{16} (?=R_MIPS)/, '$1'))
  );
}
