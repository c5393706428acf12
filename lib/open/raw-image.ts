import { isBtf } from '../../btf/wire.js';
import { EM, SHT } from '../../elf/constants.js';
import { FormatError } from '../../elf/errors.js';
import { type KallsymsTables, kallsymsAt, locateKallsyms } from '../../kallsyms/locate.js';
import { decodeKallsyms } from '../../kallsyms/tables.js';
import { MissingError } from '../errors.js';
import { openElf } from './elf.js';
import { elfAround, type ImagePart, type RawImage } from './elf-around.js';

/** What the header of a raw image says. */
export interface RawImageKind {
  readonly machine: number;
  readonly is64: boolean;
  readonly littleEndian: boolean;
  /** R_*_RELATIVE of the machine, where its images carry relocations. */
  readonly relativeType?: number;
  /** The address of offset 0; or symbols that stand there, for images whose words are final. */
  readonly start?: bigint | readonly string[];
  readonly memorySize?: number;
}

/** An image is linked at a multiple of this: 64 KiB is the least of all architectures that relocate. */
const ALIGN = 0x1_0000n;
/** How many relocations are tried against the symbols; a wrong base hits nearly none. */
const SAMPLE = 2000;

/**
 * Works out what a raw image holds: its relocations, its link address and its BTF.
 * @throws FormatError where the link address can't be told
 */
export function analyseRawImage(bytes: Uint8Array, kind: RawImageKind, name: string): RawImage {
  const tables = locateKallsyms(bytes, kind.is64 ? 8 : 4);
  const rela = kind.relativeType === undefined || !kind.is64 ? undefined : findRela(bytes, kind.relativeType, kind.littleEndian);
  const base = linkBase(bytes, kind, tables, rela, name);
  const btf = findBtf(bytes);
  const parts: ImagePart[] = [];
  if (rela !== undefined)
    parts.push({ name: '.rela.dyn', type: SHT.RELA, offset: rela.offset, size: rela.count * RELA_SIZE, entsize: RELA_SIZE });
  if (btf !== undefined) parts.push({ name: '.BTF', type: 1, ...btf });
  const note = findBuildId(bytes, kind.littleEndian);
  if (note !== undefined) parts.push({ name: '.note.gnu.build-id', type: SHT.NOTE, ...note });
  const { machine, is64, littleEndian, memorySize = bytes.length } = kind;
  return { bytes, machine, is64, littleEndian, base, memorySize, parts };
}

const RELA_SIZE = 24;

interface Rela {
  readonly offset: number;
  readonly count: number;
}

/**
 * The longest run of Elf64_Rela entries of the machine's R_*_RELATIVE. The kernel's links pad it with zero entries (R_*_NONE) and leave a few
 * entries of other types for undefined weak symbols, so that a run goes on over up to 64 of those that are not RELATIVE.
 */
function findRela(bytes: Uint8Array, relativeType: number, littleEndian: boolean): Rela | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const low = littleEndian ? 8 : 12;
  const isRelative = (at: number): boolean =>
    view.getUint32(at + low, littleEndian) === relativeType && view.getUint32(at + 20 - low, littleEndian) === 0;
  let best: Rela | undefined;
  for (let at = 0; at + RELA_SIZE * 4 <= bytes.length; at += 8) {
    if (!isRelative(at) || !isRelative(at + RELA_SIZE)) continue;
    let last = at;
    for (let next = at + RELA_SIZE; next + RELA_SIZE <= bytes.length && next - last <= RELA_SIZE * 64; next += RELA_SIZE) {
      if (isRelative(next)) last = next;
    }
    const count = (last - at) / RELA_SIZE + 1;
    if (best === undefined || count > best.count) best = { offset: at, count };
    at = last + RELA_SIZE - 8;
  }
  return best !== undefined && best.count >= 16 ? best : undefined;
}

/** The address that offset 0 is linked at. */
function linkBase(bytes: Uint8Array, kind: RawImageKind, tables: KallsymsTables | undefined, rela: Rela | undefined, name: string): bigint {
  if (typeof kind.start === 'bigint') return kind.start;
  if (tables === undefined) throw new MissingError(`${name} has no packed kallsyms: the addresses of the image cannot be told`);
  const base = (rela === undefined ? undefined : relocatedBase(bytes, kind, tables, rela)) ?? namedBase(bytes, kind, tables, name);
  if (base === undefined) {
    throw new FormatError(
      'unsupported',
      { name },
      'neither relocations nor symbols tell the address that the image is linked at: the debug vmlinux does',
    );
  }
  return base;
}

