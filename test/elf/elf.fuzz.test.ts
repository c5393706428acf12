import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import { describeNote, ElfFile, FormatError, type Memory, MemorySource } from 'kelf/elf';
import { ElfWriter, type SectionSpec } from '../support/elf-writer.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 20_000);

/** A small file that has something of everything. */
function seedFile(bits: 32 | 64, littleEndian: boolean, type: number): Uint8Array {
  const writer = new ElfWriter(bits, littleEndian);
  const rows = [
    { offset: 0x1000n, type: 8, addend: 0x1010n },
    { offset: 0x1008n, type: 1, symbol: 1, addend: 1n },
    { offset: 0x1010n, type: 2, symbol: 2 },
  ];
  const packed = writer.compressed(1, 64, deflateSync(new Uint8Array(64)));
  const sections: SectionSpec[] = [
    { name: '.data', type: 1, flags: 3, address: 0x1000n, data: new Uint8Array(64) },
    writer.rela('.rela.dyn', rows, { flags: 2, link: '.symtab', info: type === 1 ? '.data' : 0 }),
    writer.rel('.rel.dyn', rows, { flags: 2, link: '.symtab' }),
    writer.relr('.relr.dyn', [0x1020n, 0x7n]),
    { name: '.notes', type: 7, flags: 2, data: writer.note('GNU', 3, Uint8Array.of(1, 2, 3)), addralign: 4 },
    { name: '.debug', type: 1, flags: 0x800, data: packed },
    ...writer.symbols([
      { name: 'a.c', type: 4, section: 0xfff1 },
      { name: 'one', value: 0x1000n, size: 8n, type: 2, section: 1 },
      { name: 'two', section: 0xffff, binding: 1 },
    ]),
    { name: '.symtab_shndx', type: 18, link: '.symtab', data: writer.u32(0, 0, 0, 1) },
  ];
  const segments = [
    { type: 1, flags: 6, section: '.data', address: 0x1000n, memorySize: 128 },
    { type: 4, section: '.notes', address: 0n, align: 4 },
  ];
  return writer.file({ type, machine: bits === 64 ? 62 : 3, sections, segments });
}

const SEEDS = [seedFile(64, true, 3), seedFile(64, false, 3), seedFile(32, true, 3), seedFile(32, false, 2), seedFile(64, true, 1)];

/** Everything that can be asked of a file. Each question may end in a FormatError, and must leave the others answerable. */
function readAll(bytes: Uint8Array): void {
  let elf: ElfFile | undefined;
  attempt(() => {
    elf = ElfFile.open(new MemorySource(bytes, 'fuzz'));
  });
  if (elf === undefined) return;
  const file = elf;
  attempt(() => {
    for (const symbol of file.symbols ?? []) if (typeof symbol.name !== 'string') throw new TypeError('a name that is no string');
    file.symbols?.value.order();
  });
  attempt(() => {
    for (const table of file.relocationTables()) attempt(() => void table.rows());
  });
  attempt(() => {
    for (const note of file.notes) describeNote(note, file.littleEndian);
  });
  for (const section of file.sections) {
    attempt(() => void section.data());
    attempt(() => void section.compression());
  }
  attempt(() => readMemory(file.memory));
  attempt(() => {
    const data = file.section('.data');
    if (data !== undefined) readMemory(file.sectionMemory(data), 0n);
  });
}

function readMemory(memory: Memory, at = 0x1000n): void {
  attempt(() => void memory.read(at, 64));
  attempt(() => void memory.read(at + 3n, 7));
  attempt(() => void memory.word(at + 8n));
  attempt(() => void memory.word(2n ** 64n - 4n));
}

function attempt(question: () => void): void {
  try {
    question();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

/** A generator of numbers that is the same in every run. */
function random(seed: number): (below: number) => number {
  let state = seed | 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const INTERESTING = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff];

function mutate(bytes: Uint8Array, next: (below: number) => number): string {
  const done: string[] = [];
  for (let changes = 1 + next(4); changes > 0; changes--) {
    const at = next(bytes.length);
    if (next(3) === 0) {
      // A whole field at once: sizes, offsets and counts that are huge, or off by a little.
      const value = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, bytes.length, bytes.length - 1, next(bytes.length)][next(8)]!;
      const view = new DataView(bytes.buffer);
      if (at + 4 <= bytes.length) view.setUint32(at & ~3, value, next(2) === 0);
      done.push(`u32 ${at & ~3}=${value}`);
    } else {
      bytes[at] = next(2) === 0 ? bytes[at]! ^ (1 << next(8)) : INTERESTING[next(INTERESTING.length)]!;
      done.push(`u8 ${at}=${bytes[at]}`);
    }
  }
  return done.join(', ');
}

describe('ElfFile: damaged input', () => {
  // Most of the time would go into writing the stacks of errors that are expected.
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it('the files that are damaged below are whole', () => {
    for (const seed of SEEDS) {
      const elf = ElfFile.open(new MemorySource(seed));
      expect(elf.buildId).to.equal('010203');
      expect(Array.from(elf.symbols!, ({ name }) => name)).to.deep.equal(['', 'a.c', 'one', 'two']);
      expect(elf.relocationTables().map(table => table.rows().count)).to.deep.equal([3, 3, 3]);
      expect(elf.section('.debug')!.data()).to.have.length(64);
    }
  });

  it('cut off anywhere: an answer or a FormatError', () => {
    for (const seed of SEEDS) for (let length = 0; length < seed.length; length++) readAll(seed.subarray(0, length));
  });

  it(`${CASES} mutations: an answer or a FormatError`, () => {
    for (let i = 0; i < CASES; i++) {
      const bytes = SEEDS[i % SEEDS.length]!.slice();
      const what = mutate(bytes, random(i * 2654435761 + 1));
      try {
        readAll(bytes);
      } catch (error) {
        throw new Error(`case ${i} (seed file ${i % SEEDS.length}: ${what})`, { cause: error });
      }
    }
  });
});
