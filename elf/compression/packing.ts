import { BZIP2_MAGIC, looksLikeBzip2, unpackBzip2 } from './bzip2.js';
import { GZIP_MAGIC, unpackGzip } from './gzip.js';
import type { Job } from './job.js';
import { LZ4_LEGACY_MAGIC, LZ4_MAGIC, unpackLz4, unpackLz4Legacy } from './lz4.js';
import { LZMA_MAGIC, looksLikeLzma, unpackLzma } from './lzma-alone.js';
import { LZO_MAGIC, unpackLzo } from './lzo.js';
import { hasMagic, wordMagic } from './magic.js';
import { behindSkippable } from './skippable.js';
import { unpackXz, XZ_MAGIC } from './xz.js';
import { unpackZstd, ZSTD_MAGIC } from './zstd.js';

/** The formats that Linux images and modules are packed with. `lzo` is what lzop writes. */
export type Packing = 'gzip' | 'xz' | 'lzma' | 'zstd' | 'lz4' | 'lz4-legacy' | 'bzip2' | 'lzo';

/** What kelf knows of one format. */
interface PackingFormat {
  /** What files that are packed so end in; absent if they share the ending of another format. */
  readonly suffix?: string;
  /** What the packed bytes begin with. */
  readonly magic: readonly number[];
  /** Skippable frames may be before the magic. */
  readonly skippable?: boolean;
  /** What else they have to be, where the magic is too short to tell. */
  readonly looksRight?: (bytes: Uint8Array) => boolean;
  /** Whether the kernel's build packs images with it (arch/Kconfig, HAVE_KERNEL_*). */
  readonly packsKernels: boolean;
  /** Unpacks a job's bytes to its output. @returns the offset after what is packed */
  readonly decode: (job: Job) => number;
}

/**
 * Every format, in the order in which they are searched for. A new one is a row, and its name above: its magic is then recognised, modules
 * with its suffix are found, kernels that it packs are searched for, and `unpack()` unpacks it.
 */
const PACKINGS: Readonly<Record<Packing, PackingFormat>> = {
  gzip: { suffix: '.gz', magic: GZIP_MAGIC, packsKernels: true, decode: unpackGzip },
  xz: { suffix: '.xz', magic: XZ_MAGIC, packsKernels: true, decode: unpackXz },
  lzo: { suffix: '.lzo', magic: LZO_MAGIC, packsKernels: true, decode: unpackLzo },
  bzip2: { suffix: '.bz2', magic: BZIP2_MAGIC, looksRight: looksLikeBzip2, packsKernels: true, decode: unpackBzip2 },
  lzma: { suffix: '.lzma', magic: LZMA_MAGIC, looksRight: looksLikeLzma, packsKernels: true, decode: unpackLzma },
  zstd: { suffix: '.zst', magic: wordMagic(ZSTD_MAGIC), skippable: true, packsKernels: true, decode: unpackZstd },
  lz4: { suffix: '.lz4', magic: wordMagic(LZ4_MAGIC), skippable: true, packsKernels: false, decode: unpackLz4 },
  'lz4-legacy': { magic: wordMagic(LZ4_LEGACY_MAGIC), skippable: true, packsKernels: true, decode: unpackLz4Legacy },
};
const ROWS = Object.entries(PACKINGS) as (readonly [Packing, PackingFormat])[];

/**
 * The format that bytes are packed with, from what they start with; undefined if it is none of those known. `lzma` has no magic: it is
 * said for the header that xz and the kernel's build write (lc=3, lp=0, pb=2, a dictionary of 2^n or 3 * 2^n bytes, a size below 256 GiB).
 */
export function packingOf(bytes: Uint8Array): Packing | undefined {
  let behind: number | undefined;
  for (const [name, { magic, skippable = false, looksRight }] of ROWS) {
    const at = skippable ? (behind ??= behindSkippable(bytes)) : 0;
    if (hasMagic(bytes, at, magic) && (looksRight === undefined || looksRight(bytes))) return name;
  }
  return undefined;
}

/** What unpacks a format. */
export function decoderOf(packing: Packing): PackingFormat['decode'] {
  return PACKINGS[packing].decode;
}

/** What packed files end in: `.gz`, `.xz`, `.zst` … */
export const PACKED_SUFFIXES: readonly string[] = ROWS.flatMap(([, { suffix }]) => suffix ?? []);

/** What a packed kernel may begin with: the first byte of each format that the kernel's build uses. */
export const KERNEL_STARTS: ReadonlySet<number> = new Set(ROWS.flatMap(([, { magic, packsKernels }]) => (packsKernels ? magic[0]! : [])));
