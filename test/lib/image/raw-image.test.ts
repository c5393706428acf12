import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Kernel, kernelExports, openKernel } from 'kelf';
import { ElfFile, FormatError } from 'kelf/elf';
import type { RawImageKind } from '../../../lib/arch/architecture.js';
import { ARM } from '../../../lib/arch/arm.js';
import { ARM64 as ARM64_KERNELS } from '../../../lib/arch/arm64.js';
import { RISCV } from '../../../lib/arch/riscv.js';
import { S390 } from '../../../lib/arch/s390.js';
import { piecesOfImage } from '../../../lib/facts/pieces-of-image.js';
import { elfAround } from '../../../lib/image/elf-around.js';
import { analyseRawImage } from '../../../lib/image/raw-image.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { cli } from '../../support/cli.js';
import { type KallsymsLayout, type PackedSymbol, packKallsyms } from '../../support/kallsyms-writer.js';

const [ARM32, ARM64, RISCV64, S390X] = [ARM, ARM64_KERNELS, RISCV, S390].map(({ rawImage }) => rawImage) as [
  RawImageKind,
  RawImageKind,
  RawImageKind,
  RawImageKind,
];

// Images are made of text, the packed table, exports and relocations, at offsets of their own.

const TEXT = 0x1000;
const TABLES = 0x10000;
const BANNER = 0x9000;
const EXPORTS = 0x40000;
const RELOCATIONS = 0x50000;
const SIZE = 0x60000;
/** The digits have to be tokens: every name has one. */
const NAMES = Array.from({ length: 600 }, (_, i) => `function_${String(i).padStart(3, '0')}`);
const EXPORTED = [...NAMES.slice(0, 40), ...NAMES.slice(20, 60).map(name => name)].map((name, i) => ({ name, gpl: i >= 40 }));

interface Made {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly base: bigint;
  /** What the tables are, as addresses. */
  readonly relativeBase: bigint | undefined;
}

/** An image at `base`, whose symbols are 16 bytes apart, whose 16 digits of text stand in front of the names. */
function image(base: bigint, layout: KallsymsLayout, data: readonly PackedSymbol[] = []): Made {
  const symbols: PackedSymbol[] = [
    ...[...'0123456789'].map((digit, i): PackedSymbol => ['T', `${digit}_`, base + BigInt(TEXT + i)]),
    ...NAMES.map((name, i): PackedSymbol => ['T', name, base + BigInt(TEXT + 16 + i * 16)]),
    ...data,
  ];
  const packed = packKallsyms(symbols, { relativeBase: base + BigInt(TEXT), ...layout }, base + BigInt(TABLES));
  const bytes = new Uint8Array(SIZE);
  bytes.set(packed.bytes, TABLES);
  bytes.set(new TextEncoder().encode('Linux version 6.1.0 (kelf@test)'), BANNER);
  return { bytes, view: new DataView(bytes.buffer), base, relativeBase: packed.location.relativeBase };
}

const offsetOf = (name: string): number => TEXT + 16 + NAMES.indexOf(name) * 16;

/** Writes `__ksymtab`, `__ksymtab_gpl`, the checksums of both, and the names. */
function exports({ bytes, view, base }: Made, little: boolean, width: 4 | 8, relative: boolean): void {
  const size = width * 3;
  let string = EXPORTS + EXPORTED.length * (size + 4);
  const empty = string;
  string++;
  const strings = new Map<string, number>();
  for (const { name } of EXPORTED) {
    if (strings.has(name)) continue;
    strings.set(name, string);
    bytes.set(new TextEncoder().encode(name), string);
    string += name.length + 1;
  }
  EXPORTED.forEach(({ name }, i) => {
    [offsetOf(name), strings.get(name)!, empty].forEach((target, field) => {
      const at = EXPORTS + i * size + field * width;
      if (relative) view.setInt32(at, target - at, little);
      else if (width === 4) view.setUint32(at, Number(base) + target, little);
      else view.setBigUint64(at, base + BigInt(target), little);
    });
    view.setUint32(EXPORTS + EXPORTED.length * size + i * 4, 0x1000 + i, little);
  });
}

