import { FormatError } from '../../elf/errors.js';
import type { RawImageKind } from '../arch/architecture.js';
import { ARM } from '../arch/arm.js';
import { ARM64 } from '../arch/arm64.js';
import { LOONGARCH } from '../arch/loongarch.js';
import { RISCV } from '../arch/riscv.js';
import { S390 } from '../arch/s390.js';

/** What a file is found to be: packed bytes with more inside, or a raw image. */
export type Container =
  | { readonly form: string; readonly payload: Uint8Array; readonly sizeHint?: number; readonly format?: string }
  /** The payload stands somewhere after the boot code: `search` tries every place where a packed stream may begin. */
  | { readonly form: string; readonly search: Uint8Array; readonly raw: RawImageKind }
  | { readonly form: string; readonly raw: RawImageKind };

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

/** Documentation/arch/x86/boot.rst: `HdrS` at 0x202; payload_offset and payload_length since protocol 2.08. */
function x86BzImage(bytes: Uint8Array, name: string): Container | undefined {
  if (!hasText(bytes, 0x202, 'HdrS') || bytes.length < 0x250) return undefined;
  const view = viewOf(bytes);
  const version = view.getUint16(0x206, true);
  if (version < 0x208) {
    throw new FormatError(
      'unsupported',
      { name, offset: 0x206 },
      `boot protocol ${version >> 8}.${version & 255} does not tell where the packed kernel is`,
    );
  }
  const start = ((bytes[0x1f1] || 4) + 1) * 512 + view.getUint32(0x248, true);
  const payload = part(bytes, start, view.getUint32(0x24c, true), name, 0x248);
  // Packed with anything but gzip, which has a size of its own, the payload ends with the size (scripts/Makefile.lib, size_append).
  if (payload[0] === 0x1f && payload[1] === 0x8b) return { form: 'x86 bzImage', payload };
  const sizeHint = viewOf(payload).getUint32(payload.length - 4, true);
  return { form: 'x86 bzImage', payload: payload.subarray(0, -4), sizeHint };
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
  return { form: 'arm64 Image', raw: { ...ARM64.rawImage, littleEndian, memorySize: sizeWord(view, 16) } };
}

/** Documentation/arch/riscv/boot-image-header.rst */
function riscvImage(bytes: Uint8Array): Container | undefined {
  if (!hasText(bytes, 0x30, 'RISCV\0\0\0') || bytes.length < 64) return undefined;
  return { form: 'riscv Image', raw: { ...RISCV.rawImage, memorySize: sizeWord(viewOf(bytes), 16) } };
}

/** arch/loongarch/kernel/head.S */
function loongarchImage(bytes: Uint8Array): Container | undefined {
  if (!hasText(bytes, 0, 'MZ') || bytes.length < 64 || viewOf(bytes).getUint32(0x38, true) !== 0x818223cd) return undefined;
  return { form: 'loongarch Image', raw: { ...LOONGARCH.rawImage, memorySize: sizeWord(viewOf(bytes), 16) } };
}

/** arch/arm/boot/compressed/head.S: a magic number at 0x24, the boot code, then the packed image. */
function armZImage(bytes: Uint8Array): Container | undefined {
  if (bytes.length < 0x40 || viewOf(bytes).getUint32(0x24, true) !== 0x016f2818) return undefined;
  return { form: 'arm zImage', search: bytes, raw: ARM.rawImage };
}

/** arch/s390/boot/head.S */
function s390BzImage(bytes: Uint8Array): Container | undefined {
  return hasText(bytes, 0x10008, 'S390EP') ? { form: 's390 bzImage', search: bytes.subarray(0x10000), raw: S390.rawImage } : undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A size of memory; headers of foreign files may say anything, and more than 4 GiB is not believed. */
function sizeWord(view: DataView, at: number): number {
  const size = view.getBigUint64(at, true);
  return size < 2n ** 32n ? Number(size) : 0;
}

function part(bytes: Uint8Array, start: number, length: number, name: string, at: number): Uint8Array {
  if (length < 16 || start + length > bytes.length) {
    throw new FormatError(
      'truncated',
      { name, offset: at },
      `the header puts the packed kernel at ${start}, ${length} bytes long; the file has ${bytes.length}`,
    );
  }
  return bytes.subarray(start, start + length);
}

function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
