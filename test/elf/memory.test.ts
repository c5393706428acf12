import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ElfFile, EM, FormatError, MemorySource } from 'kelf/elf';
import { ElfWriter, type RelocationSpec, type SectionSpec } from '../support/elf-writer.js';

const ADDRESS = 0x1000n;

interface Case {
  readonly machine: number;
  readonly bits?: 32 | 64;
  readonly littleEndian?: boolean;
  readonly row: RelocationSpec;
  readonly kind?: 'rela' | 'rel';
  /** The bytes in place before, and after. */
  readonly before?: number[];
  readonly after: number[];
}

/** A linked file with one data section at ADDRESS, an allocated relocation section for it, and a symbol `target` at 0x11223344. */
function linked({ machine, bits = 64, littleEndian = true, row, kind = 'rela', before = [] }: Case): ElfFile {
  const writer = new ElfWriter(bits, littleEndian);
  const data = new Uint8Array(32).fill(0xee);
  data.set(before, 8);
  const rows = [{ ...row, offset: ADDRESS + 8n }];
  const table = writer[kind](`.${kind}.dyn`, rows, { flags: 2, link: '.dynsym' });
  const sections = [
    { name: '.data', type: 1, flags: 3, address: ADDRESS, data },
    table,
    ...writer.symbols([{ name: 'target', value: 0x11223344n, section: 1 }], '.dynsym'),
  ];
  const segments = [{ type: 1, section: '.data', address: ADDRESS }];
  return ElfFile.open(new MemorySource(writer.file({ type: 3, machine, sections, segments }), 'tiny'));
}

const le64 = (value: bigint) => [...new ElfWriter(64, true).u64(value)];
const be64 = (value: bigint) => [...new ElfWriter(64, false).u64(value)];
const le32 = (value: number) => [...new ElfWriter(32, true).u32(value)];
const be32 = (value: number) => [...new ElfWriter(32, false).u32(value)];
const S = 0x11223344n;
const P = Number(ADDRESS) + 8;
const KERNEL = 0xffffffff81000010n;

