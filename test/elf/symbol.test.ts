import { expect } from 'chai';
import { ElfFile, FormatError, MemorySource, STB, STT } from 'kelf/elf';
import { ElfWriter, type SectionSpec } from '../support/elf-writer.js';

const open = (writer: ElfWriter, sections: readonly SectionSpec[]): ElfFile =>
  ElfFile.open(new MemorySource(writer.file({ sections }), 'tiny'));
const flavours = [new ElfWriter(64, true), new ElfWriter(64, false), new ElfWriter(32, true), new ElfWriter(32, false)];
const nameOf = (writer: ElfWriter) => `${writer.is64 ? 64 : 32}-bit, ${writer.littleEndian ? 'little' : 'big'} endian`;

describe('SymbolTable', () => {
  for (const writer of flavours) {
    it(`reads every column: ${nameOf(writer)}`, () => {
      const value = writer.is64 ? 0xffffffff81234567n : 0xc1234567n;
      const elf = open(
        writer,
        writer.symbols([
          { name: 'vfs_read', value, size: 0x123n, type: STT.FUNC, binding: STB.GLOBAL, other: 2, section: 1 },
          { name: 'read', section: 0xfff1 },
        ]),
      );
      expect(elf.symbols!.at(1)).to.deep.equal({
        index: 1,
        name: 'vfs_read',
        value,
        size: 0x123n,
        type: STT.FUNC,
        binding: STB.GLOBAL,
        visibility: 2,
        sectionIndex: 1,
      });
      expect(elf.symbols!.at(2)).to.include({ name: 'read', sectionIndex: 0xfff1, value: 0n });
      expect(elf.symbols!.isFunction(1)).to.equal(true);
      expect(elf.symbols!.isFunction(2)).to.equal(false);
      expect(elf.dynamicSymbols).to.equal(undefined);
    });
  }

  it('carries the name of the file to the local symbols behind it', () => {
    const writer = new ElfWriter();
    const local = (name: string) => ({ name, type: STT.FUNC, section: 1 });
    const file = (name?: string) => ({ ...(name === undefined ? {} : { name }), type: STT.FILE, section: 0xfff1 });
    const elf = open(
      writer,
      writer.symbols([
        local('before'),
        file('a.c'),
        local('one'),
        local('two'),
        file('b.c'),
        local('three'),
        file(),
        local('asm'),
        { name: 'g', binding: STB.GLOBAL },
      ]),
    );
    const files = Object.fromEntries([...elf.symbols!].filter(({ name }) => name !== '').map(({ name, file }) => [name, file]));
    expect(files).to.deep.equal({
      before: undefined,
      'a.c': undefined,
      one: 'a.c',
      two: 'a.c',
      'b.c': undefined,
      three: 'b.c',
      asm: undefined,
      g: undefined,
    });
  });

  it('takes section indices that do not fit from .symtab_shndx', () => {
    const writer = new ElfWriter(64, false);
    const [symtab, strtab] = writer.symbols([
      { name: 'far', section: 0xffff },
      { name: 'near', section: 2 },
    ]);
    const extended = { name: '.symtab_shndx', type: 18, link: '.symtab', data: writer.u32(0, 70000, 0) };
    expect([...open(writer, [symtab!, strtab!, extended]).symbols!].map(({ sectionIndex }) => sectionIndex)).to.deep.equal([0, 70000, 2]);
    const short = { ...extended, data: writer.u32(0) };
    expect(() => open(writer, [symtab!, strtab!, short]).symbols).to.throw(
      FormatError,
      /\.symtab_shndx\+0x4: no section index for symbol 1/,
    );
  });

  it('reads rows that are longer than the ABI has them', () => {
    const writer = new ElfWriter();
    const [symtab, strtab] = writer.symbols([{ name: 'a', value: 7n }]);
    const wide = new Uint8Array(64);
    wide.set(symtab!.data!.subarray(0, 24));
    wide.set(symtab!.data!.subarray(24), 32);
    expect(open(writer, [{ ...symtab!, data: wide, entsize: 32 }, strtab!]).symbols!.at(1)).to.include({ name: 'a', value: 7n });
  });

  it('refuses damage, and says where', () => {
    const writer = new ElfWriter();
    const [symtab, strtab] = writer.symbols([{ name: 'a' }]);
    const fails = (sections: SectionSpec[], code: string, message: RegExp) =>
      expect(() => open(writer, sections).symbols!.name(1))
        .to.throw(FormatError, message)
        .with.property('code', code);
    fails([{ ...symtab!, entsize: 8 }, strtab!], 'bad-value', /^tiny: \.symtab: sh_entsize is 8, at least 24 is needed/);
    fails([{ ...symtab!, entsize: 0 }, strtab!], 'bad-value', /sh_entsize is 0/);
    fails([{ ...symtab!, link: 77 }, strtab!], 'out-of-range', /sh_link 77 is not a string table/);
    fails([{ ...symtab!, size: 1 << 20 }, strtab!], 'truncated', /^tiny: \.symtab: the section ends/);
    fails([symtab!, { ...strtab!, data: Uint8Array.of(0) }], 'out-of-range', /^tiny: \.strtab\+0x1: no string begins here/);
    fails([symtab!, { ...strtab!, data: Uint8Array.of(0, 97) }], 'out-of-range', /\.strtab\+0x1/);
    expect(() => open(writer, [symtab!, strtab!]).symbols!.at(2)).to.throw(FormatError, /no symbol 2: the table has 2/);
    expect(() => open(writer, [symtab!, strtab!]).symbols!.at(Number.NaN)).to.throw(FormatError, /no symbol NaN/);
  });

  it('goes on behind a symbol whose name is damaged', () => {
    const writer = new ElfWriter();
    const [symtab, strtab] = writer.symbols([{ name: 'a' }, { name: 'b' }]);
    symtab!.data!.set(writer.u32(1 << 20), 24);
    const { symbols } = open(writer, [symtab!, strtab!]);
    expect(Array.from(symbols!, ({ name }) => name)).to.deep.equal(['', '', 'b']);
    expect(symbols!.diagnostics.map(({ message }) => message)).to.have.length(1);
    expect(symbols!.diagnostics[0]!.message).to.match(/\.strtab\+0x100000: no string begins here/);
  });
});
