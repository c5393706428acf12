import { FormatError } from '../elf/errors.js';
import { HOST_LITTLE_ENDIAN } from '../elf/words.js';

/** `btf_header.magic`, as a number of the file's byte order. */
export const BTF_MAGIC = 0xeb9f;

/** Linkage of a FUNC (`BTF_FUNC_*`) or a VAR (`BTF_VAR_*`), by number. */
export const LINKAGE_NAMES: readonly Linkage[] = ['static', 'global', 'extern'];
export type Linkage = 'static' | 'global' | 'extern';

/**
 * The `info` word of a type. Kernels before 7.1 used 16 bits for vlen and 5 for the kind and kept the others zero, so that the wider masks
 * of today read every file (libbpf 9801e029).
 */
export function kindOfInfo(info: number): number {
  return (info >>> 24) & 0x7f;
}

export function vlenOfInfo(info: number): number {
  return info & 0xffffff;
}

/** `kind_flag`, the highest bit of `info`. */
export function flagOfInfo(info: number): boolean {
  return info >>> 31 === 1;
}

/** `struct btf_layout`: how long records of a kind are, so that a reader can step over kinds it does not know. Bytes; by kind number. */
export interface KindLayout {
  readonly infoSize: number;
  readonly elementSize: number;
  readonly flags: number;
}

/** The sections of a blob, as byte offsets from its start. */
export interface BtfHeader {
  readonly littleEndian: boolean;
  readonly version: number;
  readonly flags: number;
  readonly headerLength: number;
  readonly typeStart: number;
  readonly typeLength: number;
  readonly stringStart: number;
  readonly stringLength: number;
  /** Empty in blobs without a layout section: all before 2026. */
  readonly layout: readonly KindLayout[];
}

/** hdr_len without, and with, the layout section's offset and length. */
const HEADER_BYTES = 24;
const HEADER_WITH_LAYOUT = 32;

/** True where the bytes begin as a BTF blob of either byte order does. */
export function isBtf(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  return (a === 0x9f && b === 0xeb) || (a === 0xeb && b === 0x9f);
}

/** Reads and checks the header by libbpf's rules (btf_parse_hdr). @throws FormatError */
export function parseHeader(bytes: Uint8Array, name: string): BtfHeader {
  const fail = (code: 'truncated' | 'bad-magic' | 'bad-value' | 'out-of-range' | 'unsupported', offset: number, message: string): never => {
    throw new FormatError(code, { name, offset }, message);
  };
  if (bytes.length < HEADER_BYTES) fail('truncated', 0, `a BTF header takes ${HEADER_BYTES} bytes, there are ${bytes.length}`);
  if (!isBtf(bytes)) fail('bad-magic', 0, 'these are not the first bytes of BTF, 9f eb or eb 9f');
  const littleEndian = bytes[0] === 0x9f;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (offset: number): number => view.getUint32(offset, littleEndian);
  const version = bytes[2]!;
  if (version !== 1) fail('unsupported', 2, `BTF version ${version}; kelf knows only version 1`);
  const headerLength = word(4);
  if (headerLength < HEADER_BYTES) fail('bad-value', 4, `hdr_len ${headerLength} is less than ${HEADER_BYTES}`);
  if (headerLength > bytes.length) fail('truncated', 4, `hdr_len ${headerLength} is more than the ${bytes.length} bytes of the input`);
  const room = bytes.length - headerLength;
  const [typeOffset, typeLength, stringOffset, stringLength] = [word(8), word(12), word(16), word(20)];
  if (typeOffset % 4 !== 0) fail('bad-value', 8, `type_off ${typeOffset} is not a multiple of 4`);
  if (stringOffset + stringLength > room) {
    fail('truncated', 16, `the strings end at ${stringOffset + stringLength} after the header, which ${room} bytes follow`);
  }
  if (typeOffset + typeLength > stringOffset) {
    fail('out-of-range', 12, `the types end at ${typeOffset + typeLength}, after the start of the strings, ${stringOffset}`);
  }
  return {
    littleEndian,
    version,
    flags: bytes[3]!,
    headerLength,
    typeStart: headerLength + typeOffset,
    typeLength,
    stringStart: headerLength + stringOffset,
    stringLength,
    layout: headerLength < HEADER_WITH_LAYOUT ? [] : parseLayout(),
  };

  /** The layout section is between the types and the strings (libbpf 462733ec). */
  function parseLayout(): KindLayout[] {
    const [offset, length] = [word(24), word(28)];
    if (length === 0) return [];
    if (offset % 4 !== 0) fail('bad-value', 24, `layout_off ${offset} is not a multiple of 4`);
    if (length % 4 !== 0) fail('bad-value', 28, `layout_len ${length} is not a multiple of 4`);
    if (offset < typeOffset + typeLength || offset + length > stringOffset) {
      fail('out-of-range', 24, `the layout, ${offset} to ${offset + length}, is not between the types and the strings`);
    }
    // A kind is 7 bits wide: entries beyond that describe nothing.
    return Array.from({ length: Math.min(length / 4, 128) }, (_, kind) => {
      const at = headerLength + offset + kind * 4;
      return { infoSize: bytes[at]!, elementSize: bytes[at + 1]!, flags: view.getUint16(at + 2, littleEndian) };
    });
  }
}

/**
 * Bytes of the file's byte order as 32-bit words of this machine's: a view of the bytes where they are aligned and need no swap, else a
 * copy. `length` is in bytes; what is left of a last partial word is not included.
 */
export function wordsOf(bytes: Uint8Array, start: number, length: number, littleEndian: boolean): Uint32Array {
  const count = length >>> 2;
  const from = bytes.byteOffset + start;
  if (littleEndian === HOST_LITTLE_ENDIAN) {
    if (from % 4 === 0) return new Uint32Array(bytes.buffer, from, count);
    const words = new Uint32Array(count);
    // Not slice(): that of a Buffer copies nothing.
    new Uint8Array(words.buffer).set(bytes.subarray(start, start + count * 4));
    return words;
  }
  const view = new DataView(bytes.buffer, from, count * 4);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = view.getUint32(i * 4, littleEndian);
  return words;
}