describe('Memory: relocations', () => {
  // S + A, A, S + A - P: the formulas of the ABI documents named in relocation-rules.ts.
  const cases: Readonly<Record<string, Case>> = {
    'R_X86_64_64: S + A': { machine: EM.X86_64, row: { offset: 0n, type: 1, symbol: 1, addend: -4n }, after: le64(S - 4n) },
    'R_X86_64_RELATIVE: A': { machine: EM.X86_64, row: { offset: 0n, type: 8, addend: KERNEL }, after: le64(KERNEL) },
    'R_X86_64_PC32: S + A - P': { machine: EM.X86_64, row: { offset: 0n, type: 2, symbol: 1 }, after: [...le32(Number(S) - P), 0xee] },
    'R_X86_64_PLT32: as PC32': { machine: EM.X86_64, row: { offset: 0n, type: 4, symbol: 1 }, after: [...le32(Number(S) - P), 0xee] },
    'R_X86_64_32S: S + A': {
      machine: EM.X86_64,
      row: { offset: 0n, type: 11, symbol: 1, addend: 1n },
      after: [...le32(Number(S) + 1), 0xee],
    },
    'R_X86_64_PC64: S + A - P': { machine: EM.X86_64, row: { offset: 0n, type: 24, symbol: 1 }, after: le64(S - BigInt(P)) },
    'R_X86_64_NONE leaves the word': { machine: EM.X86_64, row: { offset: 0n, type: 0, addend: 5n }, before: [7], after: [7, 0xee] },
    'R_RISCV_32_PCREL: S + A - P': {
      machine: EM.RISCV,
      row: { offset: 0n, type: 57, symbol: 1 },
      after: [...le32(Number(S) - P), 0xee],
    },
    'R_LARCH_32_PCREL: S + A - P': {
      machine: EM.LOONGARCH,
      row: { offset: 0n, type: 99, symbol: 1 },
      after: [...le32(Number(S) - P), 0xee],
    },
    'R_LARCH_64_PCREL: S + A - P': {
      machine: EM.LOONGARCH,
      row: { offset: 0n, type: 109, symbol: 1, addend: 8n },
      after: le64(S + 8n - BigInt(P)),
    },
    'R_386_32, REL: S + the word': {
      machine: EM.I386,
      bits: 32,
      kind: 'rel',
      row: { offset: 0n, type: 1, symbol: 1 },
      before: le32(0x10),
      after: [...le32(Number(S) + 0x10), 0xee],
    },
    'R_386_PC32, REL: S + the word - P': {
      machine: EM.I386,
      bits: 32,
      kind: 'rel',
      row: { offset: 0n, type: 2, symbol: 1 },
      before: le32(-4),
      after: le32(Number(S) - 4 - P),
    },
    'R_386_RELATIVE, REL: the word': {
      machine: EM.I386,
      bits: 32,
      kind: 'rel',
      row: { offset: 0n, type: 8 },
      before: le32(0xc1000010),
      after: le32(0xc1000010),
    },
    'R_AARCH64_RELATIVE: A': { machine: EM.AARCH64, row: { offset: 0n, type: 1027, addend: KERNEL }, after: le64(KERNEL) },
    'R_AARCH64_ABS64: S + A': { machine: EM.AARCH64, row: { offset: 0n, type: 257, symbol: 1, addend: 2n }, after: le64(S + 2n) },
    'R_AARCH64_ABS32: S + A': { machine: EM.AARCH64, row: { offset: 0n, type: 258, symbol: 1 }, after: [...le32(Number(S)), 0xee] },
    'R_AARCH64_PREL32: S + A - P': { machine: EM.AARCH64, row: { offset: 0n, type: 261, symbol: 1 }, after: le32(Number(S) - P) },
    'R_AARCH64_PREL64: S + A - P': { machine: EM.AARCH64, row: { offset: 0n, type: 260, symbol: 1 }, after: le64(S - BigInt(P)) },
    'R_AARCH64_GLOB_DAT: S + A': { machine: EM.AARCH64, row: { offset: 0n, type: 1025, symbol: 1 }, after: le64(S) },
    'R_ARM_ABS32, REL: S + the word': {
      machine: EM.ARM,
      bits: 32,
      kind: 'rel',
      row: { offset: 0n, type: 2, symbol: 1 },
      before: le32(1),
      after: le32(Number(S) + 1),
    },
    'R_ARM_RELATIVE, REL: the word': {
      machine: EM.ARM,
      bits: 32,
      kind: 'rel',
      row: { offset: 0n, type: 23 },
      before: le32(0xc0008000),
      after: le32(0xc0008000),
    },
    'R_390_64: S + A, big endian': {
      machine: EM.S390,
      littleEndian: false,
      row: { offset: 0n, type: 22, symbol: 1, addend: 6n },
      after: be64(S + 6n),
    },
    'R_390_RELATIVE: A, big endian': {
      machine: EM.S390,
      littleEndian: false,
      row: { offset: 0n, type: 12, addend: KERNEL },
      after: be64(KERNEL),
    },
    'R_390_PC32: S + A - P, big endian': {
      machine: EM.S390,
      littleEndian: false,
      row: { offset: 0n, type: 5, symbol: 1 },
      after: be32(Number(S) - P),
    },
    'R_RISCV_64: S + A': { machine: EM.RISCV, row: { offset: 0n, type: 2, symbol: 1 }, after: le64(S) },
    'R_RISCV_RELATIVE: A': { machine: EM.RISCV, row: { offset: 0n, type: 3, addend: KERNEL }, after: le64(KERNEL) },
    'R_RISCV_RELATIVE of 32 bits: A': {
      machine: EM.RISCV,
      bits: 32,
      row: { offset: 0n, type: 3, addend: 0xc0000010n },
      after: [...le32(0xc0000010), 0xee],
    },
    'R_PPC64_ADDR64: S + A': { machine: EM.PPC64, littleEndian: false, row: { offset: 0n, type: 38, symbol: 1 }, after: be64(S) },
    'R_PPC64_RELATIVE: A': { machine: EM.PPC64, row: { offset: 0n, type: 22, addend: KERNEL }, after: le64(KERNEL) },
    'R_PPC64_REL32: S + A - P': { machine: EM.PPC64, row: { offset: 0n, type: 26, symbol: 1 }, after: le32(Number(S) - P) },
    'R_LARCH_64: S + A': { machine: EM.LOONGARCH, row: { offset: 0n, type: 2, symbol: 1 }, after: le64(S) },
    'R_LARCH_RELATIVE: A': { machine: EM.LOONGARCH, row: { offset: 0n, type: 3, addend: KERNEL }, after: le64(KERNEL) },
    'R_MIPS_32, REL: S + the word': {
      machine: EM.MIPS,
      bits: 32,
      littleEndian: false,
      kind: 'rel',
      row: { offset: 0n, type: 2, symbol: 1 },
      before: be32(8),
      after: be32(Number(S) + 8),
    },
    'R_BPF_64_64: S + A in both immediates': {
      machine: EM.BPF,
      kind: 'rel',
      row: { offset: 0n, type: 1, symbol: 1 },
      before: [0x18, 1, 0, 0, ...le32(0x10), 0, 0, 0, 0, ...le32(0)],
      after: [0x18, 1, 0, 0, ...le32(Number(S) + 0x10), 0, 0, 0, 0, ...le32(0)],
    },
    'R_BPF_64_32: (S + A) / 8 - 1': {
      machine: EM.BPF,
      kind: 'rel',
      row: { offset: 0n, type: 10, symbol: 1 },
      before: [0x85, 0x10, 0, 0, ...le32(-1)],
      after: [0x85, 0x10, 0, 0, ...le32(Math.floor(Number(S) / 8) - 1)],
    },
    'R_BPF_64_ABS64: S + A': {
      machine: EM.BPF,
      kind: 'rel',
      row: { offset: 0n, type: 2, symbol: 1 },
      before: le64(8n),
      after: le64(S + 8n),
    },
  };
  for (const [name, given] of Object.entries(cases)) {
    it(name, () => {
      const { memory } = linked(given);
      expect([...memory.read(ADDRESS + 8n, given.after.length)]).to.deep.equal(given.after);
      expect([...memory.stored(ADDRESS + 8n, given.before?.length ?? 0)]).to.deep.equal(given.before ?? []);
      expect([...memory.read(ADDRESS, 8)], 'the bytes before').to.deep.equal(new Array(8).fill(0xee));
      expect(memory.diagnostics).to.deep.equal([]);
    });
  }

  it('cuts a word that reaches over the edges of the range', () => {
    const { memory } = linked({ machine: EM.X86_64, row: { offset: 0n, type: 8, addend: 0x0807060504030201n }, after: [] });
    expect([...memory.read(ADDRESS + 6n, 4)]).to.deep.equal([0xee, 0xee, 1, 2]);
    expect([...memory.read(ADDRESS + 11n, 2)]).to.deep.equal([4, 5]);
    expect([...memory.read(ADDRESS + 14n, 4)]).to.deep.equal([7, 8, 0xee, 0xee]);
    expect(memory.word(ADDRESS + 8n)).to.equal(0x0807060504030201n);
    expect([...memory.sites(ADDRESS + 15n, 1)]).to.have.length(1);
    expect([...memory.sites(ADDRESS + 16n, 8)]).to.have.length(0);
  });

  it('names a type that it does not apply, once, and leaves the word as stored', () => {
    const { memory } = linked({ machine: EM.X86_64, row: { offset: 0n, type: 9 }, before: [1, 2, 3, 4], after: [] });
    expect([...memory.read(ADDRESS + 8n, 4)]).to.deep.equal([1, 2, 3, 4]);
    memory.read(ADDRESS + 8n, 4);
    expect(memory.diagnostics.map(({ place, message }) => `${place.name}: ${message}`)).to.deep.equal([
      'tiny: .rela.dyn: R_X86_64_GOTPCREL of x86-64 is not supported: its words keep their stored values',
    ]);
    const other = linked({ machine: EM.AARCH64, row: { offset: 0n, type: 77777 }, after: [] }).memory;
    other.read(ADDRESS, 32);
    expect(other.diagnostics[0]!.message).to.match(/^0x12fd1 of AArch64 is not supported/);
  });

  it('does not apply what `ld --emit-relocs` left: the words are final', () => {
    const writer = new ElfWriter();
    const data = writer.u64(0xffffffff81000000n);
    const sections: SectionSpec[] = [
      { name: '.data', type: 1, flags: 3, address: ADDRESS, data },
      writer.rela('.rela.data', [{ offset: ADDRESS, type: 1, symbol: 1, addend: 0n }], { info: '.data', link: '.symtab' }),
      ...writer.symbols([{ name: 'stale', value: 0x5555n, section: 1 }]),
    ];
    const elf = ElfFile.open(
      new MemorySource(writer.file({ type: 2, sections, segments: [{ type: 1, section: '.data', address: ADDRESS }] })),
    );
    expect(elf.memory.word(ADDRESS)).to.equal(0xffffffff81000000n);
    expect(elf.relocationTables()).to.have.length(1);
  });

  it('relocates a section of a relocatable file at address 0', () => {
    const writer = new ElfWriter();
    const sections: SectionSpec[] = [
      { name: '__mcount_loc', type: 1, flags: 2, data: new Uint8Array(16) },
      { name: '.text', type: 1, flags: 6, data: new Uint8Array(64) },
      writer.rela('.rela__mcount_loc', [{ offset: 8n, type: 1, symbol: 1, addend: 0x20n }], { info: '__mcount_loc', link: '.symtab' }),
      ...writer.symbols([{ type: 3, section: 2 }]),
    ];
    const elf = ElfFile.open(new MemorySource(writer.file({ type: 1, sections })));
    const memory = elf.sectionMemory(elf.section('__mcount_loc')!);
    expect([memory.word(0n), memory.word(8n)]).to.deep.equal([0n, 0x20n]);
    expect(elf.sectionMemory(elf.section('.text')!).tables).to.have.length(0);
  });

  it('refuses a relocation whose symbol is not there', () => {
    const { memory } = linked({ machine: EM.X86_64, row: { offset: 0n, type: 1, symbol: 99 }, after: [] });
    expect(() => memory.read(ADDRESS, 16))
      .to.throw(FormatError, /tiny: \.rela\.dyn: a relocation names symbol 99/)
      .with.property('code', 'out-of-range');
  });
});

