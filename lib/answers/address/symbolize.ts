import type { Frame } from '../../../elf/dwarf/frames.js';
import { FormatError } from '../../../elf/errors.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { type AddressProblem, type AddressQuery, addressesOf, extentAt } from './query.js';

export type { AddressProblem } from './query.js';

/** A function, or another symbol, and a place in it: what the kernel prints as `sys_openat+0x1c/0x20`. */
export interface SymbolPlace {
  readonly name: string;
  /** Bytes from the symbol's address. */
  readonly offset: number;
  /** Bytes up to the next symbol, as the kernel counts. */
  readonly size: number;
}

/** What is at one address. */
export interface AddressAnswer {
  /** What was asked: `0xffffffff8134a38b`, `do_sys_openat2+0x3b`. */
  readonly query: string;
  readonly address: bigint;
  /** The symbol that the kernel names the address by; absent below the first one. */
  readonly symbol?: SymbolPlace;
  /**
   * From DWARF: the innermost inlined function first, the function that has a symbol last. Empty without, and for code that no unit
   * describes.
   */
  readonly frames: readonly Frame[];
  /** The source file by STT_FILE, `open.c`, where no frame tells it. */
  readonly file?: string;
  /** What is odd about the address: it is per-CPU data, or after the end of the symbol that was named. */
  readonly remark?: string;
}

/**
 * What is at each address, in the order of the queries; a name that several symbols share gives one answer for each.
 * @param queries addresses (`0x…`, or as many hexadecimal digits as an address has), names, names with an offset
 * @param moved how far from the image's addresses the kernel ran that these addresses are of: KASLR moves it. Answers have the image's.
 */
export function symbolize(kernel: KernelFacts, queries: readonly string[], moved = 0n): (AddressAnswer | AddressProblem)[] {
  const found = queries.flatMap(query => addressesOf(kernel, query, moved));
  const dwarf = kernel.dwarf();
  // Unit by unit, and there by address: each unit is then read once, and each function, however the addresses come.
  const unitOf = found.map(item => ('address' in item && dwarf !== undefined ? dwarf.unitOffsetAt(item.address) : -1));
  const answers = new Map<number, AddressAnswer | AddressProblem>();
  const nearly = found.map(item => ('address' in item ? Number(item.address) : 0));
  const order = found.map((_, i) => i).sort((a, b) => unitOf[a]! - unitOf[b]! || nearly[a]! - nearly[b]!);
  for (const i of order) {
    const item = found[i]!;
    answers.set(i, 'address' in item ? answerAt(kernel, item) : item);
  }
  return found.map((_, i) => answers.get(i)!);
}

function answerAt(kernel: KernelFacts, asked: AddressQuery): AddressAnswer | AddressProblem {
  const { query, address } = asked;
  const { symbols } = kernel;
  // Nothing ends the last symbol, and the kernel takes no address after it for its own.
  const row = symbols.endOf(address) === undefined ? undefined : symbols.containing(address);
  const frames = framesAt(kernel, address);
  if (row === undefined) return frames.length === 0 ? { query, problem: 'is not in the kernel' } : { ...asked, frames };
  const start = symbols.address.big[row]!;
  const symbol = { name: symbols.name(row), offset: Number(address - start), size: extentAt(kernel, start) };
  const file = frames.some(({ place }) => place !== undefined) ? undefined : kernel.pieces.imageSymbols()?.fileAt(symbols, row);
  return { ...asked, symbol, frames, ...(file === undefined ? {} : { file }) };
}

/** The frames of an address; none, and a diagnostic, where its unit is damaged: the other addresses are answered. */
function framesAt(kernel: KernelFacts, address: bigint): readonly Frame[] {
  const dwarf = kernel.dwarf();
  try {
    return dwarf?.frames(address) ?? [];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    dwarf?.diagnostics.push({ place: error.place, message: error.message });
    return [];
  }
}
