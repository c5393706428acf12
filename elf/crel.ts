import { FormatError } from './errors.js';
import type { RelocationRows } from './relocation-rows.js';
import { Words } from './words.js';

/** A byte of an entry says which of its fields differ from the entry before. */
const SYMBOL_CHANGES = 1;
const TYPE_CHANGES = 2;
const ADDEND_CHANGES = 4;
/** In the header: entries have addends. */
const HAS_ADDEND = 4;

/** How many relocations a CREL section holds, by its header. @throws FormatError where its bytes can't hold as many */
export function crelCount(bytes: Uint8Array, name: string): number {
  return readHeader(new Leb(bytes, name)).count;
}

/**
 * Decodes SHT_CREL (LLVM 19, `--crel`; the proposal for the gABI, "Compact relocations"): a header, the count and how entries are kept, then
 * for each relocation the differences to the one before, as LEB128.
 * @throws FormatError where the section ends before its entries, or holds fewer than it says
 */
export function readCrel(bytes: Uint8Array, is64: boolean, name: string): RelocationRows {
  const leb = new Leb(bytes, name);
  const { count, hasAddend, shift } = readHeader(leb);
  const flagBits = hasAddend ? 3 : 2;
  const width = is64 ? 64 : 32;
  const offsets = new Words(count);
  const addends = hasAddend ? new Words(count) : undefined;
  const types = new Uint32Array(count);
  const symbols = new Uint32Array(count);
  let [offset, addend, symbol, type] = [0n, 0n, 0n, 0n];
  for (let row = 0; row < count; row++) {
    const first = leb.byte();
    offset += BigInt(first >> flagBits);
    // The rest of the distance; the bit that says so is taken away again.
    if (first >= 0x80) offset += (leb.unsigned() << BigInt(7 - flagBits)) - BigInt(0x80 >> flagBits);
    if ((first & SYMBOL_CHANGES) !== 0) symbol += leb.signed();
    if ((first & TYPE_CHANGES) !== 0) type += leb.signed();
    if (hasAddend && (first & ADDEND_CHANGES) !== 0) addend += leb.signed();
    offsets.big[row] = BigInt.asUintN(width, offset << shift);
    symbols[row] = Number(BigInt.asUintN(32, symbol));
    types[row] = Number(BigInt.asUintN(32, type));
    if (addends !== undefined) addends.big[row] = BigInt.asUintN(64, BigInt.asIntN(width, addend));
  }
  return { count, offset: offsets, type: types, symbol: symbols, ...(addends === undefined ? {} : { addend: addends }) };
}

function readHeader(leb: Leb): { readonly count: number; readonly hasAddend: boolean; readonly shift: bigint } {
  const header = leb.unsigned();
  const count = header >> 3n;
  // An entry takes one byte at least.
  if (count > BigInt(leb.left)) leb.fail(`${count} relocations do not fit in ${leb.left} bytes`);
  return { count: Number(count), hasAddend: (header & BigInt(HAS_ADDEND)) !== 0n, shift: header & 3n };
}

/** No number of 64 bits has more bytes. */
const LONGEST = 10;

/** Reads numbers of LEB128 (DWARF 5, §7.6) of up to 64 bits. */
class Leb {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #name: string;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? this.fail('the section ends within an entry');
  }

  unsigned(): bigint {
    return this.#number().value;
  }

  signed(): bigint {
    const { value, bits } = this.#number();
    return BigInt.asIntN(bits, value);
  }

  #number(): { readonly value: bigint; readonly bits: number } {
    let value = 0n;
    for (let i = 0; i < LONGEST; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(i * 7);
      if (byte < 0x80) return { value, bits: (i + 1) * 7 };
    }
    return this.fail('a number has more than 64 bits');
  }

  fail(message: string): never {
    throw new FormatError('bad-value', { name: this.#name, offset: this.#at }, message);
  }
}
