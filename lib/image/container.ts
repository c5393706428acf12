import { FormatError } from '../../elf/errors.js';
import type { RawImageKind } from '../arch/architecture.js';
import { ARM } from '../arch/arm.js';
import { ARM64 } from '../arch/arm64.js';
import { LOONGARCH } from '../arch/loongarch.js';
import { RISCV } from '../arch/riscv.js';
import { S390 } from '../arch/s390.js';
import { hasText, part, viewOf } from './bytes.js';
import { X86_KINDS } from './wrappers.js';

/** What a boot image is found to be: packed bytes with more inside, or the bare image itself. */
export type Container =
  | { readonly form: string; readonly payload: Uint8Array; readonly sizeHint?: number; readonly version?: string | undefined }
  /** The payload stands somewhere after the boot code: `search` tries every place where a packed stream may begin. */
  | { readonly form: string; readonly search: Uint8Array; readonly raw: readonly RawImageKind[]; readonly version?: string | undefined }
  | { readonly form: string; readonly raw: readonly RawImageKind[] };

/**
 * Recognises the containers that kernels boot from, by their headers; undefined for anything else.
 * @throws FormatError for a header whose payload does not lie in the file
 */
export function containerOf(bytes: Uint8Array, name: string): Container | undefined {
  return (
    x86BzImage(bytes, name) ??
    efiZboot(bytes, name) ??
    arm64Image(bytes) ??
    riscvImage(bytes) ??
    loongarchImage(bytes) ??
    armZImage(bytes) ??
    s390BzImage(bytes)
  );
}

/**
 * Documentation/arch/x86/boot.rst: `HdrS` at 0x202; payload_offset and payload_length since protocol 2.08, of 2.6.26. Before, the kernel
 * is packed as a raw image behind the code that unpacks it.
 */
function x86BzImage(bytes: Uint8Array, name: string): Container | undefined {
  if (!hasText(bytes, 0x202, 'HdrS') || bytes.length < 0x250) return undefined;
  const view = viewOf(bytes);
  const form = 'x86 bzImage';
  const version = versionOf(bytes);
  const setup = ((bytes[0x1f1] || 4) + 1) * 512;
  if (view.getUint16(0x206, true) < 0x208) return { form, search: bytes.subarray(setup), raw: X86_KINDS, version };
  const length = view.getUint32(0x24c, true);
  if (length === 0) throw new FormatError('unsupported', { name, offset: 0x24c }, 'boots as a Linux kernel does, and has no packed kernel');
  const payload = part(bytes, setup + view.getUint32(0x248, true), length, name, 0x248);
  // Packed with anything but gzip, which has a size of its own, the payload ends with the size (scripts/Makefile.lib, size_append).
  if (payload[0] === 0x1f && payload[1] === 0x8b) return { form, payload, version };
  const sizeHint = viewOf(payload).getUint32(payload.length - 4, true);
  return { form, payload: payload.subarray(0, -4), sizeHint, version };
}

/** Longer versions are none. */
const LONGEST_VERSION = 256;

/** kernel_version: `6.1.0-56-amd64 (builder@host) #1 SMP …`, at 0x200 from the offset at 0x20e. */
function versionOf(bytes: Uint8Array): string | undefined {
  const offset = viewOf(bytes).getUint16(0x20e, true);
  const text = bytes.subarray(0x200 + offset, 0x200 + offset + LONGEST_VERSION);
  const end = text.indexOf(0);
  return offset === 0 || end <= 0 ? undefined : new TextDecoder('latin1').decode(text.subarray(0, end));
}

/** drivers/firmware/efi/libstub/zboot-header.S: `MZ`, `zimg`, then offset, size and the name of the compression. */
function efiZboot(bytes: Uint8Array, name: string): Container | undefined {
  if (!hasText(bytes, 0, 'MZ') || !hasText(bytes, 4, 'zimg') || bytes.length < 0x40) return undefined;
  const view = viewOf(bytes);
  return { form: 'EFI zboot image', payload: part(bytes, view.getUint32(8, true), view.getUint32(12, true), name, 8) };
}

/** Documentation/arch/arm64/booting.rst */
function arm64Image(bytes: Uint8Array): Container | undefined {
  if (!hasText(bytes, 0x38, 'ARM\x64') || bytes.length < 64) return undefined;
  const view = viewOf(bytes);
  const littleEndian = (view.getUint32(24, true) & 1) === 0;
  return { form: 'arm64 Image', raw: [{ ...ARM64.rawImage, littleEndian, memorySize: sizeWord(view, 16) }] };
}

/** Documentation/arch/riscv/boot-image-header.rst */
function riscvImage(bytes: Uint8Array): Container | undefined {
  if (!hasText(bytes, 0x30, 'RISCV\0\0\0') || bytes.length < 64) return undefined;
  return { form: 'riscv Image', raw: [{ ...RISCV.rawImage, memorySize: sizeWord(viewOf(bytes), 16) }] };
}

/** arch/loongarch/kernel/head.S */
function loongarchImage(bytes: Uint8Array): Container | undefined {
  if (!hasText(bytes, 0, 'MZ') || bytes.length < 64 || viewOf(bytes).getUint32(0x38, true) !== 0x818223cd) return undefined;
  return { form: 'loongarch Image', raw: [{ ...LOONGARCH.rawImage, memorySize: sizeWord(viewOf(bytes), 16) }] };
}

const ZIMAGE_MAGIC = 0x016f2818;

/** arch/arm/boot/compressed/head.S: a magic number at 0x24, in the byte order of the data; the boot code, then the packed image. */
function armZImage(bytes: Uint8Array): Container | undefined {
  if (bytes.length < 0x40) return undefined;
  const littleEndian = viewOf(bytes).getUint32(0x24, true) === ZIMAGE_MAGIC;
  if (!littleEndian && viewOf(bytes).getUint32(0x24, false) !== ZIMAGE_MAGIC) return undefined;
  return { form: 'arm zImage', search: bytes, raw: [{ ...ARM.rawImage, littleEndian }] };
}

/** arch/s390/boot/head.S */
function s390BzImage(bytes: Uint8Array): Container | undefined {
  return hasText(bytes, 0x10008, 'S390EP') ? { form: 's390 bzImage', search: bytes.subarray(0x10000), raw: [S390.rawImage] } : undefined;
}

/** A size of memory; headers of foreign files may say anything, and more than 4 GiB is not believed. */
function sizeWord(view: DataView, at: number): number {
  const size = view.getBigUint64(at, true);
  return size < 2n ** 32n ? Number(size) : 0;
}
