import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';

/** How the pages of tables are packed: every engine that reads Parquet unpacks gzip. */
export const GZIP = { codec: 'GZIP', pack: (bytes: Uint8Array): Uint8Array => gzipSync(bytes) } as const;

/** A kernel's BTF, which is half of it all: a tenth less than by gzip, in as much time. */
export const BROTLI = {
  codec: 'BROTLI',
  pack: (bytes: Uint8Array): Uint8Array =>
    brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
} as const;

/** What unpacks pages, to as many bytes as they say at most. */
export const UNPACKERS = {
  GZIP: (bytes: Uint8Array, length: number): Uint8Array => gunzipSync(bytes, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (bytes: Uint8Array, length: number): Uint8Array => brotliDecompressSync(bytes, { maxOutputLength: Math.max(length, 1) }),
} as const;
