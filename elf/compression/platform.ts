import { FormatError, type Place } from '../errors.js';

interface Zlib {
  inflateSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

/**
 * The platform's zlib. Node's is reached without an import, so that this floor still loads in a browser, where there is no synchronous
 * inflate and compressed sections are an error that says so.
 */
function platformZlib(): Zlib | undefined {
  const host = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return host.process?.getBuiltinModule?.('node:zlib') as Zlib | undefined;
}

/** Unpacks a zlib stream of at most `size` bytes; its Adler-32 is verified. */
export function inflateZlib(bytes: Uint8Array, size: number, place: Place): Uint8Array {
  const zlib = platformZlib();
  if (zlib === undefined)
    throw new FormatError('unsupported', place, 'zlib sections are unpacked with node:zlib, which this platform lacks');
  return attempt(() => zlib.inflateSync(bytes, { maxOutputLength: Math.max(size, 1) }), 'zlib', place);
}

/** Unpacks a zstd frame of at most `size` bytes, with Node's own decoder (Node 22.15 and later have one). */
export function unpackZstd(bytes: Uint8Array, size: number, place: Place): Uint8Array {
  const zlib = platformZlib();
  const unpack = zlib?.zstdDecompressSync;
  if (unpack === undefined) {
    throw new FormatError(
      'unsupported',
      place,
      'zstd sections need Node 22.15 or later; `objcopy --decompress-debug-sections` unpacks the file',
    );
  }
  return attempt(() => unpack(bytes, { maxOutputLength: Math.max(size, 1) }), 'zstd', place);
}

function attempt(unpack: () => Uint8Array, format: string, place: Place): Uint8Array {
  try {
    return unpack();
  } catch (error) {
    throw new FormatError('corrupt', place, `the ${format} stream does not unpack: ${(error as Error).message}`, { cause: error });
  }
}