/** The address of the symbol at offset 0, where the words of the image are final, that of kallsyms_relative_base among them. */
function namedBase(bytes: Uint8Array, kind: RawImageKind, tables: KallsymsTables, name: string): bigint | undefined {
  const { start, machine, is64, littleEndian } = kind;
  if (start === undefined || typeof start === 'bigint') return undefined;
  const file = openElf(elfAround({ bytes, machine, is64, littleEndian, base: 0n, memorySize: bytes.length, parts: [] }, name));
  const { symbols } = decodeKallsyms(file.memory, kallsymsAt(tables, 0n), name);
  for (const label of start) {
    const address = symbols.addressOf(label);
    if (address !== undefined) return address;
  }
  return undefined;
}

/**
 * Of the addresses that put every relocated place inside of the image, the one under which the most relocations point at symbols. A base-relative
 * table needs its base for that, which is itself a relocated word.
 */
function relocatedBase(bytes: Uint8Array, kind: RawImageKind, tables: KallsymsTables, rela: Rela): bigint | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { littleEndian } = kind;
  const places = new Map<bigint, bigint>();
  const addends: bigint[] = [];
  const step = Math.max(1, Math.floor(rela.count / SAMPLE));
  let lowest: bigint | undefined;
  let highest = 0n;
  for (let i = 0; i < rela.count; i++) {
    const at = rela.offset + i * RELA_SIZE;
    const info = view.getBigUint64(at + 8, littleEndian);
    if (info !== BigInt(kind.relativeType!)) continue;
    const place = view.getBigUint64(at, littleEndian);
    const addend = view.getBigUint64(at + 16, littleEndian);
    if (lowest === undefined || place < lowest) lowest = place;
    if (place > highest) highest = place;
    places.set(place, addend);
    if (i % step === 0) addends.push(addend);
  }
  if (lowest === undefined) return undefined;
  const from = highest + 8n - BigInt(bytes.length);
  let best: { base: bigint; hits: number } | undefined;
  for (let base = (from / ALIGN + (from % ALIGN > 0n ? 1n : 0n)) * ALIGN; base <= lowest; base += ALIGN) {
    const symbols = symbolsUnder(view, tables, base, places);
    if (symbols === undefined) continue;
    const hits = addends.reduce((count, addend) => count + (symbols.has(addend) ? 1 : 0), 0);
    if (best === undefined || hits > best.hits) best = { base, hits };
  }
  return best !== undefined && best.hits * 20 > addends.length ? best.base : undefined;
}

/** The addresses of the symbols if the image is linked at `base`. */
function symbolsUnder(
  view: DataView,
  tables: KallsymsTables,
  base: bigint,
  places: ReadonlyMap<bigint, bigint>,
): { has(address: bigint): boolean } | undefined {
  const { littleEndian, count, addresses, encoding, relativeBase } = tables;
  if (encoding === 'place-relative') {
    const first = base + BigInt(addresses);
    return { has: address => includes(i => i * 4 + view.getInt32(addresses + i * 4, littleEndian), count, Number(address - first)) };
  }
  if (encoding !== 'base-relative' || relativeBase === undefined) return undefined;
  const symbolBase = places.get(base + BigInt(relativeBase));
  if (symbolBase === undefined) return undefined;
  return { has: address => includes(i => view.getUint32(addresses + i * 4, littleEndian), count, Number(address - symbolBase)) };
}

/** Whether an ascending column has a value. */
function includes(value: (i: number) => number, count: number, wanted: number): boolean {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (value(middle) < wanted) from = middle + 1;
    else to = middle;
  }
  return from < count && value(from) === wanted;
}

/** The note of the build id: owner `GNU`, type 3, 20 bytes of SHA-1. The last one is the image's: that of the vDSO stands in front of .notes. */
function findBuildId(bytes: Uint8Array, littleEndian: boolean): { offset: number; size: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let found: number | undefined;
  for (let at = bytes.indexOf(0x47); at >= 0; at = bytes.indexOf(0x47, at + 1)) {
    if (at < 12 || at + 24 > bytes.length || at % 4 !== 0) continue;
    if (view.getUint32(at) !== 0x474e5500 || view.getUint32(at - 4, littleEndian) !== 3) continue;
    if (view.getUint32(at - 12, littleEndian) === 4 && view.getUint32(at - 8, littleEndian) === 20) found = at - 12;
  }
  return found === undefined ? undefined : { offset: found, size: 36 };
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

/** Images of these machines by their e_machine, with what the boot protocol fixes. */
export const ARM64: RawImageKind = { machine: EM.AARCH64, is64: true, littleEndian: true, relativeType: 0x403 };
export const RISCV64: RawImageKind = { machine: EM.RISCV, is64: true, littleEndian: true, relativeType: 3, start: ['_start'] };
export const LOONGARCH64: RawImageKind = { machine: EM.LOONGARCH, is64: true, littleEndian: true, start: 0x9000_0000_0020_0000n };
export const ARM32: RawImageKind = { machine: EM.ARM, is64: false, littleEndian: true, start: ['_text', 'stext'] };
export const S390X: RawImageKind = { machine: EM.S390, is64: true, littleEndian: false, start: 0x10_0000n };
