import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { type AddressEncoding, decodeKallsyms, kallsymsLocation } from 'kelf/kallsyms';
import { type KallsymsImage, type KallsymsLayout, memoryOf, type PackedSymbol, packKallsyms } from '../support/kallsyms-writer.js';

/** 600 symbols: more than two markers' worth. One name has enough different letters to take more than 127 tokens. */
function sample(base: bigint): PackedSymbol[] {
  const symbols: PackedSymbol[] = [];
  for (let i = 0; i < 600; i++) {
    const letter = 'tTdBrW'[i % 6]!;
    symbols.push([
      letter,
      ['sys_read', 'do_exit.cold', '__x64_sys_open', 'tty_write'][i % 4]! + (i % 7 === 0 ? '' : `_${i}`),
      base + BigInt(i * 16),
    ]);
  }
  // Every pair of letters once, so that there is little to compress.
  let long = '';
  for (let i = 65; i < 75; i++) for (let j = 65; j < 75; j++) long += String.fromCharCode(i, j);
  symbols.push(['t', long, base + 0x4000n]);
  return symbols;
}

function rows(image: KallsymsImage): PackedSymbol[] {
  return [...decodeKallsyms(memoryOf(image), image.location, 'image').symbols].map(({ type, name, address }) => [type, name, address]);
}

function failure(image: KallsymsImage, changed: Uint8Array = image.bytes, location: Partial<KallsymsImage['location']> = {}): string {
  try {
    decodeKallsyms(memoryOf(image, changed), { ...image.location, ...location }, 'image');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `${error.code} ${error.message}`;
  }
  return 'decoded';
}

