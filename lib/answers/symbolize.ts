import type { Frame } from '../../elf/dwarf/symbolize.js';
import { FormatError } from '../../elf/errors.js';
import type { Kernel } from '../kernel.js';

/** A function, or another symbol, and a place in it: what the kernel prints as `sys_openat+0x1c/0x20`. */
export interface SymbolPlace {
  readonly name: string;
  /** Bytes from the symbol's address. */
  readonly offset: number;
  /** Bytes up to the next symbol, as the kernel counts. */
  readonly size: number;
}

/** What stands at one address. */
export interface AddressAnswer {
  /** What was asked: `0xffffffff8134a38b`, `do_sys_openat2+0x3b`. */
  readonly query: string;
  readonly address: bigint;
  /** The symbol that the kernel names the address by; absent below the first one. */
  readonly symbol?: SymbolPlace;
  /** From DWARF: the innermost inlined function first, the function that has a symbol last. Empty without, and for code that no unit describes. */
  readonly frames: readonly Frame[];
  /** The source file by STT_FILE, `open.c`, where no frame tells it. */
  readonly file?: string;
}

/** A query that leads to no address, and why. */
export interface AddressProblem {
  readonly query: string;
  readonly problem: string;
}

/** `NAME`, `NAME+0x1c`, and `NAME+0x1c/0x20` as kernels print it. */
const NAME_AND_OFFSET = /^([^+/]+)(?:\+(0x[0-9a-f]+|\d+))?(?:\/(0x[0-9a-f]+|\d+))?$/i;

/**
 * What stands at each address, in the order of the queries; a name that several symbols bear gives one answer for each.
 * @param queries addresses (`0x…`, or as many hexadecimal digits as an address has), names, names with an offset
 */
export function symbolize(kernel: Kernel, queries: readonly string[]): (AddressAnswer | AddressProblem)[] {
  const found = queries.flatMap(query => resolve(kernel, query));
  const dwarf = kernel.dwarf();
  // Unit by unit: each is then read once, however the addresses come.
  const unitOf = found.map(item => ('address' in item && dwarf !== undefined ? dwarf.unitOffsetAt(item.address) : -1));
  const answers = new Map<number, AddressAnswer | AddressProblem>();
  const order = found.map((_, i) => i).sort((a, b) => unitOf[a]! - unitOf[b]!);
  for (const i of order) {
    const item = found[i]!;
    answers.set(i, 'address' in item ? answerAt(kernel, item.query, item.address) : item);
  }
  return found.map((_, i) => answers.get(i)!);
}

function resolve(kernel: Kernel, query: string): ({ readonly query: string; readonly address: bigint } | AddressProblem)[] {
  const { symbols } = kernel;
  const text = query.trim();
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return [{ query, address: BigInt(text) }];
  // Without 0x, as oopses print them: a symbol of that name would be taken before.
  if (/^[0-9a-f]{8}([0-9a-f]{8})?$/i.test(text) && symbols.find(text).length === 0) return [{ query, address: BigInt(`0x${text}`) }];
  const match = NAME_AND_OFFSET.exec(text);
  if (match === null) return [{ query, problem: 'is neither an address nor a name with an offset' }];
  const [, name, offset = '0', size] = match;
  const rows = symbols.find(name!);
  const starts = new Set(rows.map(row => symbols.address.big[row]!));
  const label = starts.size === 0 ? kernel.pieces.labels(name!) : undefined;
  if (label !== undefined) starts.add(label);
  if (starts.size === 0) return [{ query, problem: `no symbol is named ${name}` }];
  const wanted = [...starts].filter(start => size === undefined || extentAt(kernel, start) === Number(size));
  if (wanted.length === 0) return [{ query, problem: `no ${name} is ${size} bytes long` }];
  return wanted.map(start => ({ query, address: BigInt.asUintN(64, start + BigInt(offset)) }));
}

function extentAt(kernel: Kernel, start: bigint): number {
  const end = kernel.symbols.endOf(start);
  return end === undefined ? 0 : Number(end - start);
}

function answerAt(kernel: Kernel, query: string, address: bigint): AddressAnswer | AddressProblem {
  const { symbols } = kernel;
  // Nothing ends the last symbol, and the kernel takes no address behind it for its own.
  const row = symbols.endOf(address) === undefined ? undefined : symbols.containing(address);
  const frames = framesAt(kernel, address);
  if (row === undefined) return frames.length === 0 ? { query, problem: 'is not in the kernel' } : { query, address, frames };
  const start = symbols.address.big[row]!;
  const symbol = { name: symbols.name(row), offset: Number(address - start), size: extentAt(kernel, start) };
  const file = frames.some(({ place }) => place !== undefined) ? undefined : kernel.pieces.imageSymbols()?.symbolOf(symbols, row)?.file;
  return { query, address, symbol, frames, ...(file === undefined ? {} : { file }) };
}

/** The frames of an address; none, and a diagnostic, where its unit is damaged: the other addresses are answered. */
function framesAt(kernel: Kernel, address: bigint): readonly Frame[] {
  const dwarf = kernel.dwarf();
  try {
    return dwarf?.frames(address) ?? [];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    dwarf?.diagnostics.push({ place: error.place, message: error.message });
    return [];
  }
}
