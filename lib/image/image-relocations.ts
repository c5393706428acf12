import { SHN, STB, STT } from '../../elf/constants.js';
import { relativeType, relocationRule } from '../../elf/relocation-rules.js';
import { distanceBetween, HOST_LITTLE_ENDIAN } from '../../elf/words.js';
import type { RawImageKind } from '../arch/architecture.js';

/** A table in a raw image. */
export interface TableInImage {
  readonly offset: number;
  /** Entries of it: of RELA and symbols 24 bytes each, of RELR a word. */
  readonly count: number;
}

/** The tables that the boot code relocates a 64-bit image by. */
export interface ImageRelocations {
  readonly rela?: TableInImage;
  /** The symbols that entries of `rela` name, where some do. */
  readonly dynsym?: TableInImage;
  readonly relr?: TableInImage;
}

/** Size of an Elf64_Rela, and of an Elf64_Sym. */
export const ENTRY_SIZE = 24;
/** Shorter tables are taken for chance, but for the RELA that RELR leaves over. */
const SHORTEST = 16;
/** Finds the relocations of an image by what they say: places and values near each other, for both lie in the image. */
export function findRelocations(bytes: Uint8Array, kind: RawImageKind): ImageRelocations {
  const { is64, relocates, littleEndian } = kind;
  if (!is64 || !relocates) return {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries = new RelaEntries(view, kind);
  let found = findRela(entries);
  const dynsym = found === undefined ? undefined : findDynsym(view, found, littleEndian);
  // What names symbols is after the RELATIVE entries (ld -z combreloc).
  if (found !== undefined && dynsym !== undefined) found = extended(entries, found);
  const { rela = found, relr } = beside(
    entries,
    found,
    findRelr(view, littleEndian, found === undefined ? undefined : found.offset + found.count * ENTRY_SIZE),
  );
  return {
    ...(rela === undefined ? {} : { rela }),
    ...(dynsym === undefined ? {} : { dynsym }),
    ...(relr === undefined ? {} : { relr }),
  };
}

/**
 * RELR that follows RELA, as `.relr.dyn` does `.rela.dyn` in the linker scripts; where there is RELR, a few entries are left for RELA, or
 * none. The last words of an entry of RELA may look like the first ones of RELR.
 */
function beside(
  entries: RelaEntries,
  rela: TableInImage | undefined,
  relr: TableInImage | undefined,
): Pick<ImageRelocations, 'rela' | 'relr'> {
  if (relr === undefined) return {};
  for (const words of [0, 1, 2]) {
    const behind = { offset: relr.offset + words * 8, count: relr.count - words };
    const before = relaUpTo(entries, behind.offset);
    if (rela === undefined ? before !== undefined : rela.offset + rela.count * ENTRY_SIZE === behind.offset)
      return { ...(rela === undefined && before !== undefined ? { rela: before } : {}), relr: behind };
  }
  return rela === undefined ? { relr } : {};
}

/** Little-endian bytes as words, where this machine reads them so. */
function wordsOf(view: DataView, littleEndian: boolean): Uint32Array | undefined {
  const fits = HOST_LITTLE_ENDIAN && littleEndian && view.byteOffset % 4 === 0;
  return fits ? new Uint32Array(view.buffer, view.byteOffset, view.byteLength >> 2) : undefined;
}

/** Elf64_Rela entries at any offset. */
class RelaEntries {
  readonly size: number;
  readonly #view: DataView;
  /** The same bytes as 32-bit words where this machine has them in the image's order: looking at every offset is faster so. */
  readonly #words: Uint32Array | undefined;
  readonly #machine: number;
  readonly #relative: number;
  readonly #little: boolean;

  constructor(view: DataView, { machine, littleEndian }: RawImageKind) {
    this.size = view.byteLength;
    this.#view = view;
    this.#words = wordsOf(view, littleEndian);
    this.#machine = machine;
    this.#relative = relativeType(machine);
    this.#little = littleEndian;
  }

  /** The first offset at or behind `at` where r_info is that of R_*_RELATIVE, of 8 bytes each. */
  nextRelative(at: number): number {
    const [words, type] = [this.#words, this.#relative];
    const end = this.size - ENTRY_SIZE;
    let from = at;
    if (words === undefined) while (from <= end && !(this.#word(from + 8, 0) === type && this.#word(from + 8, 1) === 0)) from += 8;
    else while (from <= end && !(words[from / 4 + 2] === type && words[from / 4 + 3] === 0)) from += 8;
    return from;
  }

  /** Whether an R_*_RELATIVE is at `at`: one whose place and value are not farther from each other than the image is long. */
  isRelative(at: number): boolean {
    if (this.#word(at + 8, 0) !== this.#relative || this.#word(at + 8, 1) !== 0) return false;
    const isZero = this.#word(at + 16, 0) === 0 && this.#word(at + 16, 1) === 0;
    return isZero || Math.abs(this.#distance(at, at + 16)) < this.size * 2;
  }

  /** R_*_NONE */
  isPadding(at: number): boolean {
    return this.#word(at + 8, 0) === 0 && this.#word(at + 8, 1) === 0;
  }

  /**
   * Whether an entry goes on with a table: padding, which is zero, or a relocation of data at a place in the same image as that of `first`.
   */
  goesOn(first: number, at: number): boolean {
    if (this.isPadding(at)) return true;
    const type = this.#word(at + 8, 0);
    return (
      type !== 0 &&
      (type === this.#relative || relocationRule(this.#machine, type) !== undefined) &&
      Math.abs(this.#distance(first, at)) < this.size
    );
  }

  /** The lower or the higher half of a word. */
  #word(at: number, half: 0 | 1): number {
    return this.#view.getUint32(this.#little === (half === 0) ? at : at + 4, this.#little);
  }

  #distance(first: number, second: number): number {
    return (
      distanceBetween(this.#word(second, 0), this.#word(second, 1), this.#word(first, 0), this.#word(first, 1)) ?? Number.POSITIVE_INFINITY
    );
  }
}

/** The longest run of entries that begins with RELATIVE ones. Padding (R_*_NONE) and entries of undefined weak symbols stand among them. */
function findRela(entries: RelaEntries): TableInImage | undefined {
  let best: TableInImage | undefined;
  for (let at = entries.nextRelative(0); at + ENTRY_SIZE * 4 <= entries.size; at = entries.nextRelative(at + 8)) {
    if (!entries.isRelative(at) || !entries.isRelative(at + ENTRY_SIZE) || !entries.goesOn(at, at + ENTRY_SIZE)) continue;
    let count = 0;
    for (let next = at, i = 1; next + ENTRY_SIZE <= entries.size && entries.goesOn(at, next); next += ENTRY_SIZE, i++) {
      if (entries.isRelative(next)) count = i;
    }
    if (best === undefined || count > best.count) best = { offset: at, count };
    at += count * ENTRY_SIZE - 8;
  }
  return best !== undefined && best.count >= SHORTEST ? best : undefined;
}

function extended(entries: RelaEntries, { offset, count }: TableInImage): TableInImage {
  let end = offset + count * ENTRY_SIZE;
  while (end + ENTRY_SIZE <= entries.size && !entries.isPadding(end) && entries.goesOn(offset, end)) end += ENTRY_SIZE;
  return { offset, count: (end - offset) / ENTRY_SIZE };
}

/** The entries that end where RELR begins. */
function relaUpTo(entries: RelaEntries, end: number): TableInImage | undefined {
  let first = end;
  for (let at = end - ENTRY_SIZE; at >= 0 && entries.goesOn(first === end ? at : first, at); at -= ENTRY_SIZE) {
    if (entries.isRelative(at)) first = at;
  }
  return first === end ? undefined : { offset: first, count: (end - first) / ENTRY_SIZE };
}

/** s390 links `.dynsym` right in front of `.rela.dyn`: Elf64_Sym back to the first one, which is zero. */
function findDynsym(view: DataView, { offset: end }: TableInImage, littleEndian: boolean): TableInImage | undefined {
  const isSymbol = (at: number): boolean => {
    const name = view.getUint32(at, littleEndian);
    const section = view.getUint16(at + 6, littleEndian);
    const info = view.getUint8(at + 4);
    const named = name > 0 && name < view.byteLength;
    return (
      (named || info === STT.SECTION) && (section < 0x100 || section >= SHN.ABS) && info >> 4 <= STB.WEAK && (info & 15) <= STT.GNU_IFUNC
    );
  };
  const isFirst = (at: number): boolean =>
    Array.from({ length: ENTRY_SIZE / 4 }, (_, i) => view.getUint32(at + i * 4)).every(word => word === 0);
  let at = end - ENTRY_SIZE;
  while (at >= 0 && isSymbol(at)) at -= ENTRY_SIZE;
  const count = (end - at) / ENTRY_SIZE;
  return at >= 0 && count > 1 && isFirst(at) ? { offset: at, count } : undefined;
}

/** Bytes that a bitmap of RELR stands for: 63 words. */
const SPAN = 63 * 8;

/**
 * The longest run of words that RELR can be (gABI, "Relative Relocation Table"): ascending even addresses, with bitmaps after them, all in
 * a range no longer than the image. (Places that are not aligned may lie between those of a bitmap.) A table of ascending pointers has no
 * bitmaps, and is none.
 * @param behind where it has to begin, if that is known
 */
function findRelr(view: DataView, littleEndian: boolean, behind?: number): TableInImage | undefined {
  const size = view.byteLength;
  const [lowAt, highAt] = littleEndian ? [0, 4] : [4, 0];
  let best: TableInImage | undefined;
  // The run at hand: where it begins, its first address, its bitmaps, and how far the last address and what a bitmap stands for are from
  // the first.
  let [start, bitmaps, last, next, firstLow, firstHigh] = [-1, 0, 0, 0, 0, 0];
  const close = (at: number): void => {
    const count = start < 0 ? 0 : (at - start) / 8;
    if (count >= SHORTEST && bitmaps * 8 >= count && count > (best?.count ?? 0)) best = { offset: start, count };
    start = -1;
  };
  const words = wordsOf(view, littleEndian);
  for (let at = behind ?? 0; at + 8 <= size; at += 8) {
    const low = words === undefined ? view.getUint32(at + lowAt, littleEndian) : words[at / 4]!;
    const high = words === undefined ? view.getUint32(at + highAt, littleEndian) : words[at / 4 + 1]!;
    if ((low & 1) !== 0) {
      if (start < 0) continue;
      next += SPAN;
      bitmaps++;
      if (next > size + SPAN) close(at);
      continue;
    }
    const distance = distanceBetween(low, high, firstLow, firstHigh) ?? Number.POSITIVE_INFINITY;
    if (start >= 0 && distance > last && distance < size) {
      last = distance;
      next = distance + 8;
      continue;
    }
    close(at);
    if (behind !== undefined && at > behind) return best;
    // Kernel addresses have their highest bit set, where RELR is used.
    if (high < 0x8000_0000 || (low & 7) !== 0) continue;
    [start, bitmaps, last, next, firstLow, firstHigh] = [at, 0, 0, 8, low, high];
  }
  close(size - (size % 8));
  return best;
}
