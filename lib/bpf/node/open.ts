import type { ByteSource } from '../../../elf/source.js';
import { MemorySource } from '../../../elf/source.js';
import { openSource } from '../../source/node.js';
import { type BpfObject, type BpfObjectOptions, readBpfObject } from '../object.js';

/**
 * Opens a BPF object.
 * @param input the path of an object, its bytes, or a source of them, which the caller closes
 * @throws FormatError for what is no BPF object, InputError for what can't be read
 */
export function openBpfObject(input: string | Uint8Array | ByteSource, options: BpfObjectOptions = {}): BpfObject {
  if (typeof input !== 'string') return readBpfObject(input, options);
  const source = openSource(input);
  try {
    // Objects are small, and every part is looked at: they are read whole, and the file is closed.
    return readBpfObject(new MemorySource(source.read(0, source.size), options.name ?? input), options);
  } finally {
    source.close();
  }
}
