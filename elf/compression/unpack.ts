import { FormatError } from '../errors.js';
import { Job } from './job.js';
import { Output } from './output.js';
import { decoderOf, type Packing, packingOf } from './packing.js';

/** What may come out unless the caller says otherwise: kernels pack to a quarter or a tenth, zeros to a thousandth. */
const MOST = 2 ** 30;
const MOST_OF_FEW = 2 ** 26;
const MOST_RATIO = 32;

/** How to unpack. */
export interface UnpackOptions {
  /** What the bytes are, for messages: the file's name, or that of a part of it. */
  readonly name: string;
  /**
   * The format, where what the bytes are taken from says it; else the first bytes do. A .lzma with other properties than usual needs it.
   */
  readonly format?: Packing;
  /**
   * Most bytes that may come out. Unless given: 64 MiB and 32 for each packed byte, at most 1 GiB, so that a small file does not take much
   * memory. More than that is a FormatError `limit`.
   */
  readonly limit?: number;
  /** How many bytes are expected to come out, as a size word beside the packed bytes says. A wrong hint costs time, no more. */
  readonly sizeHint?: number;
  /**
   * What to do about bytes after the end of what is packed: `error` (unless given) or `ignore`. With `ignore`, members and frames of the
   * same format that follow at once are still unpacked.
   */
  readonly trailing?: 'error' | 'ignore';
  /** Called now and then with how many of the packed bytes are done. gzip is unpacked in one go for each member. */
  readonly onProgress?: (consumed: number, total: number) => void;
}

/** What came out. */
export interface Unpacked {
  readonly format: Packing;
  readonly bytes: Uint8Array;
  /** How many of the packed bytes belong to it; the rest follows it, see {@link UnpackOptions.trailing}. */
  readonly consumed: number;
}

/**
 * Unpacks gzip, xz, lzma, zstd and LZ4; which it is, the first bytes say. Several members, streams or frames one after another
 * unpack to their contents one after another, as the formats' own programs do. Checksums are verified wherever a format has them.
 *
 * @throws FormatError with the offset in the packed bytes: `corrupt`; `truncated`; `limit` for more than `limit` bytes; `unsupported` for
 * what is in no known format, for bzip2 and lzo, and for rare features of the others
 */
export function unpack(bytes: Uint8Array, options: UnpackOptions): Unpacked {
  const { name, format = packingOf(bytes), limit, sizeHint = 0, trailing = 'error', onProgress } = options;
  if (format === undefined) throw new FormatError('unsupported', { name, offset: 0 }, 'is not packed in a format that kelf knows');
  const { decode, program } = decoderOf(format);
  if (decode === undefined) {
    throw new FormatError('unsupported', { name, offset: 0 }, `is packed with ${format}, which kelf cannot unpack; \`${program}\` can`);
  }
  const output = new Output(
    name,
    bytes.length,
    limit ?? Math.min(MOST_OF_FEW + MOST_RATIO * bytes.length, MOST),
    sizeHint,
    limit === undefined,
  );
  const consumed = decode(new Job(bytes, name, output, trailing === 'ignore', onProgress));
  return { format, bytes: output.finish(), consumed };
}
