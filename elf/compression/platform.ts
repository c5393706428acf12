import { builtIn } from '../built-in.js';
import { FormatError, type Place } from '../errors.js';
import type { Job } from './job.js';
import type { Output } from './output.js';

interface Zlib {
  inflateRawSync(bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number; info: true }): Info;
  inflateSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  zstdDecompressSync?(
    bytes: Uint8Array,
    options: { maxOutputLength: number; chunkSize?: number; params?: Record<number, number> },
  ): Uint8Array;
  readonly constants: { readonly ZSTD_d_windowLogMax?: number };
}

/** What node:zlib takes as a limit at most. */
const LARGEST = 2 ** 32;

/** What zlib functions return under `info: true`: the engine has counted what it took in. */
interface Info {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Undefined in a browser, where there is no synchronous inflate, and the decoders here do all of the work. */
function platformZlib(): Zlib | undefined {
  return builtIn('node:zlib');
}

/**
 * Unpacks a zlib stream of at most `size` bytes with node:zlib; its Adler-32 is verified. Undefined if the platform lacks it. @throws
 * FormatError
 */
export function inflateZlib(bytes: Uint8Array, size: number, place: Place): Uint8Array | undefined {
  const zlib = platformZlib();
  if (zlib === undefined) return undefined;
  return attempt(() => zlib.inflateSync(bytes, { maxOutputLength: Math.max(size, 1) }), 'zlib', place);
}

/**
 * Unpacks the deflate stream at an offset to the job's output with node:zlib, and returns the offset after it. Undefined if the platform
 * lacks it or it does not unpack the stream; the output is then as it was.
 */
export function inflateDeflate(job: Job, offset: number): number | undefined {
  const zlib = platformZlib();
  const { output } = job;
  if (zlib === undefined) return undefined;
  try {
    // One chunk, a byte larger than what is expected, comes back without being copied together from many.
    const { buffer, engine } = zlib.inflateRawSync(job.bytes.subarray(offset), {
      maxOutputLength: Math.min(Math.max(output.left, 1), LARGEST),
      chunkSize: Math.max(output.firstRoom + 1, 1 << 16),
      info: true,
    });
    if (buffer.length > output.left) return undefined;
    output.append(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length));
    return offset + engine.bytesWritten;
  } catch (error) {
    refuseTooLarge(error, output, offset);
    return undefined;
  }
}

/**
 * Unpacks one zstd frame to the job's output with Node's decoder, which verifies its checksum. False if there is no such decoder (Node
 * 22.15 and later have it) or it does not unpack the frame; the output is then as it was.
 */
export function inflateZstd(job: Job, start: number, end: number): boolean {
  const zlib = platformZlib();
  const { output } = job;
  const windowLogMax = zlib?.constants.ZSTD_d_windowLogMax;
  if (zlib?.zstdDecompressSync === undefined || windowLogMax === undefined) return false;
  try {
    const buffer = zlib.zstdDecompressSync(job.bytes.subarray(start, end), {
      maxOutputLength: Math.min(Math.max(output.left, 1), LARGEST),
      chunkSize: Math.max(output.firstRoom + 1, 1 << 16),
      params: { [windowLogMax]: 31 },
    });
    if (buffer.length > output.left) return false;
    output.append(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length));
    return true;
  } catch (error) {
    refuseTooLarge(error, output, start);
    return false;
  }
}

/** What has filled all that the limit leaves need not be unpacked once more, slower, to say so. */
function refuseTooLarge(error: unknown, output: Output, offset: number): void {
  const { left } = output;
  const full = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
  if (full && left > 0 && left <= LARGEST) output.exceed(output.length + left + 1, offset, '');
}

function attempt(unpack: () => Uint8Array, format: string, place: Place): Uint8Array {
  try {
    return unpack();
  } catch (error) {
    throw new FormatError('corrupt', place, `the ${format} stream does not unpack: ${(error as Error).message}`, { cause: error });
  }
}