describe('decodeKallsyms', () => {
  const base64 = 0xffffffff81000000n;
  const base32 = 0xc0300000n;
  // What scripts/kallsyms.c wrote over time.
  const releases: [string, KallsymsLayout][] = [
    ['4.5', { encoding: 'absolute', longLengths: false, wideCounts: true, addressesLast: false, sequences: false }],
    ['4.6', { encoding: 'base-relative', longLengths: false, wideCounts: true, addressesLast: false, sequences: false }],
    ['4.20', { encoding: 'base-relative', longLengths: false, addressesLast: false, sequences: false }],
    ['6.1', { encoding: 'base-relative', addressesLast: false, sequences: false }],
    ['6.2', { encoding: 'base-relative', addressesLast: false }],
    ['6.4', { encoding: 'base-relative' }],
    ['6.4, whole addresses', { encoding: 'absolute' }],
    ['7.0', { encoding: 'place-relative' }],
  ];
  for (const [release, layout] of releases) {
    for (const bits of [64, 32] as const) {
      for (const littleEndian of [true, false]) {
        it(`reads the tables of ${release}, ${bits} bits, ${littleEndian ? 'little' : 'big'} endian`, () => {
          const base = bits === 64 ? base64 : base32;
          const symbols = sample(base);
          const image = packKallsyms(symbols, { ...layout, bits, littleEndian, relativeBase: base }, base + 0x10_0000n);
          expect(image.longest).to.be.within(128, 255);
          expect(rows(image)).to.deep.equal(symbols);
          expect(decodeKallsyms(memoryOf(image), image.location, 'image').encoding).to.equal(layout.encoding);
        });
      }
    }
  }

  for (const [release, layout] of [
    ['4.6', { longLengths: false, wideCounts: true, addressesLast: false, sequences: false }],
    ['6.12', {}],
  ] as const) {
    it(`reads the percpu symbols of x86-64, as ${release} has them`, () => {
      const percpu: PackedSymbol[] = [
        ['A', 'fixed_percpu_data', 0n],
        ['D', 'cpu_debug_store', 0x1000n],
      ];
      const symbols = [...percpu, ...sample(base64)];
      const image = packKallsyms(symbols, { ...layout, encoding: 'absolute-percpu', relativeBase: base64 });
      expect(rows(image)).to.deep.equal(symbols);
    });
  }

  it('reads whole addresses under the label of offsets, as 32-bit kernels of 7.0 have them', () => {
    const symbols = sample(base32);
    const image = packKallsyms(symbols, { bits: 32, encoding: 'absolute', addressesAsOffsets: true }, 0xc0a00000n);
    expect(rows(image)).to.deep.equal(symbols);
    expect(decodeKallsyms(memoryOf(image), image.location, 'image').encoding).to.equal('absolute' satisfies AddressEncoding);
  });

  it('reads a table too small to tell how its lengths are written', () => {
    const symbols = sample(base64).slice(0, 3);
    expect(rows(packKallsyms(symbols))).to.deep.equal(symbols);
  });

  it('finds its labels by name, and needs all of them but the base', () => {
    const labels = new Map<string, bigint>([
      ['kallsyms_num_syms', 1n],
      ['kallsyms_names', 2n],
      ['kallsyms_markers', 3n],
      ['kallsyms_token_table', 4n],
      ['kallsyms_token_index', 5n],
      ['kallsyms_offsets', 6n],
    ]);
    const location = { numSyms: 1n, names: 2n, markers: 3n, tokenTable: 4n, tokenIndex: 5n, offsets: 6n };
    expect(kallsymsLocation(name => labels.get(name))).to.deep.equal(location);
    labels.set('kallsyms_relative_base', 7n);
    expect(kallsymsLocation(name => labels.get(name))).to.deep.equal({ ...location, relativeBase: 7n });
    for (const name of [...labels.keys()].slice(0, 6))
      expect(kallsymsLocation(other => (other === name ? undefined : labels.get(other)))).to.equal(undefined);
  });

  describe('refuses', () => {
    const image = packKallsyms(sample(base64));
    const at = (label: keyof KallsymsImage['location']): number => Number(image.location[label]! - image.address);
    const changed = (offset: number, ...bytes: number[]): Uint8Array => {
      const copy = image.bytes.slice();
      copy.set(bytes, offset);
      return copy;
    };

    it('more symbols than the packed names can hold', () => {
      expect(failure(image, changed(at('numSyms'), 255, 255, 255, 127))).to.match(/^bad-value image: 2147483647 symbols do not fit/);
    });

    it('no symbols', () => {
      expect(failure(image, changed(at('numSyms'), 0, 0, 0, 0))).to.match(/^bad-value/);
    });

    it('a name of no tokens', () => {
      expect(failure(image, changed(at('names'), 0))).to.match(/^bad-value image\+0x0: symbol 0 has 0 tokens/);
    });

    it('a token outside of the token table', () => {
      expect(failure(image, changed(at('tokenIndex') + 2 * 116, 255, 255))).to.match(/^out-of-range image: token 116 begins at 65535/);
    });

    it('tables that lie outside of the image', () => {
      expect(failure(image, image.bytes, { offsets: 0n })).to.match(/^out-of-range/);
      expect(failure(image, image.bytes, { tokenIndex: image.address + (1n << 40n) })).to.match(/^out-of-range/);
      expect(failure(image, image.bytes, { markers: image.address + (1n << 62n) })).to.match(/^out-of-range/);
      expect(failure(image, image.bytes, { markers: image.location.names - 8n })).to.match(/^bad-value/);
    });

    it('a symbol longer than any kernel has', () => {
      const token = 'x'.repeat(40);
      const long = packKallsyms([
        ['t', token.repeat(25), base64],
        ['t', token, base64 + 1n],
      ]);
      expect(rows(long)).to.have.length(2);
      const longer = packKallsyms([
        ['t', token.repeat(30), base64],
        ['t', token, base64 + 1n],
      ]);
      expect(failure(longer)).to.match(/^limit image\+0x0: symbol 0 expands to more than 1024 bytes/);
    });

    it('names that unpack to many times their size, before the memory is taken', () => {
      // One token of 1,000 bytes and 20,000 symbols of that token: 2 bytes stand for 1,000.
      const names = Array.from({ length: 20_000 }, (_, i): PackedSymbol => ['t', 'a', base64 + BigInt(i)]);
      const small = packKallsyms(names);
      const bomb = bombOf(small);
      expect(failure(small, bomb.bytes, bomb.location)).to.match(/^limit image.*unpack/);
    });
  });
});

/** The same names under a token table whose every token is 1,000 bytes long. */
function bombOf(image: KallsymsImage): { bytes: Uint8Array; location: Partial<KallsymsImage['location']> } {
  const table = image.bytes.length;
  const bytes = new Uint8Array(table + 1008 + 512);
  bytes.set(image.bytes);
  bytes.fill(0x74, table, table + 1000);
  return { bytes, location: { tokenTable: image.address + BigInt(table), tokenIndex: image.address + BigInt(table + 1008) } };
}
