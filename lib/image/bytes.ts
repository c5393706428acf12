import { FormatError } from '../../elf/errors.js';
import { searchIn } from '../../elf/needle.js';

/** What the line of /proc/version begins with (linux_banner in init/version.c). */
export const BANNER: Uint8Array = new TextEncoder().encode('Linux version ');

/** Whether a kernel's banner is in the bytes: a release follows its first words, which other programs have too. */
export function hasBanner(bytes: Uint8Array): boolean {
  const search = searchIn(bytes);
  for (let at = search(BANNER, 0); at >= 0; at = search(BANNER, at + 1)) if (isDigit(bytes[at + BANNER.length] ?? 0)) return true;
  return false;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A part that a header tells of. @throws FormatError where it does not lie in the file */
export function part(bytes: Uint8Array, start: number, length: number, name: string, at: number): Uint8Array {
  if (length < 16 || start + length > bytes.length) {
    throw new FormatError(
      'truncated',
      { name, offset: at },
      `the header puts the kernel at ${start}, ${length} bytes long; the file has ${bytes.length}`,
    );
  }
  return bytes.subarray(start, start + length);
}

/** Whether a text of Latin-1 is at an offset. */
export function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
