import { expect } from 'chai';
import { FormatError, type Packing, unpack } from 'kelf/elf';
import { vectors } from '../../support/compressed.js';
import { mutate, random } from '../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 20_000);
/** Formats and files without a checksum: what comes out may be wrong, and nothing can tell. */
const UNCHECKED = /lzma$|legacy\.lz4$|nocrc|nocheck|none|nosize/;
const LIMIT = 1 << 20;

const SEEDS = vectors()
  .filter(({ file }) => !/^zeros|pb4|^repeats.*(bz2|[13].lzo)/.test(file))
  .map(({ file, packed }) => ({ file, packed, whole: Buffer.from(unpack(packed, { name: file }).bytes), checked: !UNCHECKED.test(file) }));

/** Unpacks; undefined for the error that damage is allowed to cause. */
function attempt(packed: Uint8Array, trailing: 'error' | 'ignore', format?: Packing): Uint8Array | undefined {
  try {
    const { bytes, consumed } = unpack(packed, { name: 'damaged', limit: LIMIT, trailing, ...(format === undefined ? {} : { format }) });
    if (consumed > packed.length || bytes.length > LIMIT) throw new Error(`${consumed} bytes consumed, ${bytes.length} unpacked`);
    return bytes;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { offset } = error.place;
    if (offset === undefined || offset < 0 || offset > packed.length)
      throw new Error(`an offset outside: ${error.message}`, { cause: error });
    return undefined;
  }
}

describe('unpack: damaged input', () => {
  // Most of the time would go into writing the stacks of errors that are expected.
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it('every byte of a small file, each in turn: never other bytes where there is a checksum', () => {
    for (const { file, packed, whole, checked } of SEEDS.filter(({ file }) => /^(one|empty|repeats)\./.test(file))) {
      const at = packed.slice();
      for (let i = 0; i < at.length; i += packed.length < 100 ? 1 : 61) {
        for (const flip of [1, 0x10, 0xff]) {
          at[i]! ^= flip;
          const bytes = attempt(at, 'error');
          at[i]! ^= flip;
          if (checked && bytes !== undefined && !whole.equals(bytes)) throw new Error(`${file}: byte ${i} flipped by ${flip}`);
        }
      }
    }
  });

  it(`${CASES} mutations: what was packed, or a FormatError`, () => {
    let survived = 0;
    for (let i = 0; i < CASES; i++) {
      const { file, packed, whole, checked } = SEEDS[i % SEEDS.length]!;
      const damaged = mutate(packed, random(i));
      const bytes = attempt(damaged, 'error');
      if (bytes === undefined) continue;
      survived++;
      // Of several members, those at the end may be cut off cleanly.
      const expected = file.startsWith('twice') ? whole.subarray(0, bytes.length) : whole;
      if (checked && !expected.equals(bytes))
        throw new Error(`case ${i}, ${file}: ${bytes.length} bytes came out of ${damaged.length} damaged ones`);
    }
    expect(survived).to.be.below(CASES);
  });

  it(`${CASES >> 2} mutations with other data allowed behind: an answer or a FormatError`, () => {
    for (let i = 0; i < CASES >> 2; i++) attempt(mutate(SEEDS[i % SEEDS.length]!.packed, random(~i)), 'ignore');
  });

  it('noise behind every magic', () => {
    const next = random(7);
    for (const { packed } of SEEDS) {
      for (let i = 0; i < 4; i++) {
        const noise = Uint8Array.from({ length: 200 }, () => next(256));
        noise.set(packed.subarray(0, 4 + next(12)));
        attempt(noise, 'ignore');
      }
    }
  });
});
