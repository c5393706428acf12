import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { openKernel } from 'kelf';
import { EM, FormatError, MemorySource } from 'kelf/elf';
import { infoOf } from '../../../lib/answers/info.js';
import { ARM64 } from '../../../lib/arch/arm64.js';
import { LOONGARCH } from '../../../lib/arch/loongarch.js';
import { MissingError } from '../../../lib/errors.js';
import { bareImage } from '../../../lib/image/bare-image.js';
import { openKernelImage } from '../../../lib/image/unwrap.js';
import { androidBoot, bzImage, deviceTree, multiImage, peImage, uImage } from '../../support/boot-writer.js';
import { ElfWriter, join } from '../../support/elf-writer.js';
import { type KallsymsLayout, type PackedSymbol, packKallsyms } from '../../support/kallsyms-writer.js';
import { mutate, random } from '../../support/mutate.js';

const TEXT = 0x1000;
const BANNER = 0x8000;
const TABLES = 0x9000;

/**
 * A bare image: 600 functions of an architecture's names, the banner, the tables, and a table of pointers at strings.
 * @param before symbols that stand before these
 */
function image(base: bigint, prefix: string, layout: KallsymsLayout, entry = 'start_kernel', before: PackedSymbol[] = []): Uint8Array {
  const { bits = 64, littleEndian = true } = layout;
  const functions = Array.from(
    { length: 600 },
    (_, i): PackedSymbol => ['T', i === 7 ? entry : `${prefix}function_${i}`, base + BigInt(TEXT + i * 16)],
  );
  const symbols = [...before, ...functions];
  const packed = packKallsyms(symbols, { relativeBase: base + BigInt(TEXT), ...layout }, base + BigInt(TABLES));
  const strings = TABLES + packed.bytes.length + 0x1001;
  const bytes = new Uint8Array(strings + 0x1000);
  const view = new DataView(bytes.buffer);
  bytes.set(packed.bytes, TABLES);
  bytes.set(new TextEncoder().encode('Linux version 4.4.0 (kelf@test) (gcc) #1\n'), BANNER);
  let at = strings;
  for (let i = 0; i < 64; i++) {
    const text = 'driver'.padEnd(6 + ((i * 7) % 13), 'x');
    bytes.set(new TextEncoder().encode(text), at);
    const value = base + BigInt(at);
    if (bits === 32) view.setUint32(0x6000 + i * 4, Number(value), littleEndian);
    else view.setBigUint64(0x6000 + i * 8, value, littleEndian);
    at += text.length + 1;
  }
  return bytes;
}

const OLD: KallsymsLayout = { encoding: 'absolute', longLengths: false, wideCounts: true, addressesLast: false, sequences: false };
const ARM_BASE = 0xc000_8000n;
const arm = image(ARM_BASE, 'arm_', { ...OLD, bits: 32, align: 16 });
const mips = image(0x8010_0000n, 'mips_', { ...OLD, bits: 32, align: 16, littleEndian: false });
const mips64 = image(0xffff_ffff_8010_0000n, 'mips_', { ...OLD, align: 256 });
const ppc = image(0xc000_0000n, 'ppc_', { ...OLD, bits: 32, align: 16, littleEndian: false });
const i386 = image(0xc010_0000n, 'x86_', { ...OLD, bits: 32 });
/** arm's zImage: its magic number at 0x24, and behind the boot code the packed image. */
const zImage = ((): Uint8Array => {
  const code = new Uint8Array(0x1000);
  new DataView(code.buffer).setUint32(0x24, 0x016f2818, true);
  return join(code, gzipSync(arm));
})();
const vmlinux = new ElfWriter().file({
  type: 2,
  sections: [{ name: '.text', type: 1, flags: 6, address: 0x1000n, data: new Uint8Array(64) }],
});

interface Opened {
  readonly form: string;
  readonly machine: number;
  readonly address: string | undefined;
}