function rela({ view, base }: Made, little: boolean, entries: readonly (readonly [place: number, type: bigint, addend: bigint])[]): void {
  entries.forEach(([place, type, addend], i) => {
    const at = RELOCATIONS + i * 24;
    view.setBigUint64(at, base + BigInt(place), little);
    view.setBigUint64(at + 8, type, little);
    view.setBigUint64(at + 16, addend, little);
  });
}

function open({ bytes }: Made, kind: RawImageKind): Kernel {
  return new Kernel(piecesOfImage(ElfFile.open(elfAround(analyseRawImage(bytes, kind, 'Image'), 'Image'))));
}

function expectAll(kernel: Kernel, base: bigint): void {
  expect(kernel.symbols.addressOf('function_007')).to.equal(base + BigInt(offsetOf('function_007')));
  const found = kernelExports(kernel)!;
  expect(found.map(({ name, gpl }) => ({ name, gpl }))).to.deep.equal(EXPORTED);
  expect(found.map(({ address }) => address)).to.deep.equal(EXPORTED.map(({ name }) => base + BigInt(offsetOf(name))));
  expect(found[41]!.crc).to.equal(0x1000 + 41);
}

describe('raw images', () => {
  const base = 0xffff_8000_0800_0000n;

  it('are linked where RELA says, whose words are zero in the file', () => {
    const made = image(base, {});
    exports(made, true, 4, true);
    const at = Number(made.relativeBase! - base);
    made.view.setBigUint64(at, 0n, true);
    const pointers = NAMES.slice(0, 64).map((name, i) => [0x48000 + i * 8, 0x403n, base + BigInt(offsetOf(name))] as const);
    rela(made, true, [[at, 0x403n, base + BigInt(TEXT)], ...pointers]);
    const kernel = open(made, ARM64);
    expectAll(kernel, base);
    expect(kernel.image!.memory.word(base + 0x48008n)).to.equal(base + BigInt(offsetOf('function_001')));
    expect(kernel.image!.section('.rela.dyn')!.size).to.equal(65 * 24);
  });

  it('are images, not BTF alone, though a section is made for their BTF and none for their text', async () => {
    const made = image(base, {});
    exports(made, true, 4, true);
    const rows = NAMES.slice(0, 64).map((name, i) => [0x48000 + i * 8, 0x403n, base + BigInt(offsetOf(name))] as const);
    rela(made, true, rows);
    made.bytes.set(new TextEncoder().encode('ARM\x64'), 56);
    const writer = new BtfWriter();
    for (const name of NAMES) writer.func(name, writer.funcProto(0, []));
    made.bytes.set(writer.bytes(), 0x58000);
    await using kernel = await openKernel(made.bytes);
    expect(kernel.btf?.functions().length).to.equal(NAMES.length);
    expect(kernel.symbols.find('function_007')).to.have.length(1);
  });

  it('have no tables of ELF to print', async () => {
    const made = image(base, {});
    exports(made, true, 4, true);
    rela(
      made,
      true,
      NAMES.slice(0, 64).map((name, i) => [0x48000 + i * 8, 0x403n, base + BigInt(offsetOf(name))] as const),
    );
    made.bytes.set(new TextEncoder().encode('ARM\x64'), 56);
    const folder = mkdtempSync(join(tmpdir(), 'kelf-raw-'));
    try {
      const path = join(folder, 'Image');
      writeFileSync(path, made.bytes);
      expect((await cli('kallsyms', path)).stdout).to.include(' T function_007\n');
      for (const command of ['sections', 'segments', 'symbols', 'relocs', 'notes']) {
        const { code, stdout, stderr } = await cli(command, path);
        expect([code, stdout]).to.deep.equal([4, '']);
        expect(stderr).to.match(/^kelf: .* contains no ELF file \(arm64 Image\)[^\n]*\n$/);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are linked where RELR says, whose words hold their values', () => {
    const made = image(base, { encoding: 'place-relative' });
    exports(made, true, 4, true);
    // 40 runs of 64 pointers: an address and a bitmap each; one RELA is left, in front.
    for (let run = 0; run < 40; run++) {
      const from = 0x41000 + run * 0x300;
      for (let i = 0; i < 64; i++) made.view.setBigUint64(from + i * 8, base + BigInt(offsetOf(NAMES[(run * 7 + i) % 600]!)), true);
      made.view.setBigUint64(RELOCATIONS + 24 + run * 16, base + BigInt(from), true);
      made.view.setBigUint64(RELOCATIONS + 32 + run * 16, 0x7fff_ffff_ffff_ffffn, true);
    }
    made.bytes.fill(0, RELOCATIONS, RELOCATIONS + 24);
    rela(made, true, [[0x40ff8, 0x403n, base + BigInt(offsetOf('function_003'))]]);
    const kernel = open(made, ARM64);
    expectAll(kernel, base);
    expect(kernel.image!.section('.relr.dyn')!.size).to.equal(80 * 8);
    expect(kernel.image!.memory.word(base + 0x40ff8n)).to.equal(base + BigInt(offsetOf('function_003')));
    expect(kernel.image!.memory.word(base + 0x41008n)).to.equal(base + BigInt(offsetOf('function_001')));
  });

  it('are linked where their exports say, if all words are final: 32 bits, no label at the start', () => {
    const made = image(0xc020_8000n, { bits: 32 });
    exports(made, true, 4, false);
    const kernel = open(made, ARM32);
    expectAll(kernel, 0xc020_8000n);
  });

  it('are linked where their exports say, if kallsyms is relative to its place', () => {
    const made = image(0xffff_ffff_8000_0000n, { encoding: 'place-relative' });
    exports(made, true, 8, false);
    expectAll(open(made, RISCV64), 0xffff_ffff_8000_0000n);
  });

  it('of 32 bits may have whole addresses in place of offsets', () => {
    const made = image(0xc030_0000n, { bits: 32, encoding: 'absolute', addressesAsOffsets: true });
    exports(made, true, 4, false);
    expectAll(open(made, ARM32), 0xc030_0000n);
  });

  it('of s390 are relocated by symbols too', () => {
    const s390 = 0x10_0000n;
    const made = image(s390, { littleEndian: false });
    exports(made, false, 8, false);
    const at = Number(made.relativeBase! - s390);
    made.view.setBigUint64(at, 0n, false);
    const pointers = NAMES.slice(0, 64).map((name, i) => [0x48000 + i * 8, 12n, s390 + BigInt(offsetOf(name))] as const);
    rela(made, false, [...pointers, [at, (1n << 32n) | 22n, BigInt(TEXT)]]);
    // .dynsym, of the zero entry and of `_text`, stands right in front.
    made.bytes.fill(0, RELOCATIONS - 48, RELOCATIONS);
    made.view.setUint32(RELOCATIONS - 24, 1, false);
    made.bytes[RELOCATIONS - 20] = 0x10;
    made.view.setUint16(RELOCATIONS - 18, 1, false);
    made.view.setBigUint64(RELOCATIONS - 16, s390, false);
    expectAll(open(made, S390X), s390);
  });

  it('are linked where their banner says, if kallsyms lists data: no modules, no exports', () => {
    const base = 0xc001_0000n;
    const made = image(base, { bits: 32, encoding: 'absolute', align: 16, addressesLast: false, sequences: false }, [
      ['R', 'linux_banner', base + BigInt(BANNER)],
    ]);
    expect(open(made, ARM32).symbols.addressOf('function_007')).to.equal(base + BigInt(offsetOf('function_007')));
  });

  it('are linked where pointers at strings say, if nothing else does', () => {
    const base = 0xc001_0000n;
    const made = image(base, { bits: 32, encoding: 'absolute', align: 16, addressesLast: false, sequences: false });
    // Names of drivers, of irregular lengths, and a table of pointers at them.
    let string = 0x48001;
    for (let i = 0; i < 64; i++) {
      made.view.setUint32(0x4a000 + i * 4, Number(base) + string, true);
      made.bytes.set(new TextEncoder().encode('driver'.padEnd(6 + ((i * 7) % 13), 'x')), string);
      string += 7 + ((i * 7) % 13);
    }
    expect(open(made, ARM32).symbols.addressOf('function_007')).to.equal(base + BigInt(offsetOf('function_007')));
  });

  it('of which nothing tells the base are an error', () => {
    const made = image(0xc020_8000n, { bits: 32 });
    expect(() => analyseRawImage(made.bytes, ARM32, 'zImage')).to.throw(FormatError, 'the address at which the image is linked');
  });
});
