import { MemorySource } from '../../elf/source.js';
import { type BpfObject, type BpfObjectOptions, readBpfObject } from '../bpf/object/object.js';
import { expectInput, type Input, openInput, sourceOf } from './input.js';

/**
 * Opens a BPF object; for a Blob it returns a promise.
 * @param input the path of an object, its bytes, or a source of them, which the caller closes
 * @throws FormatError if the input is not a BPF object, InputError if it can't be read
 */
export function openBpfObject(input: Exclude<Input, Blob>, options?: BpfObjectOptions): BpfObject;
export function openBpfObject(input: Blob, options?: BpfObjectOptions): Promise<BpfObject>;
export function openBpfObject(input: Input, options: BpfObjectOptions = {}): BpfObject | Promise<BpfObject> {
  expectInput(input);
  if (input instanceof Blob) return openInput(input, options).then(source => readBpfObject(source, options));
  if (typeof input !== 'string') return readBpfObject(input, options);
  const source = sourceOf(input);
  try {
    // Objects are small, and every part is used: kelf reads them whole, and closes the file.
    return readBpfObject(new MemorySource(source.read(0, source.size), options.name ?? input), options);
  } finally {
    source.close();
  }
}
