import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { decodeKallsyms, type KallsymsLocation } from 'kelf/kallsyms';
import { type KallsymsImage, type KallsymsLayout, memoryOf, type PackedSymbol, packKallsyms } from '../support/kallsyms-writer.js';
import { mutate, random } from '../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 20_000);
const BASE = 0xffffffff81000000n;
/** Distances between labels that no image can have, and some that it can. */
const DISTANCES = [0n, 1n, 4n, 8n, 256n, 1n << 20n, 1n << 31n, 1n << 32n, 1n << 40n, 1n << 53n, 1n << 63n, -1n, -8n, -(1n << 40n)];

function decode(image: KallsymsImage, bytes: Uint8Array, location: KallsymsLocation): void {
  try {
    const { symbols } = decodeKallsyms(memoryOf(image, bytes), location, 'image');
    expect(symbols.count).to.be.at.most(bytes.length);
    for (const { name, row } of symbols) if (row < 8) symbols.find(name);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('damaged kallsyms tables', () => {
  const symbols = Array.from(
    { length: 300 },
    (_, i): PackedSymbol => ['t', i % 3 === 0 ? 'tty_write' : `sys_${i % 50}`, BASE + BigInt(i * 16)],
  );
  const layouts: [string, KallsymsLayout][] = [
    ['absolute, before 4.6', { encoding: 'absolute', longLengths: false, wideCounts: true, addressesLast: false, sequences: false }],
    ['base-relative', {}],
    ['absolute-percpu', { encoding: 'absolute-percpu' }],
    ['place-relative, big endian', { encoding: 'place-relative', littleEndian: false }],
    ['place-relative, 32 bits', { encoding: 'place-relative', bits: 32 }],
  ];
  for (const [what, layout] of layouts) {
    const image = packKallsyms(symbols, { ...layout, relativeBase: BASE });
    it(`give a result or a FormatError: ${what}`, () => {
      const next = random(image.bytes.length);
      for (let i = 0; i < CASES / layouts.length; i++) {
        const damaged = next(8) === 0 ? image.bytes : mutate(image.bytes, next);
        const location: Record<string, bigint> = { ...image.location };
        if (damaged === image.bytes || next(8) === 0) {
          const labels = Object.keys(location);
          const label = labels[next(labels.length)]!;
          location[label] = BigInt.asUintN(64, location[label]! + DISTANCES[next(DISTANCES.length)]!);
        }
        try {
          decode(image, damaged, location as unknown as KallsymsLocation);
        } catch (error) {
          const labels = Object.entries(location).map(([name, value]) => `${name} 0x${value.toString(16)}`);
          throw new Error(`case ${i}: ${labels.join(', ')}: ${Buffer.from(damaged).toString('hex')}`, { cause: error });
        }
      }
    });
  }
});
