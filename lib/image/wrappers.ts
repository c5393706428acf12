import { EM } from '../../elf/constants.js';
import { FormatError } from '../../elf/errors.js';
import type { RawImageKind } from '../arch/architecture.js';
import { ARM } from '../arch/arm.js';
import { ARM64 } from '../arch/arm64.js';
import { I386 } from '../arch/i386.js';
import { MIPS } from '../arch/mips.js';
import { RISCV } from '../arch/riscv.js';
import { S390 } from '../arch/s390.js';
import { X86_64 } from '../arch/x86-64.js';
import { hasText, part, viewOf } from './bytes.js';
import { type DeviceTreeNode, readDeviceTree } from './device-tree.js';

/** A kernel as a boot loader or a vendor wraps it: what is inside is looked at again. */
export interface Wrapper {
  readonly form: string;
  readonly inside: Uint8Array;
  /** What it is if it turns out to be the bare image: the header says which machine's. */
  readonly raw?: readonly RawImageKind[] | undefined;
}

/**
 * Recognises what is around the image that a kernel's build makes; undefined for anything else.
 * @throws FormatError for one without a kernel, and for a header that puts it outside of the file
 */
export function wrapperOf(bytes: Uint8Array, name: string): Wrapper | undefined {
  return (
    unifiedKernelImage(bytes, name) ??
    legacyUImage(bytes, name) ??
    fitImage(bytes, name) ??
    androidBoot(bytes, name) ??
    mediatekHeader(bytes, name)
  );
}

/** PE images: `PE\0\0` at the offset at 0x3c; the section headers of 40 bytes are behind the optional header. */
function unifiedKernelImage(bytes: Uint8Array, name: string): Wrapper | undefined {
  const section = peSections(bytes)?.find(({ title }) => title === '.linux');
  return section === undefined
    ? undefined
    : { form: 'unified kernel image', inside: part(bytes, section.offset, section.size, name, section.header) };
}

interface PeSection {
  readonly title: string;
  readonly offset: number;
  readonly size: number;
  readonly header: number;
}

/** The sections of a PE image; undefined for another file. */
export function peSections(bytes: Uint8Array): PeSection[] | undefined {
  if (!hasText(bytes, 0, 'MZ') || bytes.length < 0x40) return undefined;
  const view = viewOf(bytes);
  const pe = view.getUint32(0x3c, true);
  if (!hasText(bytes, pe, 'PE\0\0') || pe + 24 > bytes.length) return undefined;
  const first = pe + 24 + view.getUint16(pe + 20, true);
  const sections: PeSection[] = [];
  for (let i = 0, at = first; i < view.getUint16(pe + 6, true) && at + 40 <= bytes.length; i++, at += 40) {
    const title = String.fromCharCode(...bytes.subarray(at, at + 8)).replace(/\0.*$/s, '');
    // What is in memory may be less than what is in the file, which is filled up to a multiple of the file's alignment.
    const size = Math.min(view.getUint32(at + 16, true), view.getUint32(at + 8, true) || Number.POSITIVE_INFINITY);
    sections.push({ title, offset: view.getUint32(at + 20, true), size, header: at });
  }
  return sections;
}

const IH_MAGIC = 0x27051956;
const IH_OS_LINUX = 5;
/** IH_TYPE_*: what may be a kernel, and what is named where it is not. */
const IMAGE_TYPES: Readonly<Record<number, string>> = {
  1: 'a standalone program',
  3: 'a RAM disk',
  5: 'firmware',
  6: 'a script',
  7: 'a file system',
  8: 'a device tree',
};
const KERNEL_TYPES: ReadonlySet<number> = new Set([2, 4, 14]); // kernel, multi-file, kernel without a load address
const MULTI = 4;

/** U-Boot's include/image.h: a header of 64 bytes, big-endian. A multi-file image begins with the sizes of its parts; the kernel is the first. */
function legacyUImage(bytes: Uint8Array, name: string): Wrapper | undefined {
  if (bytes.length < 64 || viewOf(bytes).getUint32(0) !== IH_MAGIC) return undefined;
  const view = viewOf(bytes);
  const [system, machine, type] = [bytes[28]!, bytes[29]!, bytes[30]!];
  if (!KERNEL_TYPES.has(type) || system !== IH_OS_LINUX) {
    const what = IMAGE_TYPES[type] ?? (system === IH_OS_LINUX ? `of type ${type}` : `for operating system ${system}`);
    throw new FormatError('unsupported', { name, offset: 28 }, `is a U-Boot image, but holds no Linux kernel: it is ${what}`);
  }
  // A download that was cut off still tells; what unpacks it says where it ends.
  const data = bytes.subarray(64, Math.min(bytes.length, 64 + view.getUint32(12)));
  const raw = KINDS_BY_UBOOT[machine];
  if (type !== MULTI) return { form: 'uImage', inside: data, raw };
  let table = 0;
  while (table + 4 <= data.length && viewOf(data).getUint32(table) !== 0) table += 4;
  return { form: 'uImage', inside: part(data, table + 4, viewOf(data).getUint32(0), name, 64), raw };
}

const PPC32: RawImageKind = { machine: 20, is64: false, littleEndian: false, relocates: false, start: ['_text', '_stext', '_start'] };
const PPC64: RawImageKind = { ...PPC32, machine: EM.PPC64, is64: true };
const X86_32_KIND: RawImageKind = {
  machine: I386.machine,
  is64: false,
  littleEndian: true,
  relocates: false,
  start: ['_text', 'startup_32'],
};
const X86_64_KIND: RawImageKind = {
  machine: X86_64.machine,
  is64: true,
  littleEndian: true,
  relocates: false,
  start: ['_text', 'startup_64'],
};
const mips = (is64: boolean, littleEndian: boolean): RawImageKind => ({
  machine: MIPS.machine,
  is64,
  littleEndian,
  relocates: false,
  start: ['_text', '_stext'],
});

