import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { type KernelSymbols, provenKallsyms } from 'kelf/kallsyms';
import { type KallsymsLayout, memoryOf, type PackedSymbol, packKallsyms } from '../support/kallsyms-writer.js';
import { mutate, random } from '../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 8_000);
const BASE = 0xffffffff81000000n;
/** Bytes around the tables: what else is in a kernel's read-only data. */
const AROUND = 4096;

/** Every layout that releases have had, 32 and 64 bits, both byte orders. */
const LAYOUTS: readonly (readonly [string, KallsymsLayout])[] = [
  ['absolute, before 4.6', { encoding: 'absolute', longLengths: false, wideCounts: true, addressesLast: false, sequences: false }],
  ['base-relative, 4.20', { longLengths: false, addressesLast: false, sequences: false }],
  ['base-relative, 6.2, big endian', { addressesLast: false, littleEndian: false }],
  ['base-relative, 6.4', {}],
  ['absolute-percpu, 6.4', { encoding: 'absolute-percpu' }],
  ['base-relative, 32 bits', { bits: 32, relativeBase: 0xc0300000n }],
  ['place-relative, 7.0', { encoding: 'place-relative' }],
  ['place-relative, 7.0, big endian', { encoding: 'place-relative', littleEndian: false }],
  ['place-relative, 7.0, at 4 mod 8', { encoding: 'place-relative', align: 4 }],
  [
    'absolute, before 4.6, 256 bytes apart, big endian',
    { encoding: 'absolute', align: 256, longLengths: false, wideCounts: true, addressesLast: false, sequences: false, littleEndian: false },
  ],
  ['base-relative, 4.6, 256 bytes apart', { align: 256, longLengths: false, wideCounts: true, addressesLast: false, sequences: false }],
  [
    'absolute, before 4.6, 32 bits, 16 bytes apart',
    { bits: 32, encoding: 'absolute', align: 16, longLengths: false, addressesLast: false, sequences: false, relativeBase: 0xc0008000n },
  ],
  [
    'absolute, before 4.6, 32 bits',
    { bits: 32, encoding: 'absolute', longLengths: false, addressesLast: false, sequences: false, relativeBase: 0xc1000000n },
  ],
  ['whole addresses, 7.0, 32 bits', { bits: 32, encoding: 'absolute', addressesAsOffsets: true, relativeBase: 0xc0300000n }],
];

function text(symbols: KernelSymbols): string {
  return [...symbols].map(({ address, type, name }) => `${address.toString(16)} ${type} ${name}`).join('\n');
}

describe('the search for kallsyms in damaged images', () => {
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  for (const [what, layout] of LAYOUTS) {
    it(`gives what fits together, or nothing, or a FormatError: ${what}`, () => {
      const base = layout.relativeBase ?? BASE;
      // The functions stand before the tables, in what is around them.
      const symbols = Array.from({ length: 300 }, (_, i): PackedSymbol => ['t', `function_${i}`, base + BigInt(i * 8)]);
      const address = base + BigInt(AROUND) + (layout.align === 4 ? 4n : 0n);
      const packed = packKallsyms(symbols, { relativeBase: base, ...layout }, address);
      const next = random(packed.bytes.length);
      const whole = new Uint8Array(packed.bytes.length + 2 * AROUND);
      for (let at = 0; at < whole.length; at++) whole[at] = next(256);
      // Padding stands around the tables, as the linker leaves it.
      whole.fill(0, AROUND - 64, AROUND + packed.bytes.length + 64);
      whole.set(packed.bytes, AROUND);

      /** undefined where nothing is found, or what is found is damaged */
      const read = (bytes: Uint8Array): KernelSymbols | undefined => {
        try {
          return provenKallsyms(memoryOf({ ...packed, address: address - BigInt(AROUND) }, bytes), 'image');
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          return undefined;
        }
      };

      const expected = symbols.map(([type, name, value]) => `${value.toString(16)} ${type} ${name}`).join('\n');
      if (text(read(whole)!) !== expected) throw new Error(`the whole image: ${text(read(whole)!).slice(0, 200)}`);
      let lost = 0;
      for (let i = 0; i < CASES / LAYOUTS.length; i++) {
        try {
          if (next(2) === 0) {
            // The tables are whole, and what stands around them is not: the same is found.
            const bytes = whole.slice();
            bytes.set(mutate(bytes.slice(0, AROUND - 64), next).subarray(0, AROUND - 64));
            bytes.set(mutate(bytes.slice(-AROUND + 64), next).subarray(0, AROUND - 64), bytes.length - AROUND + 64);
            const found = read(bytes);
            if (found === undefined) lost++;
            else if (text(found) !== expected) throw new Error('other symbols were found');
            continue;
          }
          const bytes = whole.slice();
          bytes.set(mutate(packed.bytes, next), AROUND);
          const found = read(bytes);
          if (found === undefined) continue;
          // There is no checksum: a letter of a name may be another. The table is what it says, in order, each symbol with a name.
          const { count, strings, nameOffset } = found;
          for (let row = 0; row < count; row++) if (nameOffset[row]! >= strings.bytes.length) throw new Error(`symbol ${row} has no name`);
          for (let row = 1; row < count; row++) {
            if (packed.layout.encoding === 'absolute-percpu') break; // small addresses come first, and their base may be damaged
            const [before, at] = [found.address.big[row - 1]!, found.address.big[row]!];
            if (at < before && at > 0x10000n) throw new Error(`symbol ${row} is at ${at.toString(16)}, behind ${before.toString(16)}`);
          }
        } catch (error) {
          throw new Error(`case ${i}`, { cause: error });
        }
      }
      expect(lost).to.equal(0);
    });
  }
});
