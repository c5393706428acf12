import { FormatError } from '../../elf/errors.js';
import { hasText } from './bytes.js';

const BLOCK = 512;
/** Typeflags of regular files; NUL as tar wrote it before POSIX. */
const REGULAR = new Set(['0', '\0', '7']);
/** Headers that stand in front of another one, and name it: of pax and of GNU. */
const PAX = 'x';
const LONG_NAME = 'L';

/** A file in an archive. */
export interface TarMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Whether bytes are a tar archive of POSIX or of GNU. */
export function isTar(bytes: Uint8Array): boolean {
  return hasText(bytes, 257, 'ustar');
}

/**
 * The regular files of a tar archive (pax(1), tar(5)), in its order.
 * @throws FormatError for a header that is damaged, and for a file that goes on behind the archive's end
 */
export function tarMembers(bytes: Uint8Array, name: string): TarMember[] {
  const members: TarMember[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    // An archive ends with blocks of zeros.
    if (header.every(byte => byte === 0)) break;
    const place = { name, offset: at };
    if (!isTar(header) || checksumOf(header) !== octal(header, 148, 8))
      throw new FormatError('corrupt', place, 'the checksum of a tar header is wrong');
    const size = octal(header, 124, 12);
    if (!(size <= bytes.length - at - BLOCK)) throw new FormatError('truncated', place, 'a file goes on behind the end of the tar archive');
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    const type = String.fromCharCode(header[156]!);
    if (type === LONG_NAME) longName = text(content, 0, content.length);
    else if (type === PAX) longName = paxPath(content) ?? longName;
    else {
      if (REGULAR.has(type)) members.push({ name: longName ?? nameOf(header), bytes: content });
      longName = undefined;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

/** The sum of a header's bytes, those of the checksum taken for spaces. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
}

/** A number in octal digits; NaN for anything else. */
function octal(header: Uint8Array, at: number, length: number): number {
  const digits = text(header, at, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function nameOf(header: Uint8Array): string {
  const prefix = text(header, 345, 155);
  // GNU's header has other things there: `ustar` and two spaces.
  return prefix === '' || !hasText(header, 257, 'ustar\0') ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
}

/** A record of pax is its length, a space, `path=NAME` and a line's end. */
function paxPath(content: Uint8Array): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(content))?.[1];
}

function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
