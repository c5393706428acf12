import { type ElfHeader, Memory } from 'kelf/elf';
import type { AddressEncoding, KallsymsLocation } from 'kelf/kallsyms';

/** A symbol to pack: its letter, its name, its address. */
export type PackedSymbol = readonly [letter: string, name: string, address: bigint];

/** The layout of scripts/kallsyms.c: which release's, and for which machine. */
export interface KallsymsLayout {
  readonly bits?: 32 | 64;
  readonly littleEndian?: boolean;
  readonly encoding?: AddressEncoding;
  /** Before 6.1 a length is one byte, up to 255; since then one above 127 takes two. */
  readonly longLengths?: boolean;
  /** Before 4.20 the count and the markers are as wide as a pointer. */
  readonly wideCounts?: boolean;
  /** Since 6.4 the addresses stand behind the names. */
  readonly addressesLast?: boolean;
  /** Since 6.2 there is a table of the order by names: before the tokens until 6.3, at the end since 6.4. */
  readonly sequences?: boolean;
  /** 32-bit kernels of 7.0 without CONFIG_RELOCATABLE: whole addresses under the label of offsets. */
  readonly addressesAsOffsets?: boolean;
  readonly relativeBase?: bigint;
  /** What tables begin at multiples of: the size of a pointer; 16 or 256 where `.align` takes an exponent; 4 since 7.0. */
  readonly align?: number;
}

type FullLayout = Required<Omit<KallsymsLayout, 'align'>>;

export interface KallsymsImage {
  readonly bytes: Uint8Array;
  readonly address: bigint;
  readonly location: Omit<KallsymsLocation, 'encoding'>;
  readonly layout: FullLayout;
  /** The most tokens that a name has. */
  readonly longest: number;
}

const DEFAULTS: FullLayout = {
  bits: 64,
  littleEndian: true,
  encoding: 'base-relative',
  longLengths: true,
  wideCounts: false,
  addressesLast: true,
  sequences: true,
  addressesAsOffsets: false,
  relativeBase: 0xffffffff81000000n,
};

/** Packs symbols, which must be in the order of their addresses, into the tables of a kernel, to stand at `address`. */
export function packKallsyms(symbols: readonly PackedSymbol[], given: KallsymsLayout = {}, address = 0xffffffff82000000n): KallsymsImage {
  const layout = { ...DEFAULTS, ...given };
  const { bits, littleEndian, encoding, longLengths, wideCounts, relativeBase } = layout;
  const image: number[] = [];
  const labels: Record<string, bigint> = {};
  const align = (unit: number): void => {
    while ((Number(address & 0xffffn) + image.length) % unit !== 0) image.push(0);
  };
  const begin = (label: string): void => {
    align(given.align ?? bits / 8);
    labels[label] = address + BigInt(image.length);
  };
  const put = (value: bigint, size: number): void => {
    const bytes = Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(i * 8)) & 0xffn));
    image.push(...(littleEndian ? bytes : bytes.reverse()));
  };
  const countSize = wideCounts ? bits / 8 : 4;

  const { tokens, packed } = compress(symbols.map(([letter, name]) => letter + name));
  const addresses = (): void => {
    if (encoding === 'absolute' && !layout.addressesAsOffsets) {
      begin('addresses');
      for (const [, , value] of symbols) put(value, bits / 8);
      return;
    }
    begin('offsets');
    for (const [, , value] of symbols) {
      const place = address + BigInt(image.length);
      if (encoding === 'absolute') put(value, 4);
      else if (encoding === 'place-relative') put(value - place, 4);
      else if (encoding === 'absolute-percpu') put(value < 0x8000_0000n ? value : relativeBase - 1n - value, 4);
      else put(value - relativeBase, 4);
    }
    if (encoding === 'place-relative' || encoding === 'absolute') return;
    begin('relativeBase');
    put(relativeBase, bits / 8);
  };
  const sequences = (): void => {
    if (!layout.sequences) return;
    begin('sequences');
    const order = symbols.map((_, i) => i).sort((a, b) => (symbols[a]![1] < symbols[b]![1] ? -1 : 1));
    for (const row of order) image.push((row >> 16) & 255, (row >> 8) & 255, row & 255);
  };

  if (!layout.addressesLast) addresses();
  begin('numSyms');
  put(BigInt(symbols.length), countSize);
  begin('names');
  const markers: number[] = [];
  const start = image.length;
  packed.forEach((codes, i) => {
    if (i % 256 === 0) markers.push(image.length - start);
    if (codes.length > (longLengths ? 0x3fff : 0xff)) throw new Error('the name has too many tokens');
    if (!longLengths || codes.length < 0x80) image.push(codes.length);
    else image.push((codes.length & 0x7f) | 0x80, codes.length >> 7);
    image.push(...codes);
  });
  begin('markers');
  for (const marker of markers) put(BigInt(marker), countSize);
  if (!layout.addressesLast) sequences();
  begin('tokenTable');
  const indices = tokens.map(token => {
    const at = image.length - Number(labels['tokenTable']! - address);
    image.push(...new TextEncoder().encode(token), 0);
    return at;
  });
  begin('tokenIndex');
  for (const index of indices) put(BigInt(index), 2);
  if (layout.addressesLast) {
    addresses();
    sequences();
  }
  align(8);
  return {
    bytes: Uint8Array.from(image),
    address,
    location: labels as unknown as KallsymsLocation,
    layout,
    longest: Math.max(...packed.map(({ length }) => length)),
  };
}

/** The image as memory. */
export function memoryOf({ bytes, address, layout: { bits, littleEndian } }: KallsymsImage, changed: Uint8Array = bytes): Memory {
  const header = { machine: 62, littleEndian, is64: bits === 64 } as ElfHeader;
  const region = {
    address,
    size: BigInt(changed.length),
    fileSize: changed.length,
    read: (start: number, length: number) => changed.subarray(start, start + length),
  };
  return new Memory('image', header, [region], [], () => undefined);
}

/**
 * The compression of scripts/kallsyms.c: a byte that no name uses stands for the most frequent pair of tokens, as often as there are such bytes. A
 * token is the text that its byte stands for in full.
 */
function compress(names: readonly string[]): { tokens: string[]; packed: number[][] } {
  const tokens = new Array<string>(256).fill('');
  const packed = names.map(name => [...new TextEncoder().encode(name)]);
  for (const codes of packed) for (const code of codes) tokens[code] = String.fromCharCode(code);
  const free = tokens.flatMap((token, code) => (token === '' ? [code] : [])).slice(0, 60);
  for (const code of free.reverse()) {
    const pairs = new Map<number, number>();
    for (const codes of packed) {
      for (let i = 1; i < codes.length; i++) {
        const pair = codes[i - 1]! * 256 + codes[i]!;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
    }
    const best = [...pairs].sort((a, b) => b[1] - a[1])[0];
    if (best === undefined || best[1] < 2) break;
    const [first, second] = [best[0] >> 8, best[0] & 255];
    tokens[code] = tokens[first]! + tokens[second]!;
    packed.forEach((codes, row) => {
      const replaced: number[] = [];
      for (let i = 0; i < codes.length; i++) {
        if (codes[i] === first && codes[i + 1] === second) {
          replaced.push(code);
          i++;
        } else replaced.push(codes[i]!);
      }
      packed[row] = replaced;
    });
  }
  return { tokens, packed };
}
