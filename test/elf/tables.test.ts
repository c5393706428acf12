import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import { describeNote, ElfFile, FormatError, MemorySource, relocationName, sectionFlagLetters } from 'kelf/elf';
import { vector } from '../support/compressed.js';
import { ElfWriter, join, type SectionSpec } from '../support/elf-writer.js';

const open = (writer: ElfWriter, sections: readonly SectionSpec[], machine = 62): ElfFile =>
  ElfFile.open(new MemorySource(writer.file({ sections, machine }), 'tiny'));
const flavours = [new ElfWriter(64, true), new ElfWriter(64, false), new ElfWriter(32, true), new ElfWriter(32, false)];
const nameOf = (writer: ElfWriter) => `${writer.is64 ? 64 : 32}-bit, ${writer.littleEndian ? 'little' : 'big'} endian`;

describe('RelocationTable', () => {
  for (const writer of flavours) {
    it(`reads RELA and REL: ${nameOf(writer)}`, () => {
      const rows = [
        { offset: 0x10n, type: 2, symbol: 3, addend: -4n },
        { offset: 0x80000018n, type: 200, symbol: 0, addend: 0x7fffffffn },
      ];
      const [rela, rel] = open(writer, [writer.rela('.rela.x', rows), writer.rel('.rel.x', rows)]).relocationTables();
      for (const table of [rela!, rel!]) {
        const { count, offset, type, symbol } = table.rows();
        expect([count, [...offset.big], [...type], [...symbol]]).to.deep.equal([2, [0x10n, 0x80000018n], [2, 200], [3, 0]]);
      }
      expect(Array.from(rela!.rows().addend!.big, value => BigInt.asIntN(64, value))).to.deep.equal([-4n, 0x7fffffffn]);
      expect(rel!.rows().addend).to.equal(undefined);
      expect([rela!.kind, rel!.kind]).to.deep.equal(['RELA', 'REL']);
    });

    it(`decodes RELR: ${nameOf(writer)}`, () => {
      // gABI: an address; a bitmap whose bit n (from 1) is the n-th word behind it; a bitmap for the words behind those; another address.
      const unit = writer.is64 ? 8n : 4n;
      const span = (unit * 8n - 1n) * unit;
      const table = open(writer, [
        writer.relr('.relr.dyn', [0x1000n, 0b1011n, (1n << (unit * 8n - 1n)) | 1n, 0x9000n, 1n]),
      ]).relocationTables()[0]!;
      const last = unit * 8n - 2n;
      const expected = [0x1000n, 0x1000n + unit, 0x1000n + 3n * unit, 0x1000n + unit + span + last * unit, 0x9000n];
      expect([...table.rows().offset.big]).to.deep.equal(expected);
      expect(table.count).to.equal(5);
      expect([...table.rows(1, 2).offset.big]).to.deep.equal(expected.slice(1, 3));
      expect([...table.rows().type].map(type => relocationName(62, type))[0]).to.equal('R_X86_64_RELATIVE');
      expect(table.rows(9).count).to.equal(0);
    });
  }

  it('reads in pieces', () => {
    const writer = new ElfWriter();
    const rows = Array.from({ length: 10 }, (_, i) => ({ offset: BigInt(i), type: i, addend: BigInt(-i) }));
    const table = open(writer, [writer.rela('.rela.x', rows)]).relocationTables()[0]!;
    expect([...table.rows(3, 4).type]).to.deep.equal([3, 4, 5, 6]);
    expect([...table.rows(8, 100).type]).to.deep.equal([8, 9]);
    expect(table.rows(10, 1).count).to.equal(0);
  });

  it('reads the first type and the symbol of MIPS64, whose r_info is no number', () => {
    const little = new ElfWriter(64, true);
    const info = Uint8Array.of(5, 0, 0, 0, 0, 0, 0x12, 3);
    const data = join(little.u64(8n), info, little.u64(1n));
    const table = open(little, [{ name: '.rela.x', type: 4, data, entsize: 24 }], 8).relocationTables()[0]!;
    expect([table.rows().type[0], table.rows().symbol[0]]).to.deep.equal([3, 5]);
    const big = new ElfWriter(64, false);
    const bigData = join(big.u64(8n), Uint8Array.of(0, 0, 0, 5, 0, 0, 0x12, 3), big.u64(1n));
    const bigTable = open(big, [{ name: '.rela.x', type: 4, data: bigData, entsize: 24 }], 8).relocationTables()[0]!;
    expect([bigTable.rows().type[0], bigTable.rows().symbol[0]]).to.deep.equal([3, 5]);
  });

  it('refuses entries that are too small, and tables that are cut off', () => {
    const writer = new ElfWriter();
    const fails = (spec: Partial<SectionSpec>, code: string, message: RegExp) => {
      const table = open(writer, [writer.rela('.rela.x', [{ offset: 0n, type: 1 }], spec)]).relocationTables()[0]!;
      expect(() => table.rows())
        .to.throw(FormatError, message)
        .with.property('code', code);
    };
    fails({ entsize: 16 }, 'bad-value', /tiny: \.rela\.x: sh_entsize is 16, at least 24/);
    fails({ entsize: 0 }, 'bad-value', /sh_entsize is 0/);
    fails({ size: 24_000_000_000 }, 'truncated', /tiny: \.rela\.x: the section ends/);
  });

  it('calls a type without a name by its number', () => {
    expect(relocationName(62, 1)).to.equal('R_X86_64_64');
    expect(relocationName(62, 0xfff)).to.equal('0xfff');
    expect(relocationName(0xabcd, 1)).to.equal('0x1');
    expect(sectionFlagLetters(0x7, 62)).to.equal('WAX');
    expect(sectionFlagLetters(0x1000_0000, 62)).to.equal('l');
    expect(sectionFlagLetters(0x1000_0000, 8)).to.equal('p');
    expect(sectionFlagLetters(0x8, 62)).to.equal('x');
  });
});

