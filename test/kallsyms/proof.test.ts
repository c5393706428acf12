import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { type KernelSymbols, provenKallsyms } from 'kelf/kallsyms';
import { type KallsymsLayout, memoryOf, type PackedSymbol, packKallsyms } from '../support/kallsyms-writer.js';

/** Where the tables are, after the functions. */
const TABLES = 0x4000;

interface Made {
  readonly symbols: readonly PackedSymbol[];
  read(change?: (bytes: Uint8Array) => void): KernelSymbols | undefined;
}

/** An image at `base`: functions, a banner at 0x3000, the tables at 0x4000 and more. */
function image(base: bigint, layout: KallsymsLayout, before: readonly PackedSymbol[] = [], shift = 0n): Made {
  const functions = Array.from({ length: 600 }, (_, i): PackedSymbol => ['t', `function_${i}`, base + BigInt(i * 16)]);
  const symbols = [...before, ...functions, ['D', 'linux_banner', base + 0x3000n] satisfies PackedSymbol];
  const packed = packKallsyms(symbols, { relativeBase: base, ...layout }, base + BigInt(TABLES) + shift);
  const bytes = new Uint8Array(TABLES + packed.bytes.length + 0x1000);
  bytes.set(packed.bytes, TABLES + Number(shift));
  bytes.set(new TextEncoder().encode('Linux version 4.4.0 (kelf@test)'), 0x3000);
  return {
    symbols,
    read: change => {
      const copy = bytes.slice();
      change?.(copy);
      return provenKallsyms(memoryOf({ ...packed, address: base }, copy), 'image');
    },
  };
}

const rows = (symbols: KernelSymbols | undefined): PackedSymbol[] =>
  [...symbols!].map(({ type, name, address }) => [type, name, address] as const);

const X86 = 0xffff_ffff_8100_0000n;
const OLD: KallsymsLayout = { longLengths: false, wideCounts: true, addressesLast: false, sequences: false };

describe('the layouts of packed symbols', () => {
  const percpu: PackedSymbol[] = [
    ['D', '__per_cpu_start', 0n],
    ['D', 'irq_stack_union', 0n],
    ['D', 'cpu_tss', 0x4000n],
  ];
  const layouts: readonly (readonly [string, bigint, KallsymsLayout, PackedSymbol[]?, bigint?])[] = [
    ['x86-64 before 4.6: percpu symbols at 0 before the others', X86, { ...OLD, encoding: 'absolute' }, percpu],
    ['i386 before 4.6', 0xc100_0000n, { ...OLD, encoding: 'absolute', bits: 32 }],
    ['i386 before 4.6, with absolute symbols', 0xc100_0000n, { ...OLD, encoding: 'absolute', bits: 32 }, [['A', 'VDSO_PRELINK', 0n]]],
    ['ARM before 4.6: .align 4 is 16 bytes', 0xc000_8000n, { ...OLD, encoding: 'absolute', bits: 32, align: 16 }],
    ['ARM of 4.6 to 4.19', 0xc000_8000n, { ...OLD, bits: 32, align: 16 }],
    ['MIPS, big endian', 0x8000_1000n, { ...OLD, encoding: 'absolute', bits: 32, align: 16, littleEndian: false }],
    [
      'PowerPC of 64 bits: .align 8 is 256 bytes',
      0xc000_0000_0000_0000n,
      { ...OLD, encoding: 'absolute', align: 256, littleEndian: false },
    ],
    ['arm64 of 4.6 to 4.19', 0xffff_0000_0808_0000n, { ...OLD, align: 256 }],
    ['arm64 of 7.0, aligned to 8', 0xffff_8000_8000_0000n, { encoding: 'place-relative', align: 4 }],
    ['arm64 of 7.0, at 4 mod 8', 0xffff_8000_8000_0000n, { encoding: 'place-relative', align: 4 }, [], 4n],
    ['32 bits, relocatable, of 7.0', 0xc000_8000n, { encoding: 'place-relative', bits: 32 }],
    ['s390 of 6.12, big endian', 0x10_0000n, { littleEndian: false }],
  ];
  for (const [what, base, layout, before, shift] of layouts) {
    it(`are told by what is in the image: ${what}`, () => {
      const made = image(base, layout, before, shift);
      expect(rows(made.read())).to.deep.equal(made.symbols);
    });
  }

  it('may have the base of a table that was cut down to text: the first offset is not 0', () => {
    const made = image(0xc000_8000n, { ...OLD, bits: 32, align: 16, relativeBase: 0xc000_7000n });
    expect(rows(made.read())).to.deep.equal(made.symbols);
  });

  it('are refused where a label stands elsewhere', () => {
    const made = image(X86, {});
    expect(() => made.read(bytes => bytes.fill(0x20, 0x3000, 0x3010))).to.throw(
      FormatError,
      /addresses of 601 symbols are in no layout that proves itself: read as base-relative, linux_banner is not at 0xffffffff81003000/,
    );
  });

  it('are refused where functions are outside of the image', () => {
    const made = image(X86, { relativeBase: X86 - 0x100_0000n });
    expect(() =>
      made.read(bytes => {
        // The base is behind the offsets: the one word of its value.
        const view = new DataView(bytes.buffer);
        for (let at = TABLES; at + 8 <= bytes.length; at += 4)
          if (view.getBigUint64(at, true) === X86 - 0x100_0000n) view.setBigUint64(at, X86 + 0x8000_0000n, true);
      }),
    ).to.throw(FormatError, /600 of 600 functions are outside of the image, function_0 at/);
  });
});
