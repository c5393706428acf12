import { isBtf } from '../../btf/wire.js';
import { SHT } from '../../elf/constants.js';
import { locateKallsyms } from '../../kallsyms/locate.js';
import type { RawImageKind } from '../arch/architecture.js';
import type { ImagePart, RawImage } from './elf-around.js';
import { ENTRY_SIZE, findRelocations, type TableInImage } from './image-relocations.js';
import { linkBase } from './link-base.js';

/**
 * Works out what a raw image holds: its relocations, its link address and its BTF.
 * @throws FormatError where the link address can't be told
 */
export function analyseRawImage(bytes: Uint8Array, kind: RawImageKind, name: string): RawImage {
  const layouts = [...locateKallsyms(bytes, kind.is64 ? 8 : 4)].filter(({ littleEndian }) => littleEndian === kind.littleEndian);
  const relocations = findRelocations(bytes, kind);
  const { base, relocated } = linkBase(bytes, kind, layouts, relocations, name);
  const { rela, relr, dynsym } = relocated ? relocations : {};
  const btf = findBtf(bytes);
  const parts: ImagePart[] = [];
  const table = (name: string, type: number, found: TableInImage | undefined, entsize: number): void => {
    if (found !== undefined) parts.push({ name, type, offset: found.offset, size: found.count * entsize, entsize });
  };
  // .rela.dyn links to the section before it.
  table('.dynsym', SHT.DYNSYM, dynsym, ENTRY_SIZE);
  table('.rela.dyn', SHT.RELA, rela, ENTRY_SIZE);
  table('.relr.dyn', SHT.RELR, relr, 8);
  if (btf !== undefined) parts.push({ name: '.BTF', type: 1, ...btf });
  const note = findBuildId(bytes, kind.littleEndian);
  if (note !== undefined) parts.push({ name: '.note.gnu.build-id', type: SHT.NOTE, ...note });
  const { machine, is64, littleEndian, memorySize = bytes.length } = kind;
  return { bytes, machine, is64, littleEndian, base, memorySize, parts };
}

/**
 * The note of the build id: owner `GNU`, type 3, 20 bytes of SHA-1. The last one that is not of a vDSO, which is an ELF file in the image.
 */
function findBuildId(bytes: Uint8Array, littleEndian: boolean): { offset: number; size: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let found: number | undefined;
  for (let at = bytes.indexOf(0x47); at >= 0; at = bytes.indexOf(0x47, at + 1)) {
    if (at < 12 || at + 24 > bytes.length || at % 4 !== 0) continue;
    if (view.getUint32(at) !== 0x474e5500 || view.getUint32(at - 4, littleEndian) !== 3) continue;
    if (view.getUint32(at - 12, littleEndian) === 4 && view.getUint32(at - 8, littleEndian) === 20 && !isInElf(view, at)) found = at - 12;
  }
  return found === undefined ? undefined : { offset: found, size: 36 };
}

const PAGE = 0x1000;
/** Pages before a note in which the header of a vDSO is searched for; they have two or three. */
const FARTHEST = 16;

/** Whether an offset lies in an ELF file that begins at a page of the image. */
function isInElf(view: DataView, offset: number): boolean {
  for (let page = offset - (offset % PAGE); page >= 0 && page > offset - FARTHEST * PAGE; page -= PAGE) {
    if (view.getUint32(page) === 0x7f454c46) return true;
  }
  return false;
}

/** The largest BTF blob in the bytes: the kernel's own. */
function findBtf(bytes: Uint8Array): { offset: number; size: number } | undefined {
  let best: { offset: number; size: number } | undefined;
  for (let at = nextMagic(bytes, 0); at >= 0; at = nextMagic(bytes, at + 1)) {
    const size = btfSize(bytes, at);
    if (size !== undefined && (best === undefined || size > best.size)) best = { offset: at, size };
  }
  return best;
}

/** The next place at or behind `from` that begins with BTF's magic, 0xeb9f, in either byte order. */
function nextMagic(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xeb, from); at >= 0; at = bytes.indexOf(0xeb, at + 1)) {
    if (at > from && bytes[at - 1] === 0x9f) return at - 1;
    if (bytes[at + 1] === 0x9f) return at;
  }
  return -1;
}

/** The length of the blob at an offset, by its header (Documentation/bpf/btf.rst): the string section is its last. */
function btfSize(bytes: Uint8Array, at: number): number | undefined {
  if (at + 24 > bytes.length || !isBtf(bytes.subarray(at, at + 24))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 24);
  const littleEndian = bytes[at] === 0x9f;
  if (bytes[at + 2] !== 1) return undefined;
  const [headerLength, typeOffset, typeLength, stringOffset, stringLength] = [4, 8, 12, 16, 20].map(offset =>
    view.getUint32(offset, littleEndian),
  );
  const end = headerLength! + stringOffset! + stringLength!;
  const fits =
    headerLength! >= 24 &&
    headerLength! < 256 &&
    typeOffset! + typeLength! <= stringOffset! &&
    stringLength! > 1 &&
    at + end <= bytes.length;
  return fits && bytes[at + headerLength! + stringOffset!] === 0 && bytes[at + end - 1] === 0 ? end : undefined;
}