describe('notes', () => {
  for (const writer of flavours) {
    it(`reads what GNU, Linux and Xen say: ${nameOf(writer)}`, () => {
      const text = (value: string) => new TextEncoder().encode(value);
      const data = join(
        writer.note('GNU', 3, Uint8Array.of(0xab, 0xcd, 0x01)),
        writer.note('GNU', 1, writer.u32(0, 3, 2, 0)),
        writer.note('Linux', 0x100, text('6.1.0-56-cloud-amd64\0')),
        writer.note('Linux', 0x101, writer.u32(1)),
        writer.note('Xen', 5, text('xen-3.0\0')),
        writer.note('Xen', 3, writer.words(0x80000000n)),
        writer.note('Linux', 0, writer.u32(0x06010c)),
        writer.note('Xen', 77, Uint8Array.of(1, 2)),
        writer.note('evil', 1, text('\x1b[2J')),
        writer.note('constructor', 1, Uint8Array.of(1)),
        writer.note('Linux', 0x101, Uint8Array.of(9)),
      );
      const elf = open(writer, [{ name: '.notes', type: 7, data, addralign: 4 }]);
      expect(elf.notes.map(note => [note.owner, ...Object.values(describeNote(note, elf.littleEndian))].join(' '))).to.deep.equal([
        'GNU GNU_BUILD_ID abcd01',
        'GNU GNU_ABI_TAG Linux 3.2.0',
        'Linux BUILD_SALT 6.1.0-56-cloud-amd64',
        'Linux LTO_INFO 1',
        'Xen XEN_VERSION xen-3.0',
        'Xen VIRT_BASE 0x80000000',
        'Linux version 6.1.12',
        'Xen 0x4d 0102',
        'evil 0x1 1b5b324a',
        'constructor 0x1 01',
        'Linux LTO_INFO 09',
      ]);
      expect(elf.buildId).to.equal('abcd01');
    });
  }

  it('keeps to the alignment of 8 where the section has it', () => {
    const writer = new ElfWriter();
    const gnu = new TextEncoder().encode('GNU\0');
    const one = join(writer.u32(4, 4, 5), gnu, writer.u32(1), writer.u32(0));
    const elf = open(writer, [{ name: '.note.gnu.property', type: 7, data: join(one, one), addralign: 8 }]);
    expect(elf.notes.map(({ offset, type }) => [offset, type])).to.deep.equal([
      [0, 5],
      [24, 5],
    ]);
  });

  it('has a diagnostic for a malformed note, and finds the build id behind it', () => {
    const writer = new ElfWriter();
    const good = writer.note('GNU', 3, Uint8Array.of(0xab, 0xcd, 0xef, 1));
    const text = new TextEncoder().encode('Linux\0\0\0');
    for (const bad of [join(writer.u32(6, 0x1000, 1), text), join(writer.u32(0x7fff_ffff, 0, 1), text), writer.u32(4, 0xffff_fff0, 3, 0)]) {
      const elf = open(writer, [{ name: '.notes', type: 7, data: join(good, bad, good, good), addralign: 4 }]);
      expect(elf.notes.map(({ owner, type }) => [owner, type])).to.deep.equal(Array(3).fill(['GNU', 3]));
      expect(elf.diagnostics).to.have.lengthOf(1);
      const lost = open(writer, [{ name: '.notes', type: 7, data: join(bad, good), addralign: 4 }]);
      expect(lost.buildId).to.equal('abcdef01');
    }
  });

  it('has a diagnostic for a damaged section, and reads the others', () => {
    const writer = new ElfWriter();
    const elf = open(writer, [
      { name: '.note.bad', type: 7, data: writer.u32(0x1000, 4, 1), addralign: 4 },
      { name: '.note.far', type: 7, offset: 1 << 20, size: 64 },
      { name: '.note.good', type: 7, data: writer.note('GNU', 3, Uint8Array.of(1)), addralign: 4 },
    ]);
    expect(elf.buildId).to.equal('01');
    expect(elf.diagnostics.map(({ message }) => message)).to.deep.equal([
      'tiny: .note.bad+0xc: 4096 bytes are needed here, 0 are left',
      elf.diagnostics[1]!.message,
    ]);
    expect(elf.diagnostics[1]!.message).to.match(/^tiny: \.note\.far: the section ends/);
  });

  it('finds them in segments where there are no sections', () => {
    const writer = new ElfWriter();
    const bytes = writer.file({
      sections: [{ name: '.notes', type: 1, data: writer.note('GNU', 3, Uint8Array.of(0xfe)) }],
      segments: [{ type: 4, section: '.notes', address: 0n, align: 4 }],
    });
    expect(ElfFile.open(new MemorySource(bytes)).buildId).to.equal('fe');
  });
});