async function open(bytes: Uint8Array): Promise<Opened> {
  const kernel = await openKernel(bytes);
  return {
    form: kernel.pieces.form.join(', '),
    machine: kernel.machine,
    address: kernel.symbols.addressOf('start_kernel')?.toString(16),
  };
}

const START_OF_ARM = 'c0009070';

describe('what kernels are wrapped in', () => {
  it('a unified kernel image has it in .linux', () => {
    const { form } = openKernelImage(
      new MemorySource(peImage({ '.osrel': new Uint8Array(8), '.linux': bzImage(gzipSync(vmlinux)) }), 'uki'),
    );
    expect(form).to.deep.equal(['unified kernel image', 'x86 bzImage', 'gzip', 'ELF']);
  });

  it('a uImage, of a zImage or of what is packed, of one file or of several', async () => {
    const expected = { machine: EM.ARM, address: START_OF_ARM };
    expect(await open(uImage(zImage, 2))).to.deep.equal({ form: 'uImage, arm zImage', ...expected });
    expect(await open(multiImage([zImage, new Uint8Array(100)], 2))).to.deep.equal({ form: 'uImage, arm zImage', ...expected });
    expect(await open(uImage(gzipSync(arm), 2, { packing: 1 }))).to.deep.equal({ form: 'uImage, gzip, raw image', ...expected });
    const packed = (bytes: Uint8Array, machine: number): Promise<Opened> => open(uImage(gzipSync(bytes), machine, { packing: 1 }));
    expect(await packed(mips, 5)).to.deep.equal({ form: 'uImage, gzip, raw image', machine: EM.MIPS, address: '80101070' });
    expect(await packed(mips64, 5)).to.deep.include({ machine: EM.MIPS, address: 'ffffffff80101070' });
    expect(await packed(ppc, 7)).to.deep.include({ machine: 20, address: 'c0001070' });
  });

  it('a FIT image: the kernel of its default configuration, inside or behind the tree', async () => {
    const kernel = { type: 'kernel', arch: 'arm', compression: 'none' };
    const images = { 'kernel-1': { ...kernel, data: new Uint8Array(64) }, 'kernel-2': { ...kernel, data: zImage } };
    const configurations = { default: 'conf-2', 'conf-1': { kernel: 'kernel-1' }, 'conf-2': { kernel: 'kernel-2' } };
    const expected = { form: 'FIT image, arm zImage', machine: EM.ARM, address: START_OF_ARM };
    expect(await open(deviceTree({ images, configurations }))).to.deep.equal(expected);
    const external = { images: { kernel: { ...kernel, 'data-offset': 16, 'data-size': zImage.length } } };
    expect(await open(deviceTree(external, join(new Uint8Array(16), zImage)))).to.deep.equal(expected);
  });

  for (const version of [0, 1, 2, 3, 4]) {
    it(`Android's boot image of version ${version}`, async () => {
      const form = 'Android boot image, arm zImage';
      expect(await open(androidBoot(zImage, version))).to.deep.equal({ form, machine: EM.ARM, address: START_OF_ARM });
    });
  }

  it('a device tree may be appended, to a zImage or to a packed image', async () => {
    const tree = deviceTree({ model: 'board' });
    expect((await open(join(zImage, tree))).address).to.equal(START_OF_ARM);
    expect((await open(androidBoot(join(gzipSync(arm), tree), 2))).form).to.equal('Android boot image, gzip, raw image');
  });

  it('an image without a header is told by its symbols', async () => {
    expect(await open(arm)).to.deep.equal({ form: 'raw image', machine: EM.ARM, address: START_OF_ARM });
    expect(await open(mips)).to.deep.include({ machine: EM.MIPS, address: '80101070' });
    expect(await open(i386)).to.deep.include({ machine: EM.I386, address: 'c0101070' });
    const riscv32 = image(0xc000_0000n, 'riscv_', { bits: 32, longLengths: false, addressesLast: false, sequences: false });
    expect(await open(riscv32)).to.deep.include({ machine: EM.RISCV, address: 'c0001070' });
    const unknown = image(0xc000_0000n, 'sh_', { ...OLD, bits: 32 });
    expect(await open(unknown).catch((error: Error) => error.message)).to.match(/do not tell its architecture$/);
    expect(await open(gzipSync(ppc))).to.deep.include({ form: 'gzip, raw image', machine: 20 });
  });

  it('of several kinds of one width and byte order, the names of functions tell', () => {
    const kinds = [ARM64.rawImage, LOONGARCH.rawImage];
    const bytes = image(LOONGARCH.rawImage.start as bigint, 'loongarch_', {});
    expect(bareImage(bytes, kinds, 'Image').header.machine).to.equal(EM.LOONGARCH);
    expect(() => bareImage(image(0x8000_0000n, 'sh_', {}), kinds, 'Image')).to.throw(MissingError, /do not tell its architecture$/);
  });

  it('a bzImage before boot protocol 2.08 has the image behind its code', async () => {
    const bytes = bzImage(join(new Uint8Array(100).fill(0x90), gzipSync(i386)), { protocol: 0x204 });
    expect(await open(bytes)).to.deep.equal({ form: 'x86 bzImage', machine: EM.I386, address: 'c0101070' });
  });

  it('the vmlinuz of MIPS is an ELF file around it', async () => {
    const data = join(new Uint8Array(256).fill(1), gzipSync(mips));
    const bytes = new ElfWriter(32, false).file({
      type: 2,
      machine: EM.MIPS,
      sections: [{ name: '.data', type: 1, flags: 3, address: 0x8100_0000n, data }],
      segments: [{ type: 1, section: '.data', address: 0x8100_0000n }],
    });
    expect(await open(bytes)).to.deep.equal({ form: 'mips vmlinuz', machine: EM.MIPS, address: '80101070' });
  });

  it('a label that is not at the start of the image is not taken for it', async () => {
    // MIPS: _text is not listed, and _stext is behind the vectors.
    const shifted = image(0x8010_0000n, 'mips_', { ...OLD, bits: 32, align: 16, littleEndian: false }, 'start_kernel', [
      ['T', '_stext', 0x8010_0400n],
    ]);
    expect(await open(uImage(gzipSync(shifted), 5, { packing: 1 }))).to.deep.include({ machine: EM.MIPS, address: '80101070' });
    expect((await openKernel(shifted)).image!.memory.regions[0]!.address).to.equal(0x8010_0000n);
  });

  it('the header of a bzImage tells the version of a kernel without a banner', async () => {
    const kernel = await openKernel(bzImage(gzipSync(withFunction()), { version: '6.0.1 (kelf@test) #1 PREEMPT' }));
    expect(kernel.banner).to.equal('Linux version 6.0.1 (kelf@test) #1 PREEMPT');
    expect(kernel.release).to.equal('6.0.1');
  });

  it('the banner tells the release of a kernel without symbols', async () => {
    const text = new Uint8Array(256);
    text.set(new TextEncoder().encode('Linux version \0Linux version 6.0.0-tiny (kelf@test) #1\n'));
    const elf = new ElfWriter().file({ type: 2, sections: [{ name: '.rodata', type: 1, flags: 2, address: 0x1000n, data: text }] });
    const kernel = await openKernel(elf);
    expect(kernel.release).to.equal('6.0.0-tiny');
    const { release, symbols, symbolsMissing } = infoOf(kernel);
    expect({ release, symbols }).to.deep.equal({ release: '6.0.0-tiny', symbols: undefined });
    expect(symbolsMissing).to.be.a('string');
  });

  it('may be damaged anywhere: a result or a FormatError', () => {
    const next = random(7);
    const files = [
      uImage(zImage, 2),
      androidBoot(zImage, 2),
      deviceTree({ images: { k: { type: 'kernel', data: vmlinux } } }),
      peImage({ '.linux': vmlinux }),
    ];
    for (let i = 0; i < 400; i++) {
      const file = files[i % files.length]!;
      const bytes = join(mutate(file.slice(0, 4200), next), file.subarray(4200));
      try {
        openKernelImage(new MemorySource(bytes, 'damaged'));
      } catch (error) {
        if (!(error instanceof FormatError) && (error as Error).name !== 'MissingError') throw error;
      }
    }
  });
});

