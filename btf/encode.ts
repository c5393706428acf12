import { HOST_LITTLE_ENDIAN } from '../elf/words.js';
import type { BtfBlob } from './blob.js';
import { BTF_MAGIC } from './wire.js';

const HEADER_BYTES = 24;
const VERSION = 1;

/**
 * A blob of a type section and strings, in this machine's byte order: header, types, strings (Documentation/bpf/btf.rst, "BTF Type and
 * String Encoding"). No layout section is written.
 */
export function encodeBtf(words: Uint32Array, strings: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, HOST_LITTLE_ENDIAN);
  view.setUint8(2, VERSION);
  const fields = [HEADER_BYTES, 0, words.length * 4, words.length * 4, strings.length];
  for (const [i, field] of fields.entries()) view.setUint32(4 + i * 4, field, HOST_LITTLE_ENDIAN);
  new Uint32Array(bytes.buffer, HEADER_BYTES, words.length).set(words);
  bytes.set(strings, HEADER_BYTES + words.length * 4);
  return bytes;
}

/** The blob's own types and strings, without those of its base, as {@link encodeBtf} writes them. */
export function encodeBlob(blob: BtfBlob): Uint8Array<ArrayBuffer> {
  return encodeBtf(blob.words, blob.strings.bytes);
}
