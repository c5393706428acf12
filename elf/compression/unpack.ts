import { mostUnpacked } from '../allowance.js';
import { FormatError } from '../errors.js';
import { Job } from './job.js';
import { Output } from './output.js';
import { decoderOf, type Packing, packingOf } from './packing.js';

/** The limit of the output, where none is given. */
const MOST = 2 ** 30;

/** How to unpack. */
export interface UnpackOptions {
  /** What the bytes are, for messages: the file's name, or that of a part of it. */
  readonly name: string;
  /**
   * The format, if the container tells it; otherwise the first bytes do. A .lzma with unusual properties needs it.
   */
  readonly format?: Packing;
  /**
   * The largest output in bytes. By default 32 MiB plus 16 for each packed byte, at most 1 GiB, so that a small file does not take much
   * memory. More than that is a FormatError `limit`.
   */
  readonly limit?: number;
  /** The expected size of the output, from a size word next to the packed bytes. A wrong hint only costs time. */
  readonly sizeHint?: number;
  /**
   * What to do about bytes after the end of what is packed: `error` (the default) or `ignore`. With `ignore`, members and frames of the
   * same format that follow at once are still unpacked.
   */
  readonly trailing?: 'error' | 'ignore';
  /** Called from time to time with the number of packed bytes done. A gzip member is unpacked in one go. */
  readonly onProgress?: (consumed: number, total: number) => void;
}

/** The output. */
export interface Unpacked {
  readonly format: Packing;
  readonly bytes: Uint8Array;
  /** How many of the packed bytes belong to it; the rest follows it, see {@link UnpackOptions.trailing}. */
  readonly consumed: number;
}

/**
 * Unpacks gzip, xz, lzma, zstd, LZ4, bzip2 and lzo, detected by the first bytes. Several members, streams or frames one after another
 * unpack to their contents one after another, as the formats' own programs do. Checksums are verified wherever a format has them.
 *
 * @throws FormatError with the offset in the packed bytes: `corrupt`; `truncated`; `limit` for more than `limit` bytes; `unsupported` for
 * an unknown format, and for rare features of the others
 */
export function unpack(bytes: Uint8Array, options: UnpackOptions): Unpacked {
  const { name, format = packingOf(bytes), limit, sizeHint = 0, trailing = 'error', onProgress } = options;
  if (format === undefined) throw new FormatError('unsupported', { name, offset: 0 }, 'is not packed in a format that kelf knows');
  const output = new Output(name, bytes.length, limit ?? Math.min(mostUnpacked(bytes.length), MOST), sizeHint, limit === undefined);
  const consumed = decoderOf(format)(new Job(bytes, name, output, trailing === 'ignore', onProgress));
  return { format, bytes: output.finish(), consumed };
}
