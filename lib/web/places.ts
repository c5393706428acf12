import type { Words } from '../../elf/words.js';
import { MissingError } from '../errors.js';
import { type Area, initAreas, textAreas, unprobedAreas } from '../facts/areas.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { Places } from './page-data.js';

/** Pieces of the address space: as many as a wide screen has room for bars. */
const PIECES = 240;
/** Beyond this, labels are damaged: no kernel's text is as long. */
const LONGEST = 2 ** 32;

/** Where functions, ftrace's sites and blacklisted code lie. @throws MissingError where nothing names functions, or there is none */
export function placesOf(kernel: KernelFacts): Places {
  const { symbols, functions, pieces, arch } = kernel;
  const { labels } = pieces;
  const own = textAreas(labels);
  const areas = [...own.areas, ...initAreas(labels).areas, ...unprobedAreas(labels, arch)];
  const from = areas.reduce((least, area) => (area.from < least ? area.from : least), areas[0]?.from ?? 0n);
  const end = endOfText(kernel, areas);
  if (from === 0n || end <= from || end - from > LONGEST)
    throw new MissingError('no labels tell where the text of the kernel begins and ends');
  const step = Math.ceil(Number(end - from) / PIECES);
  const pieceOf = (address: bigint): number => Math.floor(Number(address - from) / step);
  const counted = (addresses: Words, rows: Iterable<number>): number[] => {
    const counts = new Array<number>(PIECES).fill(0);
    for (const row of rows) {
      const piece = pieceOf(addresses.big[row]!);
      if (piece >= 0 && piece < PIECES) counts[piece]!++;
    }
    return counts;
  };
  const sites = functions.sites?.ip;
  const blacklisted = new Array<number>(PIECES).fill(0);
  for (const range of merged(pieces.blacklist()?.ranges.areas ?? []))
    cover(blacklisted, Number(range.from - from), Number(range.to - from), step);
  return {
    from: `0x${from.toString(16)}`,
    step,
    functions: counted(symbols.address, functions.symbolRow),
    sites: sites === undefined ? [] : counted(sites, Array(sites.length).keys()),
    blacklisted,
    areas: areas
      .filter(area => area.from < end)
      .map(({ name, from: start, to }) => ({ name, at: Number(start - from), bytes: Number((to < end ? to : end) - start) })),
  };
}

/** Behind the last function that lies in text or in what is freed after boot: that has data behind its text. */
function endOfText({ symbols, functions }: KernelFacts, areas: readonly Area[]): bigint {
  let end = 0n;
  for (const row of functions.symbolRow) {
    const address = symbols.address.big[row]!;
    if (address > end && areas.some(area => address >= area.from && address <= area.to)) end = address;
  }
  return end + 1n;
}

/** Ranges that lie over each other count once. */
function merged(areas: readonly Area[]): { from: bigint; to: bigint }[] {
  const ranges: { from: bigint; to: bigint }[] = [];
  for (const { from, to } of areas) {
    const last = ranges.at(-1);
    if (last === undefined || from > last.to) ranges.push({ from, to });
    else if (to > last.to) last.to = to;
  }
  return ranges;
}

/** Adds to each piece the bytes of a range in it. */
function cover(bytes: number[], from: number, to: number, step: number): void {
  for (let piece = Math.max(0, Math.floor(from / step)); piece < bytes.length && piece * step < to; piece++)
    bytes[piece]! += Math.min(to, (piece + 1) * step) - Math.max(from, piece * step);
}
