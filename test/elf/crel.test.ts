import { expect } from 'chai';
import { ElfFile, FormatError, MemorySource } from 'kelf/elf';
import { ElfWriter, join, type SectionSpec } from '../support/elf-writer.js';

const CREL = 0x4000_0014;

/** The number as LEB128. */
function leb(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const last = value < 0n ? rest >= -64n : rest < 128n && (value >= 0n || rest === 0n);
    bytes.push(Number(rest & 0x7fn) | (last ? 0 : 0x80));
    if (last) return bytes;
  }
}
const signed = (value: bigint): number[] => {
  const bytes = leb(value);
  // A positive number whose last byte looks negative gets one more.
  return value >= 0n && (bytes.at(-1)! & 0x40) !== 0 ? [...bytes.slice(0, -1), bytes.at(-1)! | 0x80, 0] : bytes;
};

interface Row {
  readonly offset: bigint;
  readonly symbol: bigint;
  readonly type: bigint;
  readonly addend?: bigint;
}

/** As an assembler writes them: each as its differences to the one before (LLVM's CrelWriter has the rules). */
function crel(rows: readonly Row[], shift: bigint): Uint8Array {
  const hasAddend = rows.some(({ addend }) => addend !== undefined);
  const flagBits = hasAddend ? 3 : 2;
  const bytes = leb((BigInt(rows.length) << 3n) | (hasAddend ? 4n : 0n) | shift);
  let last: Required<Row> = { offset: 0n, symbol: 0n, type: 0n, addend: 0n };
  for (const { offset, symbol, type, addend = 0n } of rows) {
    const distance = BigInt.asUintN(64, offset - last.offset) >> shift;
    const flags = (symbol === last.symbol ? 0 : 1) | (type === last.type ? 0 : 2) | (addend === last.addend ? 0 : 4);
    const small = 7 - flagBits;
    if (distance < 1n << BigInt(small)) bytes.push((Number(distance) << flagBits) | flags);
    else {
      bytes.push(0x80 | (Number(distance & ((1n << BigInt(small)) - 1n)) << flagBits) | flags);
      bytes.push(...leb(distance >> BigInt(small)));
    }
    if ((flags & 1) !== 0) bytes.push(...signed(symbol - last.symbol));
    if ((flags & 2) !== 0) bytes.push(...signed(type - last.type));
    if ((flags & 4) !== 0) bytes.push(...signed(addend - last.addend));
    last = { offset, symbol, type, addend };
  }
  return Uint8Array.from(bytes);
}

function open(sections: readonly SectionSpec[], bits: 32 | 64 = 64): ElfFile {
  return ElfFile.open(new MemorySource(new ElfWriter(bits).file({ sections }), 'tiny'));
}

const ROWS: readonly Row[] = [
  { offset: 0n, symbol: 0n, type: 0n, addend: 0n },
  { offset: 8n, symbol: 3n, type: 1n, addend: -4n },
  { offset: 16n, symbol: 2n, type: 10n, addend: 0x1_2345_6789n },
  { offset: 16n, symbol: 2n, type: 2n, addend: 0x1_2345_6789n },
  { offset: 0x10_0000n, symbol: 70000n, type: 2n, addend: 63n },
  { offset: 0x10_0008n, symbol: 1n, type: 1n, addend: 64n },
];

describe('CREL', () => {
  for (const shift of [0n, 1n, 3n]) {
    for (const withAddend of [true, false]) {
      it(`is decoded: offsets in units of ${1n << shift}, ${withAddend ? 'with addends' : 'without addends'}`, () => {
        const rows = ROWS.map(({ addend, ...row }) => (withAddend ? { ...row, addend: addend! } : row));
        const file = open([{ name: '.crel.text', type: CREL, data: crel(rows, shift), entsize: 1 }]);
        const [table] = file.relocationTables();
        expect(table!.kind).to.equal('CREL');
        expect(table!.count).to.equal(rows.length);
        const { offset, symbol, type, addend } = table!.rows();
        expect([...offset.big]).to.deep.equal(rows.map(row => row.offset));
        expect([...symbol]).to.deep.equal(rows.map(row => Number(row.symbol)));
        expect([...type]).to.deep.equal(rows.map(row => Number(row.type)));
        expect(addend && [...addend.big].map(value => BigInt.asIntN(64, value))).to.deep.equal(
          withAddend ? ROWS.map(row => row.addend) : undefined,
        );
        expect([...table!.rows(2, 3).offset.big]).to.deep.equal([...offset.big].slice(2, 5));
      });
    }
  }

  it('of 32 bits wraps', () => {
    const rows = [{ offset: 0xffff_fff0n, symbol: 1n, type: 2n, addend: -1n }];
    const [table] = open([{ name: '.crel.text', type: CREL, data: crel(rows, 0n) }], 32).relocationTables();
    expect([...table!.rows().offset.big]).to.deep.equal([0xffff_fff0n]);
    expect([...table!.rows().addend!.big]).to.deep.equal([0xffff_ffff_ffff_ffffn]);
  });

  it('that is cut off, or says more than it can hold, is a FormatError', () => {
    const whole = crel(ROWS, 0n);
    for (let length = 0; length < whole.length; length++) {
      const [table] = open([{ name: '.crel.text', type: CREL, data: whole.subarray(0, length) }]).relocationTables();
      expect(() => table!.rows(), `${length} bytes`).to.throw(FormatError);
    }
    const many = Uint8Array.from(leb((1n << 40n) << 3n));
    expect(() => open([{ name: '.crel.text', type: CREL, data: many }]).relocationTables()[0]!.count).to.throw(
      FormatError,
      /1099511627776 relocations do not fit in 0 bytes/,
    );
    const endless = join(Uint8Array.of(8), new Uint8Array(20).fill(0xff));
    expect(() =>
      open([{ name: '.crel.text', type: CREL, data: endless }])
        .relocationTables()[0]!
        .rows(),
    ).to.throw(FormatError, /64 bits/);
  });

  it('relocations of a type that is not read are a diagnostic', () => {
    const file = open([{ name: '.relr.auth.dyn', type: 0x7000_0004, data: new Uint8Array(16) }]);
    expect(file.relocationTables()).to.deep.equal([]);
    file.relocationTables();
    expect(file.diagnostics.map(({ message }) => message)).to.deep.equal([
      'its relocations are of section type 0x70000004, which is not read',
    ]);
  });
});
