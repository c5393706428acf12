import { expect } from 'chai';
import { ElfFile, FormatError, MemorySource, SHT } from 'kelf/elf';
import { ElfWriter } from '../support/elf-writer.js';

const open = (bytes: Uint8Array): ElfFile => ElfFile.open(new MemorySource(bytes, 'tiny'));
const flavours = [
  [64, true],
  [64, false],
  [32, true],
  [32, false],
] as const;

/** A file with one section, and what `change` does to its bytes. */
function damaged(change: (bytes: Uint8Array, view: DataView) => void): () => ElfFile {
  const bytes = new ElfWriter().file({
    sections: [{ name: '.data', type: 1, data: Uint8Array.of(1, 2, 3) }],
    segments: [{ type: 1, address: 0n, section: '.data' }],
  });
  change(bytes, new DataView(bytes.buffer));
  return () => open(bytes);
}

function expectError(run: () => unknown, code: string, message: RegExp): void {
  expect(run).to.throw(FormatError, message).with.property('code', code);
}

describe('ElfFile: headers', () => {
  for (const [bits, littleEndian] of flavours) {
    it(`reads ${bits}-bit files, ${littleEndian ? 'little' : 'big'} endian`, () => {
      const writer = new ElfWriter(bits, littleEndian);
      const elf = open(
        writer.file({
          type: 2,
          machine: 22,
          sections: [
            {
              name: '.text',
              type: 1,
              flags: 6,
              address: 0x1000n,
              data: Uint8Array.of(9, 8, 7),
              addralign: 16,
              entsize: 2,
              link: '.bss',
              info: 5,
            },
            { name: '.bss', type: SHT.NOBITS, flags: 3, address: 0x2000n, size: 0x100 },
          ],
          segments: [{ type: 1, flags: 5, section: '.text', address: 0x1000n, memorySize: 64, align: 4096 }],
        }),
      );
      expect(elf.header).to.include({ is64: bits === 64, littleEndian, type: 2, machine: 22, shnum: 4, phnum: 1, shstrndx: 3 });
      expect(elf.sections.map(({ name }) => name)).to.deep.equal(['', '.text', '.bss', '.shstrtab']);
      const text = elf.section('.text')!;
      expect(text).to.include({ index: 1, type: 1, flags: 6, address: 0x1000n, size: 3, link: 2, info: 5, addralign: 16, entsize: 2 });
      expect([...text.data()]).to.deep.equal([9, 8, 7]);
      expect(elf.section('.bss')!.data()).to.have.length(0);
      expect(elf.segments[0]).to.include({ type: 1, flags: 5, virtualAddress: 0x1000n, fileSize: 3, memorySize: 64n, align: 4096n });
      expect(elf.section('.none')).to.equal(undefined);
    });

    it(`finds counts in section 0 where they do not fit the header: ${bits}-bit, ${littleEndian ? 'little' : 'big'} endian`, () => {
      const elf = open(
        new ElfWriter(bits, littleEndian).file({
          sections: [{ name: '.data', type: 1, data: Uint8Array.of(1) }],
          segments: [{ type: 1, address: 0n, section: '.data' }],
          extendedCounts: true,
        }),
      );
      expect(elf.header).to.include({ shnum: 3, phnum: 1, shstrndx: 2 });
      expect(elf.section('.data')!.size).to.equal(1);
      expect(elf.segments).to.have.length(1);
    });
  }

  it('reads a file without a table of section names', () => {
    const elf = open(new ElfWriter().file({ names: false, sections: [{ name: 'x', type: 1, data: Uint8Array.of(1) }] }));
    expect(elf.sections.map(({ name }) => name)).to.deep.equal(['', '']);
    expect(elf.sections[1]!.label).to.equal('tiny: section 1');
  });

  it('refuses what is no ELF file, and says what it is', () => {
    expectError(() => open(new Uint8Array(0)), 'bad-magic', /^tiny: not an ELF file: the file is empty/);
    expectError(() => open(Uint8Array.of(0x1f, 0x8b, 8, 0, 0)), 'bad-magic', /begins with 1f 8b 08 00/);
    expectError(() => open(Uint8Array.of(0x7f)), 'bad-magic', /begins with 7f/);
  });

  it('refuses damaged headers, each with its own code', () => {
    expectError(() => open(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2)), 'truncated', /cut off/);
    expectError(
      damaged(bytes => void (bytes[4] = 3)),
      'bad-value',
      /tiny\+0x4: ELF class 3/,
    );
    expectError(
      damaged(bytes => void (bytes[5] = 0)),
      'bad-value',
      /tiny\+0x5: ELF data encoding 0/,
    );
    expectError(
      damaged((_, view) => view.setUint32(20, 2, true)),
      'unsupported',
      /tiny\+0x14: e_version/,
    );
    expectError(
      damaged((_, view) => view.setUint16(58, 8, true)),
      'bad-value',
      /e_shentsize is 8/,
    );
    expectError(
      damaged((_, view) => view.setUint16(54, 8, true)),
      'bad-value',
      /e_phentsize is 8/,
    );
    expectError(
      damaged((_, view) => view.setUint16(60, 1000, true)),
      'truncated',
      /1000 section headers/,
    );
    expectError(
      damaged((_, view) => view.setUint16(56, 1000, true)),
      'truncated',
      /1000 program headers/,
    );
    expectError(
      damaged((_, view) => view.setBigUint64(40, 2n ** 63n, true)),
      'out-of-range',
      /tiny\+0x28: 0x8000000000000000 is too large/,
    );
    expectError(() => open(new ElfWriter().file({}).subarray(0, 40)), 'truncated', /64 bytes are needed/);
  });

  it('says where a section is cut off, and reads the others', () => {
    const file = new ElfWriter().file({
      sections: [
        { name: '.far', type: 1, offset: 1 << 20, size: 8 },
        { name: '.near', type: 1, data: Uint8Array.of(5) },
      ],
    });
    const elf = open(file);
    expectError(() => elf.section('.far')!.data(), 'truncated', /^tiny: \.far: the section ends at 1048584, the file at \d+/);
    expectError(
      () => elf.section('.near')!.storedRange(1, 1),
      'out-of-range',
      /tiny: \.near\+0x1: 1 bytes are needed here, the section has 1/,
    );
    expect([...elf.section('.near')!.data()]).to.deep.equal([5]);
  });
});
