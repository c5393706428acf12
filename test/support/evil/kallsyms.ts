import { ElfWriter } from '../elf-writer.js';
import type { EvilFile } from './evil-file.js';

// Packed symbols, as a linker would lay them down: the tables of 6.4 and later, base-relative, in an ELF file without .symtab.

const BASE = 0xffff_ffff_8100_0000n;
const BANNER = 0x3000;
const TABLES = 0x4000;
const CALLS = [
  ['kallsyms', 'FILE'],
  ['info', 'FILE'],
  ['trace', 'FILE', 'linux_banner'],
];
/** Codes from here on are free for tokens: those below stand for themselves. */
const FREE = 128;
const COLON = 0x3a;

/** The image around what stands at TABLES. */
function imageOf(tables: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TABLES + tables.length + 0x1000);
  bytes.set(new TextEncoder().encode('Linux version 6.6.0 (kelf@test)'), BANNER);
  bytes.set(tables, TABLES);
  return new ElfWriter().file({ type: 2, machine: 62, sections: [{ name: '.image', type: 1, flags: 7, address: BASE, data: bytes }] });
}

/** @param long what the tokens of free codes are. @param names each as its codes, the letter first; the banner is put behind them */
function tablesOf(long: string, names: readonly (readonly number[])[]): Uint8Array {
  const encoder = new TextEncoder();
  const tokens = Array.from({ length: 256 }, (_, code) => {
    if (code >= FREE) return long;
    // No name has a colon: in a kernel it is a token of some other string.
    return code === COLON ? 'x_' : code > 0x20 && code < 0x7f ? String.fromCharCode(code) : '';
  });
  const all = [...names, [...encoder.encode('Dlinux_banner')]];
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (bytes: Uint8Array): void => {
    const padding = new Uint8Array((8 - (length % 8)) % 8);
    parts.push(padding, bytes);
    length += padding.length + bytes.length;
  };
  put(new Uint8Array(Uint32Array.of(all.length).buffer));
  const packed = all.map(codes =>
    Uint8Array.from([...(codes.length < 128 ? [codes.length] : [(codes.length & 127) | 128, codes.length >> 7]), ...codes]),
  );
  const markers: number[] = [];
  let at = 0;
  packed.forEach((name, i) => {
    if (i % 256 === 0) markers.push(at);
    at += name.length;
  });
  put(concat(packed));
  put(new Uint8Array(Uint32Array.from(markers).buffer));
  const texts = tokens.map(token => encoder.encode(`${token}\0`));
  const index = new Uint16Array(256);
  texts.reduce((sum, text, i) => {
    index[i] = sum;
    return sum + text.length;
  }, 0);
  put(concat(texts));
  put(new Uint8Array(index.buffer));
  put(new Uint8Array(Int32Array.from(all, (_, i) => (i === all.length - 1 ? BANNER : Math.min(i, BANNER))).buffer));
  put(new Uint8Array(BigUint64Array.of(BASE).buffer));
  put(concat(all.map((_, i) => Uint8Array.of((i >> 16) & 255, (i >> 8) & 255, i & 255))));
  return concat(parts);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    bytes.set(part, at);
    return at + part.length;
  }, 0);
  return bytes;
}

const T = 0x54;

export const PACKED_KALLSYMS: readonly EvilFile[] = [
  {
    name: 'kallsyms: names of two long tokens',
    calls: CALLS,
    bytes: size => {
      const name = [T, FREE, FREE];
      return imageOf(tablesOf('a'.repeat(480), new Array(Math.floor(size / 14)).fill(name)));
    },
  },
  {
    name: 'kallsyms: as many names as fit, of one token',
    calls: CALLS,
    bytes: size => imageOf(tablesOf('a'.repeat(480), new Array(Math.floor(size / 12)).fill([T, FREE]))),
  },
  {
    name: 'kallsyms: one name of very many tokens, and again',
    calls: CALLS,
    bytes: size => {
      const name = [T, ...new Array<number>(16_000).fill(FREE)];
      return imageOf(tablesOf('a'.repeat(480), new Array(Math.floor(size / 16_020)).fill(name)));
    },
  },
  {
    name: 'kallsyms: many beginnings of tables of tokens',
    calls: CALLS,
    bytes: size => {
      const digits = new TextEncoder().encode([...'0123456789'].map(digit => `${digit}\0`).join(''));
      return imageOf(concat(new Array(Math.floor(size / digits.length)).fill(digits)));
    },
  },
  {
    name: 'kallsyms: many tables of tokens, each whole',
    calls: CALLS,
    bytes: size => {
      const one = tablesOf('b', new Array(600).fill([T, 0x61]));
      return imageOf(concat(new Array(Math.floor(size / one.length)).fill(one)));
    },
  },
];
