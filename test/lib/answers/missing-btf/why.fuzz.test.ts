import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Kernel, MissingError, missingBtfOfAll } from 'kelf';
import { Btf } from 'kelf/btf';
import { ElfFile, FormatError, MemorySource } from 'kelf/elf';
import { piecesOfImage } from '../../../../lib/facts/pieces-of-image.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 60);
/** One for each era of rules that DWARF matters to: a case asks under one of them, the next under the next. */
const RELEASES = [124, 127, 132] as const;
const NAMES = ['square', 'twin', 'distance', 'outer', 'other', '_start'];

/** Damage, or a piece that damage has taken away. */
function expected(error: unknown): boolean {
  return error instanceof FormatError || error instanceof MissingError;
}

describe('why BTF lacks a function of a damaged file', () => {
  for (const [i, file] of ['dwarf-4.elf', 'dwarf-5.elf', 'dwarf-clang.elf'].entries()) {
    it(`${file}: an answer, or a FormatError`, async () => {
      const whole = new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../../../fixtures/elf/${file}`, import.meta.url))));
      const writer = new BtfWriter();
      writer.func('_start', writer.funcProto(0, []));
      const btf = Btf.parse(writer.bytes(), { name: 'some.btf' });
      const next = random(i + 1);
      let answered = 0;
      for (let n = 0; n < CASES; n++) {
        try {
          const image = ElfFile.open(new MemorySource(mutate(whole, next), 'vmlinux'));
          const kernel = new Kernel(piecesOfImage(image, { btf: { btf, source: 'some.btf' } }));
          const paholeVersion = RELEASES[n % RELEASES.length]!;
          for (const name of NAMES) kernel.missingBtf(name, { paholeVersion });
          await missingBtfOfAll(kernel, { paholeVersion: 131 });
          answered++;
        } catch (error) {
          if (!expected(error)) throw error;
        }
      }
      expect(answered).to.be.greaterThan(0);
    });
  }
});
