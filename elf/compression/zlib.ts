import { FormatError, type Place } from '../errors.js';
import { adler32 } from './adler.js';
import { Inflater } from './inflate.js';
import { Job } from './job.js';
import { Output } from './output.js';
import { inflateZlib } from './platform.js';

/** Unpacks a zlib stream (RFC 1950) of at most `size` bytes, as compressed sections are; its Adler-32 is verified. @throws FormatError */
export function unpackZlib(bytes: Uint8Array, size: number, place: Place): Uint8Array {
  return inflateZlib(bytes, size, place) ?? inflateHere(bytes, size, place);
}

/**
 * Where the platform has no synchronous inflate, as in a browser. Errors are of the stream, as the platform's are: whatever is wrong in it.
 */
function inflateHere(bytes: Uint8Array, size: number, place: Place): Uint8Array {
  try {
    return inflate(bytes, size, place.name);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError('corrupt', place, `the zlib stream does not unpack: ${error.message}`, { cause: error });
  }
}

function inflate(bytes: Uint8Array, size: number, name: string): Uint8Array {
  const output = new Output(name, bytes.length, size, size);
  const job = new Job(bytes, name, output, true);
  const method = job.u8(0);
  const flags = job.u8(1);
  if ((method & 15) !== 8 || ((method << 8) | flags) % 31 !== 0) job.fail('corrupt', 0, 'no zlib header is here');
  if ((flags & 0x20) !== 0) job.fail('corrupt', 1, 'it needs a dictionary');
  const end = new Inflater(job, 2).run();
  job.need(end, 4);
  const content = output.finish();
  const stored = job.view.getUint32(end);
  const found = adler32(content);
  if (stored !== found) job.fail('corrupt', end, `the Adler-32 is 0x${stored.toString(16)}, the bytes give 0x${found.toString(16)}`);
  return content;
}
