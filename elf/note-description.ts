import { Cursor } from './cursor.js';
import { FormatError } from './errors.js';
import type { Note } from './note.js';

/** What a note says, in words. */
export interface NoteDescription {
  /** The name of its type in its owner's namespace: `GNU_BUILD_ID`; `0x…` for a type that kelf does not know. */
  readonly type: string;
  /** The description decoded; in hexadecimal where the type is unknown or the bytes are not as the type demands. */
  readonly text: string;
}

type Decoder = (bytes: Uint8Array, littleEndian: boolean) => string;
type NoteTypes = Readonly<Record<number, readonly [name: string, decode: Decoder]>>;

const utf8 = new TextDecoder();
const bytesOf: Decoder = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
const text: Decoder = bytes => {
  const end = bytes.indexOf(0);
  // Control characters would reach the reader's terminal, and break the row.
  return utf8
    .decode(end < 0 ? bytes : bytes.subarray(0, end))
    .replace(/\p{Cc}/gu, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
};
/** One or more 64-bit words; 32-bit ones where the size is not a multiple of 8. */
const words: Decoder = (bytes, littleEndian) => {
  const wide = bytes.length % 8 === 0;
  const cursor = new Cursor(bytes, littleEndian, 'note');
  const values: string[] = [];
  while (cursor.remaining > 0) values.push(`0x${cursor.address(wide).toString(16)}`);
  return values.join(' ');
};
const number: Decoder = (bytes, littleEndian) => String(new Cursor(bytes, littleEndian, 'note').u32());

/** .note.ABI-tag, gABI Linux supplement: the system, and the oldest kernel it runs on. */
const abiTag: Decoder = (bytes, littleEndian) => {
  const cursor = new Cursor(bytes, littleEndian, 'note');
  const system = cursor.u32();
  const name = ['Linux', 'GNU/Hurd', 'Solaris', 'FreeBSD', 'NetBSD'][system] ?? `system ${system}`;
  return `${name} ${cursor.u32()}.${cursor.u32()}.${cursor.u32()}`;
};

const NOTES: Readonly<Record<string, NoteTypes>> = {
  // System V ABI, Linux extensions ("Linux-specific ELF notes")
  GNU: {
    1: ['GNU_ABI_TAG', abiTag],
    2: ['GNU_HWCAP', bytesOf],
    3: ['GNU_BUILD_ID', bytesOf],
    4: ['GNU_GOLD_VERSION', text],
    5: ['GNU_PROPERTY_TYPE_0', bytesOf],
  },
  // include/linux/elfnote.h users: include/linux/elfnote-lto.h, build-salt.h, and the vDSO's version note
  Linux: {
    0: ['version', (bytes, littleEndian) => linuxVersion(new Cursor(bytes, littleEndian, 'note').u32())],
    256: ['BUILD_SALT', text],
    257: ['LTO_INFO', number],
  },
  // include/xen/interface/elfnote.h
  Xen: {
    0: ['INFO', bytesOf],
    1: ['ENTRY', words],
    2: ['HYPERCALL_PAGE', words],
    3: ['VIRT_BASE', words],
    4: ['PADDR_OFFSET', words],
    5: ['XEN_VERSION', text],
    6: ['GUEST_OS', text],
    7: ['GUEST_VERSION', text],
    8: ['LOADER', text],
    9: ['PAE_MODE', text],
    10: ['FEATURES', text],
    11: ['BSD_SYMTAB', text],
    12: ['HV_START_LOW', words],
    13: ['L1_MFN_VALID', words],
    14: ['SUSPEND_CANCEL', words],
    15: ['INIT_P2M', words],
    16: ['MOD_START_PFN', words],
    17: ['SUPPORTED_FEATURES', words],
    18: ['PHYS32_ENTRY', words],
  },
  // systemd.io, "Package Metadata for Executable Files"
  FDO: { 3405650558: ['FDO_PACKAGING_METADATA', text] },
};

/** Names a note's type, and decodes its description, for the owners that kernels and BPF objects have: GNU, Linux, Xen, FDO. */
export function describeNote(note: Note, littleEndian: boolean): NoteDescription {
  const [name, decode] = (Object.hasOwn(NOTES, note.owner) ? NOTES[note.owner]?.[note.type] : undefined) ?? [undefined, bytesOf];
  const type = name ?? `0x${note.type.toString(16)}`;
  try {
    return { type, text: decode(note.description, littleEndian) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { type, text: bytesOf(note.description, littleEndian) };
  }
}

/** KERNEL_VERSION of <linux/version.h>. */
function linuxVersion(code: number): string {
  return `${code >>> 16}.${(code >>> 8) & 0xff}.${code & 0xff}`;
}
