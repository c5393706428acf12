import { mostUnpacked } from '../../../elf/allowance.js';
import { unpack } from '../../../elf/compression/unpack.js';
import { unpackZlib } from '../../../elf/compression/zlib.js';
import { FormatError, isFormatError } from '../../../elf/errors.js';
import type { ByteSource } from '../../../elf/source.js';
import { objectAtStart } from './elf-object.js';
import type { Find, Finder, Form } from './find.js';
import { type Decoded, decodeBase64, decodeHex, decodeList, decodeLiteral, Text } from './text.js';

// Objects that source code and strings hold as text, and packed ones.

/** What a packed object may come to: BPF objects are no larger than some megabytes. */
const MOST_UNPACKED = 1 << 26;
/** What a stream is let out to at first. */
const FIRST_LOOK = 1 << 16;
/** A packed object that is larger than this is not looked at. */
const MOST_PACKED = 1 << 25;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `"\x7f\x45\x4c\x46…"` and its kin: `\177ELF`, `\x7fELF`, in literals that end at a quote and go on in the next one. */
export const STRING_LITERAL: Finder = {
  sourceOnly: true,
  needles: [ascii('\\x7f'), ascii('\\x7F'), ascii('\\177')],
  examine: (source, offset) => textual('string literal', source, offset, decodeLiteral),
};

/** `0x7f, 0x45, 0x4c, 0x46, …`, `127, 69, 76, 70, …`, `[127 69 76 70 …]`. */
export const BYTE_LIST: Finder = {
  sourceOnly: true,
  needles: [ascii('0x7f'), ascii('0x7F'), ascii('127,'), ascii('127 '), ascii('127\n'), ascii('127u')],
  examine: (source, offset) => (isWithinWord(source, offset) ? offset + 1 : textual('byte list', source, offset, decodeList)),
};

/** `7f454c4602…` */
export const HEX_STRING: Finder = {
  sourceOnly: false,
  needles: [ascii('7f454c4602'), ascii('7F454C4602')],
  examine: (source, offset) => textual('hex string', source, offset, decodeHex),
};

/** Base64 of an ELF magic with ELFCLASS64: 7f 45 4c 46 02 and the first bits of the byte order. */
export const BASE64: Finder = {
  sourceOnly: false,
  needles: [ascii('f0VMRgI')],
  examine: (source, offset) => textual('base64', source, offset, decodeBase64),
};

/** Base64 of the magic of gzip and its only method: 1f 8b 08. */
export const BASE64_GZIP: Finder = {
  sourceOnly: false,
  needles: [ascii('H4sI')],
  examine: (source, offset) => textual('base64 of gzip', source, offset, decodeBase64, bytes => unpacked(source, bytes)?.bytes),
};

/** Base64 of what zlib's levels begin with: 78 01, 78 5e, 78 9c, 78 da. */
export const BASE64_ZLIB: Finder = {
  sourceOnly: false,
  needles: ['eAE', 'eAF', 'eAG', 'eAH', 'eF4', 'eF5', 'eF6', 'eF7', 'eJw', 'eJx', 'eJy', 'eJz', 'eNo', 'eNp', 'eNq', 'eNr'].map(ascii),
  examine: (source, offset) =>
    isWithinWord(source, offset) ? offset + 1 : textual('base64 of zlib', source, offset, decodeBase64, bytes => inflated(source, bytes)),
};

/** Base64 of the magic of zstd: 28 b5 2f fd. */
export const BASE64_ZSTD: Finder = {
  sourceOnly: false,
  needles: [ascii('KLUv/')],
  examine: (source, offset) => textual('base64 of zstd', source, offset, decodeBase64, bytes => unpacked(source, bytes)?.bytes),
};

/** gzip as it is, with the flags that programs write: none, or a name. */
export const GZIP: Finder = {
  sourceOnly: false,
  needles: [Uint8Array.of(0x1f, 0x8b, 8, 0), Uint8Array.of(0x1f, 0x8b, 8, 8)],
  examine: packed('gzip'),
};

export const ZSTD: Finder = { sourceOnly: false, needles: [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)], examine: packed('zstd') };

function textual(
  form: Form,
  source: ByteSource,
  offset: number,
  decode: (text: Text) => Decoded,
  unwrap: (bytes: Uint8Array) => Uint8Array | undefined = bytes => bytes,
): Find | number {
  const { bytes, extent } = decode(new Text(source, offset));
  const object = unwrap(bytes);
  const find = object === undefined ? undefined : objectAtStart(form, object, offset, extent);
  return find ?? offset + Math.max(extent, 1);
}

/** Whether a letter or a digit is before an offset: the text there is the end of a longer one. */
function isWithinWord(source: ByteSource, offset: number): boolean {
  return offset > 0 && /[\w+/]/.test(String.fromCharCode(source.read(offset - 1, 1)[0]!));
}

function packed(form: 'gzip' | 'zstd'): Finder['examine'] {
  return (source, offset) => {
    const found = unpacked(source, source.read(offset, Math.min(source.size - offset, MOST_PACKED)));
    const find = found === undefined ? undefined : objectAtStart(form, found.bytes, offset, found.consumed);
    return find ?? offset + Math.max(found?.consumed ?? 1, 1);
  };
}

function unpacked(source: ByteSource, bytes: Uint8Array): { readonly bytes: Uint8Array; readonly consumed: number } | undefined {
  // A header, no data and a trailer take 20 bytes.
  if (bytes.length < 20) return undefined;
  return within(source, limit => {
    const found = unpack(bytes, { name: 'packed', limit, trailing: 'ignore' });
    return { ...found, length: found.bytes.length };
  });
}

function inflated(source: ByteSource, bytes: Uint8Array): Uint8Array | undefined {
  // An object has a header of 64 bytes, and a table of sections behind it.
  if (bytes.length < 64) return undefined;
  return within(source, limit => unpackZlib(bytes, limit, { name: 'base64' }));
}

/** What may still come out of a file, of all that is packed in it. */
const budgets = new WeakMap<ByteSource, { left: number }>();

/**
 * Unpacks what is somewhere in a file, where it can be. Magic numbers are everywhere: little is let out before more is.
 * @throws FormatError `limit` where the file has been unpacked to many times its size
 */
function within<T extends { readonly length: number }>(source: ByteSource, read: (limit: number) => T): T | undefined {
  let budget = budgets.get(source);
  if (budget === undefined) budgets.set(source, (budget = { left: mostUnpacked(source.size) }));
  for (const limit of [FIRST_LOOK, MOST_UNPACKED]) {
    if (budget.left <= 0)
      throw new FormatError('limit', { name: source.name }, `unpacks to more than ${mostUnpacked(source.size)} bytes, here and there`);
    const most = Math.min(limit, budget.left);
    let cost = most;
    try {
      const found = read(most);
      cost = found.length;
      return found;
    } catch (error) {
      if (!isFormatError(error)) throw error;
      // Node's own inflate says corrupt of what is too long, too.
      if (limit === MOST_UNPACKED || (error.code !== 'limit' && !/larger than|more than/.test(error.message))) return undefined;
    } finally {
      budget.left -= cost;
    }
  }
  return undefined;
}
