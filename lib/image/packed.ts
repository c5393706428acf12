import { packingOf } from '../../elf/compression/packing.js';
import { unpack } from '../../elf/compression/unpack.js';
import { isElf } from '../../elf/header.js';
import { type ByteSource, MemorySource } from '../../elf/source.js';

/** What tells a packing by its first bytes. */
const START = 64;

/**
 * The source itself, or what is packed in it: a `.ko.xz`, `.ko.zst` or `.ko.gz`. What is packed is unpacked into memory, and the source
 * closed.
 * @throws FormatError
 */
export function unpackSource(source: ByteSource): ByteSource {
  const start = source.read(0, Math.min(START, source.size));
  if (isElf(start) || packingOf(start) === undefined) return source;
  const { bytes } = unpack(source.read(0, source.size), { name: source.name, trailing: 'ignore' });
  source.close();
  return new MemorySource(bytes, source.name);
}
