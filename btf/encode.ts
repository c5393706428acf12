import { HOST_LITTLE_ENDIAN } from '../elf/words.js';
import type { BtfBlob } from './blob.js';
import { BTF_MAGIC } from './wire.js';

const HEADER_BYTES = 24;
const VERSION = 1;

/**
 * A blob of a type section and strings: header, types, strings (Documentation/bpf/btf.rst, "BTF Type and String Encoding"). No layout section
 * is written.
 * @param littleEndian its byte order; this machine's where not given
 */
export function encodeBtf(words: Uint32Array, strings: Uint8Array, littleEndian: boolean = HOST_LITTLE_ENDIAN): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, littleEndian);
  view.setUint8(2, VERSION);
  const fields = [HEADER_BYTES, 0, words.length * 4, words.length * 4, strings.length];
  for (const [i, field] of fields.entries()) view.setUint32(4 + i * 4, field, littleEndian);
  if (littleEndian === HOST_LITTLE_ENDIAN) new Uint32Array(bytes.buffer, HEADER_BYTES, words.length).set(words);
  else for (let i = 0; i < words.length; i++) view.setUint32(HEADER_BYTES + i * 4, words[i]!, littleEndian);
  bytes.set(strings, HEADER_BYTES + words.length * 4);
  return bytes;
}

/** The blob's own types and strings, without those of its base, as {@link encodeBtf} writes them. */
export function encodeBlob(blob: BtfBlob, littleEndian?: boolean): Uint8Array<ArrayBuffer> {
  return encodeBtf(blob.words, blob.strings.bytes, littleEndian);
}