describe('Memory: addresses', () => {
  const writer = new ElfWriter();
  const file = writer.file({
    type: 2,
    sections: [
      { name: '.data', type: 1, flags: 3, address: ADDRESS, data: Uint8Array.of(1, 2, 3, 4) },
      { name: '.high', type: 1, flags: 3, address: KERNEL, data: Uint8Array.of(5) },
    ],
    segments: [
      { type: 1, section: '.high', address: KERNEL },
      { type: 1, section: '.data', address: ADDRESS, memorySize: 8 },
    ],
  });
  const { memory } = ElfFile.open(new MemorySource(file, 'tiny'));

  it('reads zeros behind the bytes of the file, and nothing behind the segment', () => {
    expect([...memory.read(ADDRESS + 2n, 6)]).to.deep.equal([3, 4, 0, 0, 0, 0]);
    expect([...memory.read(KERNEL, 1)]).to.deep.equal([5]);
    expect(memory.has(ADDRESS, 8)).to.equal(true);
    expect(memory.has(ADDRESS, 9)).to.equal(false);
    expect(memory.has(ADDRESS - 1n)).to.equal(false);
    expect(memory.has(ADDRESS, -1)).to.equal(false);
    expect(() => memory.read(ADDRESS + 4n, 8))
      .to.throw(FormatError, /^tiny: no 8 bytes at address 0x1004/)
      .with.property('code', 'out-of-range');
  });

  it('takes the allocated sections of a file without segments', () => {
    const bare = ElfFile.open(
      new MemorySource(writer.file({ type: 2, sections: [{ name: '.data', type: 1, flags: 2, address: 16n, data: Uint8Array.of(7) }] })),
    );
    expect([...bare.memory.read(16n, 1)]).to.deep.equal([7]);
  });
});