describe('compressed sections', () => {
  const plain = new TextEncoder().encode('.debug_str '.repeat(40));

  for (const writer of flavours) {
    it(`unpacks zlib: ${nameOf(writer)}`, () => {
      const data = writer.compressed(1, plain.length, deflateSync(plain));
      const section = open(writer, [{ name: '.debug_str', type: 1, flags: 0x800, data }]).section('.debug_str')!;
      expect([...section.data()]).to.deep.equal([...plain]);
      expect(section.compression()).to.include({ format: 'zlib', size: plain.length, addralign: 1 });
      expect(section.stored()).to.have.length(data.length);
    });
  }

  it('unpacks zstd', () => {
    const packed = vector('text.zst').packed;
    const damaged = packed.slice();
    damaged[200]! ^= 1;
    const sectionOf = (data: Uint8Array, size: number) => {
      const writer = new ElfWriter();
      return open(writer, [{ name: '.debug', type: 1, flags: 0x800, data: writer.compressed(2, size, data) }]).section('.debug')!;
    };
    expect(createHash('sha256').update(sectionOf(packed, 12_000).data()).digest('hex')).to.equal(vector('text.zst').sha256);
    expect(() => sectionOf(damaged, 12_000).data()).to.throw(FormatError, /^tiny: \.debug: zstd\+0x/);
    expect(() => sectionOf(packed, 12_001).data()).to.throw(FormatError, /unpacks to 12000 bytes, the header says 12001/);
    expect(() => sectionOf(packed, 11_999).data()).to.throw(FormatError, /unpacks to more than 11999 bytes/);
  });

  describe('where there is no node:zlib', () => {
    const { getBuiltinModule } = process;
    before(() => {
      process.getBuiltinModule = (() => undefined) as typeof getBuiltinModule;
    });
    after(() => {
      process.getBuiltinModule = getBuiltinModule;
    });

    it('unpacks zlib all the same', () => {
      const writer = new ElfWriter();
      const large = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);
      for (const whole of [plain, large, new Uint8Array(0)]) {
        const data = writer.compressed(1, whole.length, deflateSync(whole));
        const section = open(writer, [{ name: '.debug_str', type: 1, flags: 0x800, data }]).section('.debug_str')!;
        expect(Buffer.compare(section.data(), whole)).to.equal(0);
      }
    });

    it('refuses damage', refusesDamage);
  });

  it('refuses damage, each kind with its own code', refusesDamage);

  function refusesDamage(): void {
    const writer = new ElfWriter();
    const packed = Uint8Array.from(deflateSync(plain));
    const fails = (data: Uint8Array, code: string, message: RegExp) => {
      const section = open(writer, [{ name: '.debug', type: 1, flags: 0x800, data }]).section('.debug')!;
      expect(() => section.data())
        .to.throw(FormatError, message)
        .with.property('code', code);
    };
    const broken = packed.slice();
    broken[broken.length - 1]! ^= 1;
    fails(writer.compressed(1, plain.length, broken), 'corrupt', /^tiny: \.debug\+0x18: the zlib stream does not unpack/);
    fails(writer.compressed(1, plain.length, packed.subarray(0, 10)), 'corrupt', /does not unpack/);
    fails(writer.compressed(1, plain.length - 1, packed), 'corrupt', /does not unpack/);
    fails(writer.compressed(1, plain.length + 1, packed), 'corrupt', /unpacks to 440 bytes, the header says 441/);
    fails(writer.compressed(9, plain.length, packed), 'unsupported', /compression type 0x9 is neither/);
    fails(writer.compressed(1, 2 ** 33, packed), 'limit', /the limit is 4294967296/);
    fails(writer.u32(1, 0), 'truncated', /tiny: \.debug\+0x8: 8 bytes are needed here/);
  }
});
