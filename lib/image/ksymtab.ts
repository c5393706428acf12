import type { Memory } from '../../elf/memory.js';
import { halves } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';

/** One way in which `struct kernel_symbol` is written: the symbol, its name and, since 5.4, its namespace. */
interface Shape {
  readonly fields: 2 | 3;
  readonly width: 4 | 8;
  /** Each field is the distance from its own place (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS). */
  readonly relative: boolean;
}

const SHAPES: readonly Shape[] = [
  { fields: 3, width: 4, relative: true },
  { fields: 2, width: 4, relative: true },
  { fields: 3, width: 4, relative: false },
  { fields: 2, width: 4, relative: false },
  { fields: 3, width: 8, relative: false },
  { fields: 2, width: 8, relative: false },
];

/** Shorter runs of what looks like entries are chance. */
const FEWEST = 16;
/** KSYM_NAME_LEN */
const LONGEST = 512;
/** Bytes that may be between the checksums and the first name: alignment. */
const GAP = 64;

/**
 * The labels around `__ksymtab`, `__ksymtab_gpl` and the tables of their checksums in an image that does not name them, found by what is
 * there: an entry leads to a symbol and to a string, and kallsyms has that name at that address. Data, which kallsyms may not list, is
 * exported too: it is taken along where it is between functions. In the linker script (RO_DATA in include/asm-generic/vmlinux.lds.h) the
 * two tables follow each other, each sorted by name, then the checksums of both, then the names.
 */
export function discoverExports(memory: Memory, symbols: KernelSymbols): Map<string, bigint> {
  const labels = new Map<string, bigint>();
  for (const { address, fileSize } of memory.regions) {
    const bytes = memory.read(address, fileSize);
    const found = longestTable(new ImageText(bytes, address, memory), symbols);
    if (found === undefined) continue;
    const { text, shape, start, count } = found;
    const size = shape.fields * shape.width;
    const plain = firstDescent(text, shape, start, count);
    const end = start + count * size;
    const set = (name: string, from: number, to: number): void => {
      labels.set(`__start___${name}`, address + BigInt(from));
      labels.set(`__stop___${name}`, address + BigInt(to));
    };
    set('ksymtab', start, start + plain * size);
    set('ksymtab_gpl', start + plain * size, end);
    // With CONFIG_MODVERSIONS a word for each entry is between the tables and the names.
    let names = bytes.length;
    for (let i = 0; i < count; i++) names = Math.min(names, text.target(shape, start + i * size, 1));
    const rest = names - end - count * 4;
    if (rest >= 0 && rest < GAP) {
      set('kcrctab', end, end + plain * 4);
      set('kcrctab_gpl', end + plain * 4, end + count * 4);
    }
    return labels;
  }
  return labels;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

function isPartOfName(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || byte === 0x5f || isDigit(byte);
}

/** The bytes of a region, and where its words lead. */
class ImageText {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #low: number;
  readonly #high: number;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, address: bigint, { littleEndian }: Memory) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    ({ low: this.#low, high: this.#high } = halves(address));
    this.#little = littleEndian;
  }

  /** The offset that a field of the entry at `at` leads to; negative or beyond the end where it leads elsewhere. */
  target({ width, relative }: Shape, at: number, field: number): number {
    const place = at + field * width;
    if (place + width > this.bytes.length) return -1;
    if (relative) return place + this.#view.getInt32(place, this.#little);
    const low = this.#view.getUint32(width === 8 && !this.#little ? place + 4 : place, this.#little);
    if (width === 4) return low - (this.#low >>> 0);
    return (this.#view.getUint32(this.#little ? place + 4 : place, this.#little) - this.#high) * 0x1_0000_0000 + (low - this.#low);
  }

  /** Whether the first field of an entry leads to the address of a row. */
  leadsTo(shape: Shape, at: number, { address }: KernelSymbols, row: number): boolean {
    return this.target(shape, at, 0) === address.minus(row, this.#low, this.#high);
  }

  /** Whether a name is at an offset: letters, digits and underscores up to a NUL. It may be the end of a longer one (ld merges strings). */
  isName(at: number): boolean {
    if (!(at > 0 && at < this.bytes.length) || isDigit(this.bytes[at]!)) return false;
    let end = at;
    while (end - at < LONGEST && isPartOfName(this.bytes[end] ?? 0)) end++;
    return end > at && this.bytes[end] === 0;
  }

  /** Whether the entry at an offset leads into the image, and to a name. */
  isEntry(shape: Shape, at: number): boolean {
    const value = this.target(shape, at, 0);
    return at >= 0 && value >= 0 && value !== at && this.isName(this.target(shape, at, 1));
  }
}

interface FoundTable {
  readonly text: ImageText;
  readonly shape: Shape;
  readonly start: number;
  readonly count: number;
}

/** The longest run of entries of one shape, about half of which kallsyms confirms. */
function longestTable(text: ImageText, symbols: KernelSymbols): FoundTable | undefined {
  let best: FoundTable | undefined;
  for (const shape of SHAPES) {
    const size = shape.fields * shape.width;
    for (let at = 0; at + size <= text.bytes.length; at += 4) {
      if (!text.isEntry(shape, at) || !isConfirmed(text, shape, at, symbols)) continue;
      let start = at;
      while (text.isEntry(shape, start - size)) start -= size;
      let count = 0;
      let confirmed = 0;
      for (let next = start; text.isEntry(shape, next); next += size, count++) if (isConfirmed(text, shape, next, symbols)) confirmed++;
      if (confirmed >= FEWEST && confirmed * 2 >= count && count > (best?.count ?? 0)) best = { text, shape, start, count };
      at = start + count * size - 4;
    }
    if (best !== undefined) return best;
  }
  return best;
}

/** Whether kallsyms has the name of an entry at its address. */
function isConfirmed(text: ImageText, shape: Shape, at: number, symbols: KernelSymbols): boolean {
  const row = symbols.index.firstOf(text.bytes, text.target(shape, at, 1));
  return row >= 0 && symbols.index.isOnly(row) && text.leadsTo(shape, at, symbols, row);
}

/** How many entries there are before a name that sorts before the last one: there the next table begins. */
function firstDescent(text: ImageText, shape: Shape, start: number, count: number): number {
  const size = shape.fields * shape.width;
  for (let i = 1; i < count; i++) {
    if (compareAt(text.bytes, text.target(shape, start + (i - 1) * size, 1), text.target(shape, start + i * size, 1)) > 0) return i;
  }
  return count;
}

/** strcmp() of two strings. */
function compareAt(bytes: Uint8Array, first: number, second: number): number {
  for (let i = 0; ; i++) {
    const [a, b] = [bytes[first + i] ?? 0, bytes[second + i] ?? 0];
    if (a !== b || a === 0) return a - b;
  }
}