/** What a raw image of MIPS may be: it has no header. */
export const MIPS_KINDS: readonly RawImageKind[] = [mips(false, true), mips(false, false), mips(true, true), mips(true, false)];
export const X86_KINDS: readonly RawImageKind[] = [X86_32_KIND, X86_64_KIND];
const ARM_KINDS: readonly RawImageKind[] = [ARM.rawImage, { ...ARM.rawImage, littleEndian: false }];

const RISCV_KINDS: readonly RawImageKind[] = [RISCV.rawImage, { ...RISCV.rawImage, is64: false, relocates: false }];

/** Every kind of raw image, for one that nothing says more of. Those of 32 bits first: in one, no table fits words of 64. */
export const ANY_KIND: readonly RawImageKind[] = [
  ...ARM_KINDS,
  ...MIPS_KINDS,
  ...X86_KINDS,
  PPC32,
  PPC64,
  { ...PPC64, littleEndian: true },
  ARM64.rawImage,
  ...RISCV_KINDS,
  S390.rawImage,
];

/** IH_ARCH_* of U-Boot's include/image.h. */
const KINDS_BY_UBOOT: Readonly<Record<number, readonly RawImageKind[]>> = {
  2: ARM_KINDS,
  3: X86_KINDS,
  5: MIPS_KINDS,
  6: MIPS_KINDS,
  7: [PPC32, PPC64],
  22: [ARM64.rawImage],
  24: X86_KINDS,
  26: RISCV_KINDS,
};

/** The names of these architectures in a FIT image (uimage_arch of U-Boot's boot/image.c). */
const KINDS_BY_NAME: Readonly<Record<string, readonly RawImageKind[]>> = {
  arm: ARM_KINDS,
  arm64: [ARM64.rawImage],
  mips: MIPS_KINDS,
  mips64: MIPS_KINDS,
  powerpc: [PPC32, PPC64],
  ppc: [PPC32, PPC64],
  riscv: RISCV_KINDS,
  x86: X86_KINDS,
  x86_64: X86_KINDS,
};

/**
 * A flattened image tree (U-Boot's doc/usage/fit/source_file_format.rst): a device tree whose node `images` has the files, inside as
 * `data` or behind the tree at `data-offset`. The kernel is that of the default configuration, or the first.
 */
function fitImage(bytes: Uint8Array, name: string): Wrapper | undefined {
  const tree = readDeviceTree(bytes, name);
  if (tree === undefined) return undefined;
  const images = tree.root.child('images');
  const kernels = (images?.children ?? []).filter(node => /^kernel/.test(node.text('type') ?? ''));
  if (images === undefined || kernels.length === 0) {
    throw new FormatError('unsupported', { name }, `is a device tree${images === undefined ? '' : ' of images'}, without a kernel`);
  }
  const configurations = tree.root.child('configurations');
  const chosen = configurations?.child(configurations.text('default') ?? '')?.text('kernel');
  const kernel = kernels.find(node => node.name === chosen) ?? kernels[0]!;
  const raw = KINDS_BY_NAME[kernel.text('arch') ?? ''];
  return { form: 'FIT image', inside: dataOf(kernel, bytes, tree.size, name), raw };
}

function dataOf(node: DeviceTreeNode, bytes: Uint8Array, treeSize: number, name: string): Uint8Array {
  const inside = node.property('data');
  if (inside !== undefined) return inside;
  const [offset, position, size] = [node.word('data-offset'), node.word('data-position'), node.word('data-size')];
  const start = position ?? (offset === undefined ? undefined : Math.ceil(treeSize / 4) * 4 + offset);
  if (start === undefined || size === undefined)
    throw new FormatError('bad-value', { name }, `the FIT image's kernel ${node.name} has no data`);
  return part(bytes, start, size, name, 0);
}

/** system/tools/mkbootimg/include/bootimg/bootimg.h: pages of kernel, RAM disk and more behind the header; since version 3, pages of 4 KiB. */
function androidBoot(bytes: Uint8Array, name: string): Wrapper | undefined {
  if (hasText(bytes, 0, 'VNDRBOOT')) {
    const message = "is Android's vendor_boot: the vendor's RAM disk and device tree, without a kernel; that is in boot.img";
    throw new FormatError('unsupported', { name }, message);
  }
  if (!hasText(bytes, 0, 'ANDROID!') || bytes.length < 48) return undefined;
  const view = viewOf(bytes);
  const size = view.getUint32(8, true);
  // Before versions, the size of a device tree was here.
  const version = view.getUint32(40, true);
  const page = version === 3 || version === 4 ? 4096 : view.getUint32(36, true);
  if (size === 0) {
    const message = 'is an Android boot image without a kernel, such as init_boot: the kernel is in boot.img';
    throw new FormatError('unsupported', { name, offset: 8 }, message);
  }
  return { form: 'Android boot image', inside: part(bytes, page, size, name, 8) };
}

/** What MediaTek's boot loader wants in front: a magic number, the size, and a name, in 512 bytes. */
function mediatekHeader(bytes: Uint8Array, name: string): Wrapper | undefined {
  if (bytes.length < 512 || viewOf(bytes).getUint32(0, true) !== 0x58881688) return undefined;
  return { form: 'MediaTek image', inside: part(bytes, 512, Math.min(viewOf(bytes).getUint32(4, true), bytes.length - 512), name, 4) };
}