describe('Memory: words that ld itself filled', () => {
  const FIXTURES = new URL('../../../fixtures/elf/', import.meta.url);
  const open = (name: string) => ElfFile.open(new MemorySource(readFileSync(new URL(name, FIXTURES)), name));
  const tableOf = (elf: ElfFile) => elf.symbols!.at(Array.from(elf.symbols!, ({ name }) => name).indexOf('table'));

  // GNU ld and lld write the addends of RELR (and of REL) into the words; the same source linked with RELA has to come to the same distances.
  for (const [plain, packed] of [
    ['aarch64.so', 'aarch64-relr.so'],
    ['x86_64.so', 'x86_64-relr.so'],
  ] as const) {
    it(`${plain} relocated points where ${packed} does`, () => {
      const pointers = [open(plain), open(packed)].map(elf => {
        const { value, size } = tableOf(elf);
        return Array.from({ length: Number(size) / 8 }, (_, i) => {
          const word = elf.memory.word(value + BigInt(i * 8));
          // One past the end counts as inside where nothing else begins there.
          const within = (slack: bigint) =>
            elf.sections.find(({ allocated, address, size }) => allocated && word >= address && word < address + BigInt(size) + slack);
          const section = within(0n) ?? within(1n);
          return section === undefined ? word : `${section.name}+${word - section.address}`;
        });
      });
      expect(pointers[0]).to.deep.equal(pointers[1]);
      expect(pointers[0]!.filter(pointer => typeof pointer === 'string').length, 'pointers into sections').to.be.above(50);
    });
  }

  for (const name of ['x86_64-relr.so', 'i386.so', 'i386-relr.so']) {
    it(`${name}: words that hold their addends stay as they are`, () => {
      const elf = open(name);
      const { address, size } = elf.section('.data')!;
      expect([...elf.memory.read(address, size)]).to.deep.equal([...elf.memory.stored(address, size)]);
      expect([...elf.memory.sites(address, size)].length).to.be.above(50);
      expect(elf.memory.diagnostics).to.deep.equal([]);
    });
  }
});
