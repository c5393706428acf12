import { gunzipSync } from 'node:zlib';
import { type ByteSource, FormatError, MemorySource } from '../../elf/index.js';

/** No module or kernel is larger than this. */
const LIMIT = 1 << 30;

/** The source itself, or what is packed in it: `.ko.gz`. @throws FormatError `corrupt` */
export function unpackSource(source: ByteSource): ByteSource {
  const [a, b] = source.read(0, Math.min(2, source.size));
  if (a !== 0x1f || b !== 0x8b) return source;
  try {
    const bytes = gunzipSync(source.read(0, source.size), { maxOutputLength: LIMIT });
    source.close();
    return new MemorySource(bytes, source.name);
  } catch (error) {
    throw new FormatError('corrupt', { name: source.name }, `gzip: ${(error as Error).message}`, { cause: error });
  }
}