/** An ELF file of one function and no banner. */
function withFunction(): Uint8Array {
  const writer = new ElfWriter();
  return writer.file({
    type: 2,
    sections: [
      { name: '.text', type: 1, flags: 6, address: 0x1000n, data: new Uint8Array(64) },
      ...writer.symbols([{ name: 'start_kernel', value: 0x1000n, size: 16n, type: 2, binding: 1, section: 1 }]),
    ],
  });
}

describe('what is no kernel of Linux', () => {
  const text = (value: string): Uint8Array => join(new Uint8Array(1024).fill(1), new TextEncoder().encode(value), new Uint8Array(1024));
  const core = new ElfWriter().file({ type: 4 });
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['Memtest86+', bzImage(text('Memtest86+ v6.10'), { length: 0 }), /is Memtest86\+, not a Linux kernel$/],
    ['iPXE', bzImage(new Uint8Array(4096), { protocol: 0x207, version: '1.21.1+git' }), /boots as Linux does, of version 1\.21\.1\+git/],
    ['a vmcore', core, /is a core dump \(vmcore\)/],
    ['a kdump', join(new TextEncoder().encode('KDUMP   '), new Uint8Array(4096)), /kdump-compressed core dump/],
    ["Android's vendor_boot", join(new TextEncoder().encode('VNDRBOOT'), new Uint8Array(4096)), /vendor_boot: the vendor's RAM disk/],
    ['an init_boot', androidBoot(new Uint8Array(0), 4), /boot image without a kernel, such as init_boot/],
    ['a RAM disk in a uImage', uImage(new Uint8Array(64), 2, { type: 3 }), /holds no Linux kernel: it is a RAM disk/],
    ['a device tree', deviceTree({ model: 'board' }), /is a device tree, without a kernel/],
    ['a PE image', peImage({ '.text': new Uint8Array(64) }), /is a PE image without a kernel/],
    ['an initramfs', join(new TextEncoder().encode('070701'), new Uint8Array(600)), /is a cpio archive/],
  ];
  for (const [what, bytes, message] of cases) {
    it(`is refused by its name: ${what}`, () => {
      expect(() => openKernelImage(new MemorySource(bytes, 'file'))).to.throw(FormatError, message);
    });
  }

  it('is refused by its name: a hypervisor with tables like kallsyms', async () => {
    const symbols = async (bytes: Uint8Array): Promise<number> => {
      const elf = new ElfWriter(32).file({
        type: 2,
        machine: EM.ARM,
        sections: [{ name: '.text', type: 1, flags: 7, address: ARM_BASE, data: bytes }],
        segments: [{ type: 1, section: '.text', address: ARM_BASE }],
      });
      return (await openKernel(elf)).symbols.count;
    };
    const failure = (bytes: Uint8Array): Promise<string> =>
      symbols(bytes).then(
        () => 'read',
        (error: Error) => error.message,
      );
    expect(await symbols(arm)).to.equal(600);
    const other = image(ARM_BASE, 'xen_', { ...OLD, bits: 32, align: 16 }, '__start_xen').fill(0, BANNER, BANNER + 64);
    expect(await failure(other)).to.match(/has tables like kallsyms, but no banner of Linux: it is another kernel or a hypervisor$/);
    other.set(new TextEncoder().encode('Xen version %d.%d%s (%s %s)'), BANNER);
    expect(await failure(other)).to.match(/is the Xen hypervisor, not a Linux kernel$/);
  });
});
