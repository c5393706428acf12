import { FormatError } from '../../elf/errors.js';
import { searchIn } from '../../elf/needle.js';
import { hasBanner, hasText } from './bytes.js';
import { peSections } from './wrappers.js';

// What is given for a kernel, and is none: it is refused by its name.

/** Files that begin otherwise, or have a mark at some offset. */
const MARKS: readonly (readonly [offset: number, mark: string, what: string])[] = [
  [0, 'KDUMP   ', 'a kdump-compressed core dump (makedumpfile): crash and drgn read it'],
  [0, 'DISKDUMP', 'a diskdump core dump: crash reads it'],
  [0, 'makedumpfile', 'a flattened core dump (makedumpfile -F): makedumpfile -R makes a dump of it'],
  [0, 'EMiL', 'a memory dump of LiME'],
  [0, 'hsqs', 'a squashfs file system: a kernel may be a file in it'],
  [0, '070701', 'a cpio archive, such as an initramfs'],
  [0, '070702', 'a cpio archive, such as an initramfs'],
  [0, '!<arch>\n', 'an ar archive, such as a .deb package or a library'],
  [0, '\xed\xab\xee\xdb', 'an RPM package'],
  [0, 'PK\x03\x04', 'a zip archive'],
  [0, 'QFI\xfb', 'a qcow2 disk image'],
  [0, '\x3a\xff\x26\xed', 'an Android sparse image: simg2img unpacks it'],
  [0, 'AVB0', "Android's vbmeta"],
  [0, '\xcf\xfa\xed\xfe', 'a Mach-O file'],
  [257, 'ustar', 'a tar archive'],
  [0x8001, 'CD001', 'a CD image'],
  [510, '\x55\xaa', 'a boot sector or a disk image'],
];

type Texts = readonly (readonly [text: string, what: string])[];

/** Programs that boot as a kernel does, by a text that no Linux kernel has. GNU Mach has a banner of Linux's, with the drivers it took. */
const NEVER_IN_LINUX: Texts = [
  ['Xen version %d.%d', 'the Xen hypervisor'],
  ['Memtest86+', 'Memtest86+'],
  ['GNU Mach ', 'GNU Mach'],
];
/** Others, by a text that a driver may have too. */
const NOT_BESIDE_A_BANNER: Texts = [
  ['iPXE', 'iPXE'],
  ['gPXE', 'gPXE'],
  ['MEMDISK', 'the MEMDISK of Syslinux'],
  ['grub_', 'GRUB'],
  ['U-Boot ', 'U-Boot'],
  ['FreeBSD ', 'a kernel of FreeBSD'],
  ['OpenBSD ', 'a kernel of OpenBSD'],
  ['NetBSD ', 'a kernel of NetBSD'],
];

const encoder = new TextEncoder();

/** What a file is that is no kernel of Linux's; undefined if nothing tells. */
export function foreignFile(bytes: Uint8Array): string | undefined {
  const mark = MARKS.find(([offset, text]) => hasText(bytes, offset, text));
  return mark?.[2] ?? foreignProgram(bytes) ?? (peSections(bytes) === undefined ? undefined : 'a PE image without a kernel (.linux)');
}

/** What a program is that boots as a kernel does; undefined for others. */
export function foreignProgram(bytes: Uint8Array): string | undefined {
  const texts = hasBanner(bytes) ? NEVER_IN_LINUX : [...NEVER_IN_LINUX, ...NOT_BESIDE_A_BANNER];
  const search = searchIn(bytes);
  return texts.find(([text]) => search(encoder.encode(text), 0) >= 0)?.[1];
}

export function refuseForeign(name: string, what: string): never {
  throw new FormatError('unsupported', { name }, `is ${what}, not a Linux kernel`);
}
