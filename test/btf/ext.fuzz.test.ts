import { expect } from 'chai';
import { Btf, BtfExt, formatCoreSpec, parseCoreSpec, rowsOf } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { btfExt } from '../support/bpf-writer.js';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { mutate, random } from '../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 8_000);

function sample(littleEndian: boolean): { readonly btf: Btf; readonly ext: Uint8Array } {
  const writer = everyKind(new BtfWriter({ littleEndian }));
  const access = ['0:1', '0:3:2', '0', '1', '0:5'].map(text => writer.string(text));
  const ext = btfExt(writer, littleEndian, [
    [['.text', [0, 15], [16, 15]]],
    [
      ['.text', [0, 1, 1, 0x1405], [8, 1, 1, 0x1805]],
      ['xdp', [0, 1, 1, 1]],
    ],
    [['xdp', [0, 9, access[0]!, 0], [8, 9, access[1]!, 1], [16, 9, access[2]!, 8], [24, 7, access[3]!, 10], [32, 9, access[4]!, 5]]],
  ]);
  return { btf: Btf.parse(writer.bytes()), ext };
}

function readAll(bytes: Uint8Array, btf: Btf): boolean {
  let ext: BtfExt;
  try {
    ext = BtfExt.parse(bytes, btf);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
  for (const table of [ext.functions, ext.lines, ext.relocations])
    for (const { name } of table.sections) for (const _ of rowsOf(table, name));
  for (let row = 0; row < ext.lines.length; row++) ext.line(row);
  for (let row = 0; row < ext.relocations.length; row++) {
    try {
      formatCoreSpec(btf, parseCoreSpec(btf, ext.relocations.typeIds[row]!, ext.access(row), ext.relocations.kinds[row]!));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return true;
}

describe('damaged .BTF.ext', () => {
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  for (const littleEndian of [true, false]) {
    const { btf, ext } = sample(littleEndian);
    const order = littleEndian ? 'little' : 'big';

    it(`${order} endian, cut off at every byte: an answer or a FormatError`, () => {
      expect(readAll(ext, btf)).to.equal(true);
      for (let length = 0; length < ext.length; length++) expect(readAll(ext.slice(0, length), btf)).to.equal(false);
    });

    it(`${order} endian, changed at random: an answer or a FormatError`, () => {
      const next = random(7);
      for (let i = 0; i < CASES / 2; i++) {
        const damaged = mutate(ext, next);
        try {
          readAll(damaged, btf);
        } catch (error) {
          throw new Error(`case ${i}: ${Buffer.from(damaged).toString('hex')}`, { cause: error });
        }
      }
    });
  }
});
